//! `HAProxy`, of Debian.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use super::server::{Server, printed, program};
use super::{Ground, Proxy, Refusal, Running};
use crate::scenario::Origin;
use crate::setup::{Balance, Member, Pool, State, Wish};

pub(super) struct Haproxy;

impl Proxy for Haproxy {
    fn name(&self) -> &'static str {
        "HAProxy"
    }

    fn version(&self) -> Option<String> {
        let printed = printed(&binary()?, "-v")?;
        Some(format!("HAProxy {}", printed.split_whitespace().nth(2)?))
    }

    fn origin(&self) -> Option<Origin> {
        Some(Origin::Haproxy)
    }

    fn start(&self, ground: &Ground<'_>) -> Result<Box<dyn Running>, Refusal> {
        let binary = binary().ok_or_else(|| Refusal::Broken("there is no haproxy".into()))?;
        let mut frontend = String::new();
        let mut backends = String::new();
        for (name, pool) in &ground.setup.0 {
            if pool.wishes(&Wish::ChosenByHeader) {
                frontend.push_str("  use_backend %[req.hdr(x-pool)]\n");
            } else if name != "web" {
                let _ = writeln!(frontend, "  use_backend {name} if {{ path_beg /{name}/ }}");
            }
            backends.push_str(&backend(ground, name, pool)?);
        }
        if ground.setup.0.contains_key("web") {
            frontend.push_str("  default_backend web\n");
        }
        let configure = |_: &std::path::Path, address: SocketAddr| {
            format!(
                "defaults\n  mode http\n  timeout connect 2s\n  timeout client 30s\n  timeout server 30s\n  \
                 timeout queue 2s\n  option redispatch 1\n\
                 resolvers names\n  nameserver one {}\n  hold valid 1s\n\
                 frontend all\n  bind {address}\n{frontend}{backends}",
                ground.names
            )
        };
        let server = Server::start("haproxy.cfg", configure, |folder| {
            let mut command = Command::new(&binary);
            command.arg("-f").arg(folder.join("haproxy.cfg")).arg("-db");
            command
        })?;
        Ok(Box::new(server))
    }

    /// `b1|AAAAA`: the name and a date in units of four seconds, 30 bits of it in base64 (`http_ana.c` and `base64.c` of `HAProxy`).
    fn dated(&self, _: &Ground<'_>, backend: &str, seconds_ago: i64) -> Option<String> {
        const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()?;
        let date = u32::try_from((now - seconds_ago + 3) >> 2 & 0x3fff_ffff).ok()?;
        let digit = |shift: u32| char::from(DIGITS[(date >> shift & 63) as usize]);
        let date: String = [24, 18, 12, 6, 0].map(digit).into_iter().collect();
        Some(format!("srv={backend}|{date}"))
    }
}

fn binary() -> Option<PathBuf> {
    program("HAPROXY_BIN", "haproxy")
}

/// A section `backend`.
fn backend(ground: &Ground<'_>, name: &str, pool: &Pool) -> Result<String, Refusal> {
    let mut words = Words::default();
    for wish in &pool.wishes {
        words.wish(wish)?;
    }
    let others = pool.backends.len().saturating_sub(1).max(1);
    let retries = if words.retry_on.is_empty() { 3 } else { others };
    let mut text = format!(
        "backend {name}\n  balance {}\n  retries {retries}\n  retry-on conn-failure empty-response{}\n{}",
        words.balance, words.retry_on, words.lines
    );
    if words.sticky {
        let _ = writeln!(text, "  cookie {} {}{}", words.name, words.mode, words.parameters);
    }
    for (backend, member) in pool.members() {
        let _ = writeln!(text, "{}", server(ground, pool, backend, member, &words));
    }
    Ok(text)
}

fn server(ground: &Ground<'_>, pool: &Pool, backend: &str, member: &Member, words: &Words) -> String {
    let address = ground.backends.address(backend);
    let mut line = if pool.wishes(&Wish::Names) {
        let port = address.port();
        format!("  server {backend} {backend}.test:{port} resolvers names resolve-prefer ipv4 init-addr none")
    } else {
        format!("  server {backend} {address}")
    };
    if words.sticky {
        let _ = write!(line, " cookie {backend}");
    }
    let weight = if member.state == State::Draining { Some(0) } else { pool.weight(member) };
    if let Some(weight) = weight {
        let _ = write!(line, " weight {weight}");
    }
    if let Some(limit) = member.limit {
        let _ = write!(line, " maxconn {limit}");
    }
    if member.state == State::Down {
        line.push_str(" disabled");
    }
    line.push_str(&words.server);
    line
}

