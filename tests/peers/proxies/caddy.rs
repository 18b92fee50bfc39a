//! Caddy, of Debian.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::server::{Server, printed, program};
use super::{Ground, Proxy, Refusal, Running};
use crate::scenario::Origin;
use crate::setup::{Balance, Pool, State, Wish};

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

    fn start(&self, ground: &Ground<'_>) -> Result<Box<dyn Running>, Refusal> {
        let binary = binary().ok_or_else(|| Refusal::Broken("there is no caddy".into()))?;
        let mut handlers = String::new();
        // The first that matches has the request.
        let (web, others): (Vec<_>, Vec<_>) = ground.setup.0.iter().partition(|(name, _)| *name == "web");
        for (name, pool) in others.into_iter().chain(web) {
            handlers.push_str(&handler(ground, name, pool)?);
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

fn handler(ground: &Ground<'_>, name: &str, pool: &Pool) -> Result<String, Refusal> {
    let mut text = String::new();
    let mut cookie = Some("srv".to_owned());
    let mut matcher = if name == "web" { String::new() } else { format!("/{name}/*") };
    let mut scheme = "http";
    for wish in &pool.wishes {
        match wish {
            Wish::NotSticky => cookie = None,
            Wish::Name(name) => cookie = Some(name.clone()),
            Wish::KeepAlive | Wish::KeepAliveFirst => (),
            Wish::ChosenByHeader => {
                let _ = writeln!(text, "  @{name} header x-pool {name}");
                matcher = format!("@{name}");
            }
            Wish::Tls => scheme = "https",
            Wish::Grpc => scheme = "h2c",
            Wish::NotBelow(path) => text.push_str(&handle(&format!("{path}*"), &proxy(ground, pool, scheme, None))),
            Wish::NotFor(agent) => {
                let _ = writeln!(text, "  @agent header User-Agent {agent}");
                text.push_str(&handle("@agent", &proxy(ground, pool, scheme, None)));
            }
            other => return Err(Refusal::no_words(no_words_for(other))),
        }
    }
    for (_, member) in pool.members() {
        if member.state != State::Up {
            return Err(Refusal::no_words("a backend is in its list or not: neither down nor draining"));
        }
        if member.limit.is_some() || member.weight.is_some() || member.group.is_some() {
            return Err(Refusal::no_words("all backends of its list are alike"));
        }
    }
    text.push_str(&handle(&matcher, &proxy(ground, pool, scheme, cookie.as_deref())));
    Ok(text)
}

fn handle(matcher: &str, proxy: &str) -> String {
    format!("  handle {matcher} {{\n{proxy}  }}\n")
}

fn proxy(ground: &Ground<'_>, pool: &Pool, scheme: &str, cookie: Option<&str>) -> String {
    let addresses =
        pool.members().into_iter().map(|(name, _)| format!(" {scheme}://{}", ground.backends.address(name)));
    let mut text = format!("    reverse_proxy{} {{\n", addresses.collect::<String>());
    if let Some(name) = cookie {
        let _ = writeln!(text, "      lb_policy cookie {name} secret");
    }
    // Another backend is asked, and the one that refused is left alone for a while.
    text.push_str("      lb_try_duration 3s\n      fail_duration 30s\n      flush_interval -1\n");
    if scheme == "https" {
        text.push_str("      transport http {\n        tls_insecure_skip_verify\n      }\n");
    }
    text.push_str("    }\n");
    text
}

fn no_words_for(wish: &Wish) -> String {
    match wish {
        Wish::Turns | Wish::Balance(Balance::LeastConnections | Balance::Address) => {
            "its policy `cookie` chooses by chance for new clients"
        }
        Wish::Names => "its names are looked up by the system",
        Wish::RetryOn(_) => "an answer is an answer, whatever its status",
        Wish::Domain(_)
        | Wish::Path(_)
        | Wish::Lifetime(_)
        | Wish::Forever
        | Wish::Secure
        | Wish::HttpOnly
        | Wish::SameSite(_)
        | Wish::DomainFromQuery
        | Wish::SameSiteFromQuery => "the attributes of its cookie are fixed",
        Wish::Idle(_) | Wish::Life(_) | Wish::NotFromTheFuture => "its cookies are not dated",
        Wish::Follow(_) | Wish::FollowRequests(_) | Wish::FollowHeads | Wish::Inside(_) => {
            "it does not look at the application's cookies"
        }
        Wish::Header(_) => "it gives no session in a header",
        Wish::Strip => "it hides no cookie from backends",
        Wish::OnlyOnPost => "no word for methods",
        Wish::NotCached => "no word for caches",
        Wish::Preserve => "no word for a backend that sets its cookie",
        Wish::ForcedBy(_) => "what is down gets nothing",
        _ => return format!("no word for {wish:?}"),
    }
    .to_owned()
}
