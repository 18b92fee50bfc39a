//! Envoy's own filter `stateful_session`, which Envoy Gateway configures too.

use serde_json::{Value, json};

use super::envoy::{self, STATEFUL_SESSION};
use super::{Fixture, Proxy, Refusal, Running};
use crate::pools::{Feature, Pool, State};
use crate::scenario::Origin;

const TYPE: &str = "type.googleapis.com/envoy.extensions";

pub(super) struct StatefulSession;

impl Proxy for StatefulSession {
    fn name(&self) -> &'static str {
        "Envoy `stateful_session`"
    }

    fn version(&self) -> Option<String> {
        envoy::version()
    }

    fn origin(&self) -> Option<Origin> {
        Some(Origin::EnvoyGateway)
    }

    fn start(&self, fixture: &Fixture<'_>) -> Result<Box<dyn Running>, Refusal> {
        let mut routes = Vec::new();
        let mut clusters = Vec::new();
        for (name, pool) in &fixture.pools.0 {
            let session = Session::of(pool)?;
            let action = envoy::action(pool, name);
            let mut route = json!({
                "match": envoy::matching(name),
                "route": action,
                "typed_per_filter_config": { STATEFUL_SESSION: session.per_route() }
            });
            let disabled = json!({ STATEFUL_SESSION: per_route(&json!({ "disabled": true })) });
            for mut except in session.except {
                let matching = &mut except["match"];
                if matching.get("prefix").is_none() {
                    matching["prefix"] = route["match"]["prefix"].clone();
                }
                except["route"] = route["route"].clone();
                except["typed_per_filter_config"] = disabled.clone();
                routes.push(except);
            }
            if name == "web" {
                routes.push(route.take());
            } else {
                routes.insert(0, route.take());
            }
            let mut cluster = envoy::cluster(fixture, name, pool, &pool.members());
            if pool.members().iter().any(|(_, member)| member.state == State::Draining) {
                let statuses = ["UNKNOWN", "HEALTHY", "DRAINING"];
                cluster["common_lb_config"]["override_host_status"] = json!({ "statuses": statuses });
            }
            clusters.push(cluster);
        }
        let filters = |filters: &mut Vec<Value>| {
            // The routes configure it.
            let filter = json!({ "@type": format!("{TYPE}.filters.http.stateful_session.v3.StatefulSession") });
            let filter = json!({ "name": STATEFUL_SESSION, "typed_config": filter });
            *filters = [Some(filter), filters.pop()].into_iter().flatten().collect();
        };
        envoy::start(filters, &routes, &clusters)
    }
}

fn per_route(what: &Value) -> Value {
    let mut config = what.clone();
    config["@type"] = json!(format!("{TYPE}.filters.http.stateful_session.v3.StatefulSessionPerRoute"));
    config
}

/// Its configuration for a pool.
struct Session {
    cookie: Value,
    header: Option<String>,
    sticky: bool,
    /// Routes without stickiness before the pool's own; their actions are added later.
    except: Vec<Value>,
}

impl Session {
    fn of(pool: &Pool) -> Result<Self, Refusal> {
        let mut session = Self { cookie: json!({ "name": "srv" }), header: None, sticky: true, except: Vec::new() };
        if pool.members().iter().any(|(_, member)| member.limit.is_some()) {
            return Err(Refusal::unsupported("limits are the same for all hosts of a cluster"));
        }
        for feature in &pool.features {
            session.feature(feature)?;
        }
        Ok(session)
    }

    fn feature(&mut self, feature: &Feature) -> Result<(), Refusal> {
        match feature {
            Feature::NotSticky => self.sticky = false,
            // Envoy always writes `HttpOnly`.
            Feature::HttpOnly
            | Feature::Turns
            | Feature::Balance(_)
            | Feature::ChosenByHeader
            | Feature::Names
            | Feature::Tls
            | Feature::Grpc
            | Feature::KeepAlive
            | Feature::KeepAliveFirst
            | Feature::RetryOn(_) => (),
            Feature::Name(name) => self.cookie["name"] = json!(name),
            Feature::Path(path) => self.cookie["path"] = json!(path),
            Feature::Lifetime(seconds) | Feature::Life(seconds) => self.cookie["ttl"] = json!(format!("{seconds}s")),
            Feature::Forever => self.cookie["ttl"] = json!("315360000s"),
            Feature::Domain(domain) => self.attribute("Domain", domain),
            Feature::Secure => self.attribute("Secure", ""),
            Feature::SameSite(value) => self.attribute("SameSite", value),
            Feature::Header(name) => self.header = Some(name.clone()),
            Feature::NotBelow(path) => self.except.push(json!({ "match": { "prefix": path } })),
            Feature::NotFor(agent) => {
                let header = json!({ "name": "user-agent", "string_match": { "exact": agent } });
                self.except.push(json!({ "match": { "headers": [header] } }));
            }
            other => return Err(Refusal::unsupported(why_not(other))),
        }
        Ok(())
    }

    fn attribute(&mut self, name: &str, value: &str) {
        let attribute = json!({ "name": name, "value": value });
        match self.cookie["attributes"].as_array_mut() {
            Some(attributes) => attributes.push(attribute),
            None => self.cookie["attributes"] = json!([attribute]),
        }
    }

    fn per_route(&self) -> Value {
        if !self.sticky {
            return per_route(&json!({ "disabled": true }));
        }
        let state = match &self.header {
            Some(name) => json!({
                "name": "envoy.http.stateful_session.header",
                "typed_config": {
                    "@type": format!("{TYPE}.http.stateful_session.header.v3.HeaderBasedSessionState"),
                    "name": name
                }
            }),
            None => json!({
                "name": "envoy.http.stateful_session.cookie",
                "typed_config": {
                    "@type": format!("{TYPE}.http.stateful_session.cookie.v3.CookieBasedSessionState"),
                    "cookie": self.cookie
                }
            }),
        };
        per_route(&json!({ "stateful_session": { "session_state": state } }))
    }
}

fn why_not(feature: &Feature) -> String {
    match feature {
        Feature::DomainFromQuery | Feature::SameSiteFromQuery => "attributes are fixed texts",
        Feature::Idle(_) => "its cookies hold an end that use does not extend",
        Feature::NotFromTheFuture => "its cookies hold an end and no beginning",
        Feature::Follow(_) | Feature::FollowRequests(_) | Feature::FollowHeads | Feature::Inside(_) => {
            "it does not look at the application's cookies"
        }
        Feature::Strip => "it does not hide cookies from backends",
        Feature::OnlyOnPost => "it has no option for methods",
        Feature::NotCached => "it has no option for caching",
        Feature::Preserve => "it has no option for a backend that sets the same cookie",
        Feature::ForcedBy(_) => "it has no option for a condition",
        _ => return format!("it has no option for {feature:?}"),
    }
    .to_owned()
}