struct Words {
    balance: &'static str,
    sticky: bool,
    name: String,
    mode: &'static str,
    parameters: String,
    /// Of the section.
    lines: String,
    /// Of each server.
    server: String,
    retry_on: String,
    /// Of the table.
    table: Option<String>,
}

impl Default for Words {
    fn default() -> Self {
        Self {
            balance: "roundrobin",
            sticky: true,
            name: "srv".into(),
            mode: "insert",
            parameters: String::new(),
            lines: String::new(),
            server: String::new(),
            retry_on: String::new(),
            table: None,
        }
    }
}

impl Words {
    fn wish(&mut self, wish: &Wish) -> Result<(), Refusal> {
        match wish {
            Wish::NotSticky => self.sticky = false,
            Wish::Turns | Wish::ChosenByHeader | Wish::Names | Wish::FollowHeads => (),
            // It is always that.
            Wish::Path(path) if path == "/" => (),
            Wish::Balance(Balance::LeastConnections) => self.balance = "leastconn",
            Wish::Balance(Balance::Address) => self.balance = "source",
            Wish::Tls => self.server.push_str(" ssl verify none"),
            Wish::Grpc => self.server.push_str(" proto h2"),
            Wish::KeepAlive | Wish::KeepAliveFirst => self.lines.push_str("  http-reuse always\n"),
            Wish::RetryOn(status) => self.retry_on = format!(" {status}"),
            Wish::Name(name) => self.name.clone_from(name),
            Wish::Domain(domain) => self.parameter(&format!("domain {domain}")),
            Wish::Lifetime(seconds) => self.parameter(&format!("attr Max-Age={seconds}")),
            Wish::Forever => self.parameter("attr Max-Age=315360000"),
            Wish::Secure => self.parameter("secure"),
            Wish::HttpOnly => self.parameter("httponly"),
            Wish::SameSite(value) => self.parameter(&format!("attr SameSite={value}")),
            Wish::Idle(seconds) => match &self.table {
                Some(rules) => {
                    self.lines = format!("  stick-table type string len 64 size 10k expire {seconds}s\n{rules}");
                }
                None => self.parameter(&format!("maxidle {seconds}")),
            },
            Wish::Life(seconds) => self.parameter(&format!("maxlife {seconds}")),
            Wish::Follow(name) => {
                self.follow(format!("  stick store-response res.cook({name})\n  stick match req.cook({name})\n"));
            }
            Wish::FollowRequests(name) => self.follow(format!("  stick on req.cook({name})\n")),
            Wish::Strip => self.parameter("indirect"),
            Wish::OnlyOnPost => self.parameter("postonly"),
            Wish::NotCached => self.parameter("nocache"),
            Wish::Preserve => self.parameter("preserve"),
            Wish::Inside(name) => {
                self.name.clone_from(name);
                self.mode = "prefix";
            }
            Wish::NotBelow(path) => {
                let _ = writeln!(self.lines, "  ignore-persist if {{ path_beg {path} }}");
            }
            Wish::NotFor(agent) => {
                let _ = writeln!(self.lines, "  ignore-persist if {{ req.hdr(user-agent) -m str {agent} }}");
            }
            Wish::ForcedBy(header) => {
                let _ = writeln!(self.lines, "  force-persist if {{ req.hdr({header}) -m found }}");
            }
            // Cookies that are dated are judged so.
            Wish::NotFromTheFuture => self.parameter("maxidle 86400"),
            Wish::Path(_) => return Err(Refusal::no_words("its cookies have `path=/`, always")),
            Wish::DomainFromQuery | Wish::SameSiteFromQuery => {
                return Err(Refusal::no_words("attributes are fixed texts"));
            }
            Wish::Header(_) => return Err(Refusal::no_words("it gives no session in a header")),
        }
        Ok(())
    }

    fn follow(&mut self, rules: String) {
        self.sticky = false;
        self.lines = format!("  stick-table type string len 64 size 10k expire 1h\n{rules}");
        self.table = Some(rules);
    }

    fn parameter(&mut self, text: &str) {
        let _ = write!(self.parameters, " {text}");
    }
}
