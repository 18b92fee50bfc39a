//! Caddy, from Debian.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::server::{Server, printed, program};
use super::{Fixture, Proxy, Refusal, Running};
use crate::pools::{Balance, Feature, Pool, State};
use crate::scenario::Origin;

pub(super) struct Caddy;

impl Proxy for Caddy {
    fn name(&self) -> &'static str {
        "Caddy"
    }

    fn version(&self) -> Option<String> {
        Some(format!("Caddy {}", printed(&binary()?, "version")?.split_whitespace().next()?))
    }

    fn origin(&self) -> Option<Origin> {
        None
    }

    fn start(&self, fixture: &Fixture<'_>) -> Result<Box<dyn Running>, Refusal> {
        let binary = binary().ok_or_else(|| Refusal::Broken("caddy is not installed".into()))?;
        let mut handlers = String::new();
        // The first handler that matches gets the request.
        let (web, others): (Vec<_>, Vec<_>) = fixture.pools.0.iter().partition(|(name, _)| *name == "web");
        for (name, pool) in others.into_iter().chain(web) {
            handlers.push_str(&handler(fixture, name, pool)?);
        }
        let configure = |_: &Path, address: SocketAddr| {
            format!(
                "{{\n  admin off\n  auto_https off\n  servers {{\n    protocols h1 h2c\n  }}\n}}\n\
                 :{} {{\n  bind 127.0.0.1\n{handlers}}}\n",
                address.port()
            )
        };
        let server = Server::start("Caddyfile", configure, |folder| {
            let mut command = Command::new(&binary);
            command.args(["run", "--adapter", "caddyfile", "--config"]).arg(folder.join("Caddyfile"));
            command.env("HOME", folder).env("XDG_DATA_HOME", folder).env("XDG_CONFIG_HOME", folder);
            command
        })?;
        Ok(Box::new(server))
    }
}

fn binary() -> Option<PathBuf> {
    program("CADDY_BIN", "caddy")
}

fn handler(fixture: &Fixture<'_>, name: &str, pool: &Pool) -> Result<String, Refusal> {
    let mut text = String::new();
    let mut cookie = Some("srv".to_owned());
    let mut matcher = if name == "web" { String::new() } else { format!("/{name}/*") };
    let mut scheme = "http";
    for feature in &pool.features {
        match feature {
            Feature::NotSticky => cookie = None,
            Feature::Name(name) => cookie = Some(name.clone()),
            Feature::KeepAlive | Feature::KeepAliveFirst => (),
            Feature::ChosenByHeader => {
                let _ = writeln!(text, "  @{name} header x-pool {name}");
                matcher = format!("@{name}");
            }
            Feature::Tls => scheme = "https",
            Feature::Grpc => scheme = "h2c",
            Feature::NotBelow(path) => text.push_str(&handle(&format!("{path}*"), &proxy(fixture, pool, scheme, None))),
            Feature::NotFor(agent) => {
                let _ = writeln!(text, "  @agent header User-Agent {agent}");
                text.push_str(&handle("@agent", &proxy(fixture, pool, scheme, None)));
            }
            other => return Err(Refusal::unsupported(why_not(other))),
        }
    }
    for (_, member) in pool.members() {
        if member.state != State::Up {
            return Err(Refusal::unsupported("its backends have no state such as down or draining"));
        }
        if member.limit.is_some() || member.weight.is_some() || member.group.is_some() {
            return Err(Refusal::unsupported("its backends have no weights, limits or groups"));
        }
    }
    text.push_str(&handle(&matcher, &proxy(fixture, pool, scheme, cookie.as_deref())));
    Ok(text)
}

fn handle(matcher: &str, proxy: &str) -> String {
    format!("  handle {matcher} {{\n{proxy}  }}\n")
}

fn proxy(fixture: &Fixture<'_>, pool: &Pool, scheme: &str, cookie: Option<&str>) -> String {
    let addresses =
        pool.members().into_iter().map(|(name, _)| format!(" {scheme}://{}", fixture.backends.address(name)));
    let mut text = format!("    reverse_proxy{} {{\n", addresses.collect::<String>());
    if let Some(name) = cookie {
        let _ = writeln!(text, "      lb_policy cookie {name} secret");
    }
    // A refused connection is retried at another backend, and the one that refused is avoided for a while.
    text.push_str("      lb_try_duration 3s\n      fail_duration 30s\n      flush_interval -1\n");
    if scheme == "https" {
        text.push_str("      transport http {\n        tls_insecure_skip_verify\n      }\n");
    }
    text.push_str("    }\n");
    text
}

fn why_not(feature: &Feature) -> String {
    match feature {
        Feature::Turns | Feature::Balance(Balance::LeastConnections | Balance::Address) => {
            "its policy `cookie` picks a random backend for new clients"
        }
        Feature::Names => "the system resolves its names",
        Feature::RetryOn(_) => "it retries no request because of a status",
        Feature::Domain(_)
        | Feature::Path(_)
        | Feature::Lifetime(_)
        | Feature::Forever
        | Feature::Secure
        | Feature::HttpOnly
        | Feature::SameSite(_)
        | Feature::DomainFromQuery
        | Feature::SameSiteFromQuery => "the attributes of its cookie are fixed",
        Feature::Idle(_) | Feature::Life(_) | Feature::NotFromTheFuture => "its cookies hold no date",
        Feature::Follow(_) | Feature::FollowRequests(_) | Feature::FollowHeads | Feature::Inside(_) => {
            "it does not look at the application's cookies"
        }
        Feature::Header(_) => "it has no sessions in headers",
        Feature::Strip => "it does not hide cookies from backends",
        Feature::OnlyOnPost => "it has no option for methods",
        Feature::NotCached => "it has no option for caching",
        Feature::Preserve => "it has no option for a backend that sets the same cookie",
        Feature::ForcedBy(_) => "a backend that is down gets no request",
        _ => return format!("it has no option for {feature:?}"),
    }
    .to_owned()
}
