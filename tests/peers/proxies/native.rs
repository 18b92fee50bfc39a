//! Envoy's own `stateful_session`, as Envoy Gateway configures it too.

use serde_json::{Value, json};

use super::envoy::{self, STATEFUL_SESSION};
use super::{Ground, Proxy, Refusal, Running};
use crate::scenario::Origin;
use crate::setup::{Pool, State, Wish};

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

    fn start(&self, ground: &Ground<'_>) -> Result<Box<dyn Running>, Refusal> {
        let mut routes = Vec::new();
        let mut clusters = Vec::new();
        for (name, pool) in &ground.setup.0 {
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
            let mut cluster = envoy::cluster(ground, name, pool, &pool.members());
            if pool.members().iter().any(|(_, member)| member.state == State::Draining) {
                let statuses = ["UNKNOWN", "HEALTHY", "DRAINING"];
                cluster["common_lb_config"]["override_host_status"] = json!({ "statuses": statuses });
            }
            clusters.push(cluster);
        }
        let filters = |filters: &mut Vec<Value>| {
            // Routes say what it does.
            let filter = json!({ "@type": format!("{TYPE}.filters.http.stateful_session.v3.StatefulSession") });
            filters.splice(..2, [json!({ "name": STATEFUL_SESSION, "typed_config": filter })]);
        };
        envoy::start(filters, &routes, &clusters)
    }
}

fn per_route(what: &Value) -> Value {
    let mut config = what.clone();
    config["@type"] = json!(format!("{TYPE}.filters.http.stateful_session.v3.StatefulSessionPerRoute"));
    config
}

/// What it is told of a pool.
struct Session {
    cookie: Value,
    header: Option<String>,
    sticky: bool,
    /// Routes before the pool's own without stickiness, without their action.
    except: Vec<Value>,
}

impl Session {
    fn of(pool: &Pool) -> Result<Self, Refusal> {
        let mut session = Self { cookie: json!({ "name": "srv" }), header: None, sticky: true, except: Vec::new() };
        if pool.members().iter().any(|(_, member)| member.limit.is_some()) {
            return Err(Refusal::no_words("limits are the same for all hosts of a cluster"));
        }
        for wish in &pool.wishes {
            session.wish(wish)?;
        }
        Ok(session)
    }

    fn wish(&mut self, wish: &Wish) -> Result<(), Refusal> {
        match wish {
            Wish::NotSticky => self.sticky = false,
            // `HttpOnly` is always there.
            Wish::HttpOnly
            | Wish::Turns
            | Wish::Balance(_)
            | Wish::ChosenByHeader
            | Wish::Names
            | Wish::Tls
            | Wish::Grpc
            | Wish::KeepAlive
            | Wish::KeepAliveFirst
            | Wish::RetryOn(_) => (),
            Wish::Name(name) => self.cookie["name"] = json!(name),
            Wish::Path(path) => self.cookie["path"] = json!(path),
            Wish::Lifetime(seconds) | Wish::Life(seconds) => self.cookie["ttl"] = json!(format!("{seconds}s")),
            Wish::Forever => self.cookie["ttl"] = json!("315360000s"),
            Wish::Domain(domain) => self.attribute("Domain", domain),
            Wish::Secure => self.attribute("Secure", ""),
            Wish::SameSite(value) => self.attribute("SameSite", value),
            Wish::Header(name) => self.header = Some(name.clone()),
            Wish::NotBelow(path) => self.except.push(json!({ "match": { "prefix": path } })),
            Wish::NotFor(agent) => {
                let header = json!({ "name": "user-agent", "string_match": { "exact": agent } });
                self.except.push(json!({ "match": { "headers": [header] } }));
            }
            other => return Err(Refusal::no_words(no_words_for(other))),
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

fn no_words_for(wish: &Wish) -> String {
    match wish {
        Wish::DomainFromQuery | Wish::SameSiteFromQuery => "attributes are fixed texts",
        Wish::Idle(_) => "its cookies hold an end that no use puts off",
        Wish::NotFromTheFuture => "its cookies hold an end and no beginning",
        Wish::Follow(_) | Wish::FollowRequests(_) | Wish::FollowHeads | Wish::Inside(_) => {
            "it does not look at the application's cookies"
        }
        Wish::Strip => "it hides no cookie from backends",
        Wish::OnlyOnPost => "no word for methods",
        Wish::NotCached => "no word for caches",
        Wish::Preserve => "no word for a backend that sets its cookie",
        Wish::ForcedBy(_) => "it takes no condition",
        _ => return format!("no word for {wish:?}"),
    }
    .to_owned()
}
