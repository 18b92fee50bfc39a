//! What does a scenario want of a proxy, in words that belong to none?

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// A pool of backends by its name. `web` is reached at `/`, another one below its name.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Setup(pub(crate) BTreeMap<String, Pool>);

/// Backends among which a proxy chooses.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pool {
    pub(crate) backends: BTreeMap<String, Member>,
    /// The order in which they stand in the proxy's configuration, if not that of their names.
    #[serde(default)]
    order: Vec<String>,
    /// The shares of groups of backends in new sessions.
    #[serde(default)]
    pub(crate) groups: BTreeMap<String, u32>,
    #[serde(default)]
    pub(crate) wishes: Vec<Wish>,
}

/// What a pool says of one of its backends.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Member {
    #[serde(default)]
    pub(crate) state: State,
    #[serde(default)]
    pub(crate) weight: Option<u32>,
    /// How many requests it may have at a time.
    #[serde(default)]
    pub(crate) limit: Option<u32>,
    #[serde(default)]
    pub(crate) group: Option<String>,
}

/// What an operator has decided about a backend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    #[default]
    Up,
    /// Gets nothing.
    Down,
    /// Gets no new sessions.
    Draining,
}

/// What is wanted beside a cookie that keeps each client on its backend. A proxy has words for it or not.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Wish {
    NotSticky,
    /// New clients are given to backends in turn. That is the rule; the wish is for scenarios that count.
    Turns,
    /// By something else than turns.
    Balance(Balance),
    /// The header `x-pool` names the pool.
    ChosenByHeader,
    /// Backends are given as names in DNS, which are looked up again every second.
    Names,
    Tls,
    Grpc,
    /// Connections to backends are used again.
    KeepAlive,
    /// The same, written before the words for stickiness rather than after them.
    KeepAliveFirst,
    /// Another backend is asked when one answers so. When one refuses the connection, another is asked anyway.
    RetryOn(u16),
    /// The name of the cookie.
    Name(String),
    Domain(String),
    Path(String),
    /// The browser is told to keep the cookie for so many seconds.
    Lifetime(u32),
    /// The browser is told to keep the cookie.
    Forever,
    Secure,
    HttpOnly,
    SameSite(String),
    /// Made of the arguments `v` and `v2` of the query.
    DomainFromQuery,
    /// The argument `a` of the query.
    SameSiteFromQuery,
    /// After so many seconds without a request a session is over, whatever the browser does.
    Idle(u32),
    /// After so many seconds a session is over, used or not.
    Life(u32),
    /// A session belongs to the application's cookie of this name, and begins when a backend sets it.
    Follow(String),
    /// The same, and it begins when a client sends it.
    FollowRequests(String),
    /// It begins with the head of the answer, not with its end.
    FollowHeads,
    /// The session is in a header of this name.
    Header(String),
    /// The backend does not see the cookie.
    Strip,
    OnlyOnPost,
    /// An answer with the cookie says that it must not be kept by caches.
    NotCached,
    /// A cookie of this name that the backend itself sets is left as it is, and no other is given.
    Preserve,
    /// The backend is named inside the application's cookie of this name.
    Inside(String),
    /// No stickiness for paths that begin so.
    NotBelow(String),
    /// No stickiness for this user agent.
    NotFor(String),
    /// A request with this header goes to the backend of its cookie though that is down.
    ForcedBy(String),
    /// A cookie that says it is from a day and more ahead does not count.
    NotFromTheFuture,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Balance {
    LeastConnections,
    Address,
}

impl Setup {
    /// # Errors
    ///
    /// What is wrong, and where.
    pub(crate) fn parse(value: &Value) -> Result<Self, String> {
        serde_json::from_value(value.clone()).map_err(|error| format!("{error} in {value}"))
    }

    /// The names of all backends, in their order.
    pub(crate) fn backends(&self) -> impl Iterator<Item = &str> {
        self.0.values().flat_map(|pool| pool.backends.keys().map(String::as_str))
    }

    /// Whether any pool wishes this.
    pub(crate) fn wishes(&self, wish: &Wish) -> bool {
        self.0.values().any(|pool| pool.wishes.contains(wish))
    }
}

impl Pool {
    /// Its backends, as they stand in the proxy's configuration.
    pub(crate) fn members(&self) -> Vec<(&str, &Member)> {
        let place = |name: &str| self.order.iter().position(|other| other == name).unwrap_or(usize::MAX);
        let mut members: Vec<_> = self.backends.iter().map(|(name, member)| (name.as_str(), member)).collect();
        members.sort_by_key(|(name, _)| place(name));
        members
    }

    /// The share of a backend in new sessions, for a proxy that has no word for groups: that of its group, evenly.
    pub(crate) fn weight(&self, member: &Member) -> Option<u32> {
        let Some(group) = &member.group else { return member.weight };
        let size = self.backends.values().filter(|other| other.group.as_ref() == Some(group)).count();
        u32::try_from(size).ok().and_then(|size| self.groups.get(group)?.checked_div(size))
    }

    pub(crate) fn wishes(&self, wish: &Wish) -> bool {
        self.wishes.contains(wish)
    }
}

/// What is changed in a setup: RFC 7396, so `null` takes away.
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
