//! The pools of backends that a scenario asks a proxy for, in terms that are no proxy's own.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// Pools of backends by their names. `web` serves `/`, and each other pool serves the paths below its name.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Pools(pub(crate) BTreeMap<String, Pool>);

/// The backends that a proxy chooses from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pool {
    pub(crate) backends: BTreeMap<String, Member>,
    /// The order of the backends in the proxy's configuration. Default: by name.
    #[serde(default)]
    order: Vec<String>,
    /// The weights of groups of backends for new sessions.
    #[serde(default)]
    pub(crate) groups: BTreeMap<String, u32>,
    #[serde(default)]
    pub(crate) features: Vec<Feature>,
}

/// The properties of a backend within its pool.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Member {
    #[serde(default)]
    pub(crate) state: State,
    #[serde(default)]
    pub(crate) weight: Option<u32>,
    /// The most requests that it may have at a time.
    #[serde(default)]
    pub(crate) limit: Option<u32>,
    #[serde(default)]
    pub(crate) group: Option<String>,
}

/// The state that an operator gave a backend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    #[default]
    Up,
    /// Receives nothing.
    Down,
    /// Receives no new sessions.
    Draining,
}

/// A feature beyond a cookie that keeps each client on its backend. A proxy supports it or not.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Feature {
    NotSticky,
    /// New clients go to the backends in turn. Most proxies do so anyway; scenarios that count requests ask for it.
    Turns,
    /// New clients are balanced in another way than in turn.
    Balance(Balance),
    /// The header `x-pool` names the pool.
    ChosenByHeader,
    /// Backends are DNS names, which are resolved again every second.
    Names,
    Tls,
    Grpc,
    /// Connections to backends are kept and used again.
    KeepAlive,
    /// The same, written before the directives for stickiness and not after them.
    KeepAliveFirst,
    /// The request is retried at another backend after this status. After a refused connection it is retried in any case.
    RetryOn(u16),
    /// The name of the cookie.
    Name(String),
    Domain(String),
    Path(String),
    /// The lifetime of the cookie in the browser, in seconds.
    Lifetime(u32),
    /// The browser keeps the cookie without an end.
    Forever,
    Secure,
    HttpOnly,
    SameSite(String),
    /// `Domain` is made of the arguments `v` and `v2` of the query.
    DomainFromQuery,
    /// `SameSite` is the argument `a` of the query.
    SameSiteFromQuery,
    /// A session ends after so many seconds without a request, even if the browser sends the cookie.
    Idle(u32),
    /// A session ends after so many seconds, used or not.
    Life(u32),
    /// A session belongs to the application's cookie of this name, and begins when a backend sets it.
    Follow(String),
    /// The same, but it begins when a client sends the cookie.
    FollowRequests(String),
    /// The session begins with the head of the response, not with its end.
    FollowHeads,
    /// The session is in a header of this name.
    Header(String),
    /// The backend does not see the cookie.
    Strip,
    OnlyOnPost,
    /// A response with the cookie tells caches not to store it.
    NotCached,
    /// When the backend sets a cookie of the same name, the proxy leaves it as it is and sets none.
    Preserve,
    /// The name of the backend is put inside the application's cookie of this name.
    Inside(String),
    /// No stickiness for paths with this prefix.
    NotBelow(String),
    /// No stickiness for this user agent.
    NotFor(String),
    /// A request with this header goes to the backend of its cookie even if that one is down.
    ForcedBy(String),
    /// A cookie is ignored when its date is more than a day in the future.
    NotFromTheFuture,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Balance {
    LeastConnections,
    Address,
}

impl Pools {
    /// # Errors
    ///
    /// A value that is not valid, with its place.
    pub(crate) fn parse(value: &Value) -> Result<Self, String> {
        serde_json::from_value(value.clone()).map_err(|error| format!("{error} in {value}"))
    }

    /// The names of all backends, in their order.
    pub(crate) fn backends(&self) -> impl Iterator<Item = &str> {
        self.0.values().flat_map(|pool| pool.backends.keys().map(String::as_str))
    }

    /// Returns `true` if any pool asks for this.
    pub(crate) fn wants(&self, feature: &Feature) -> bool {
        self.0.values().any(|pool| pool.features.contains(feature))
    }
}

impl Pool {
    /// Its backends, in the order of the proxy's configuration.
    pub(crate) fn members(&self) -> Vec<(&str, &Member)> {
        let place = |name: &str| self.order.iter().position(|other| other == name).unwrap_or(usize::MAX);
        let mut members: Vec<_> = self.backends.iter().map(|(name, member)| (name.as_str(), member)).collect();
        members.sort_by_key(|(name, _)| place(name));
        members
    }

    /// The weight of a backend for a proxy without groups: an even part of the weight of its group.
    pub(crate) fn weight(&self, member: &Member) -> Option<u32> {
        let Some(group) = &member.group else { return member.weight };
        let size = self.backends.values().filter(|other| other.group.as_ref() == Some(group)).count();
        u32::try_from(size).ok().and_then(|size| self.groups.get(group)?.checked_div(size))
    }

    pub(crate) fn wants(&self, feature: &Feature) -> bool {
        self.features.contains(feature)
    }
}

/// Applies a JSON merge patch (RFC 7396): `null` removes a field.
pub(crate) fn merge(into: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *into = patch.clone();
        return;
    };
    if !into.is_object() {
        *into = Value::Object(serde_json::Map::new());
    }
    let Some(fields) = into.as_object_mut() else { return };
    for (name, value) in patch {
        if value.is_null() {
            fields.remove(name);
        } else {
            merge(fields.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}
