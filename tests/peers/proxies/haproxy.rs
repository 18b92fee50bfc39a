//! `HAProxy`, from Debian.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use super::server::{Server, printed, program};
use super::{Fixture, Proxy, Refusal, Running};
use crate::pools::{Balance, Feature, Member, Pool, State};
use crate::scenario::Origin;

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

    fn start(&self, fixture: &Fixture<'_>) -> Result<Box<dyn Running>, Refusal> {
        let binary = binary().ok_or_else(|| Refusal::Broken("haproxy is not installed".into()))?;
        let mut frontend = String::new();
        let mut backends = String::new();
        for (name, pool) in &fixture.pools.0 {
            if pool.wants(&Feature::ChosenByHeader) {
                frontend.push_str("  use_backend %[req.hdr(x-pool)]\n");
            } else if name != "web" {
                let _ = writeln!(frontend, "  use_backend {name} if {{ path_beg /{name}/ }}");
            }
            backends.push_str(&backend(fixture, name, pool)?);
        }
        if fixture.pools.0.contains_key("web") {
            frontend.push_str("  default_backend web\n");
        }
        let configure = |_: &std::path::Path, address: SocketAddr| {
            format!(
                "defaults\n  mode http\n  timeout connect 2s\n  timeout client 30s\n  timeout server 30s\n  \
                 timeout queue 2s\n  option redispatch 1\n\
                 resolvers names\n  nameserver one {}\n  hold valid 1s\n\
                 frontend all\n  bind {address}\n{frontend}{backends}",
                fixture.name_server
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
    fn dated(&self, _: &Fixture<'_>, backend: &str, seconds_ago: i64) -> Option<String> {
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

/// Writes a section `backend`.
fn backend(fixture: &Fixture<'_>, name: &str, pool: &Pool) -> Result<String, Refusal> {
    let mut section = Section::default();
    for feature in &pool.features {
        section.feature(feature)?;
    }
    let others = pool.backends.len().saturating_sub(1).max(1);
    let retries = if section.retry_on.is_empty() { 3 } else { others };
    let mut text = format!(
        "backend {name}\n  balance {}\n  retries {retries}\n  retry-on conn-failure empty-response{}\n{}",
        section.balance, section.retry_on, section.lines
    );
    if section.sticky {
        let _ = writeln!(text, "  cookie {} {}{}", section.name, section.mode, section.parameters);
    }
    for (backend, member) in pool.members() {
        let _ = writeln!(text, "{}", server(fixture, pool, backend, member, &section));
    }
    Ok(text)
}

fn server(fixture: &Fixture<'_>, pool: &Pool, backend: &str, member: &Member, section: &Section) -> String {
    let address = fixture.backends.address(backend);
    let mut line = if pool.wants(&Feature::Names) {
        let port = address.port();
        format!("  server {backend} {backend}.test:{port} resolvers names resolve-prefer ipv4 init-addr none")
    } else {
        format!("  server {backend} {address}")
    };
    if section.sticky {
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
    line.push_str(&section.server);
    line
}

struct Section {
    balance: &'static str,
    sticky: bool,
    name: String,
    mode: &'static str,
    parameters: String,
    /// Lines of the section.
    lines: String,
    /// Parameters of each server.
    server: String,
    retry_on: String,
    /// Lines about the stick table.
    table: Option<String>,
}

impl Default for Section {
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

impl Section {
    fn feature(&mut self, feature: &Feature) -> Result<(), Refusal> {
        match feature {
            Feature::NotSticky => self.sticky = false,
            Feature::Turns | Feature::ChosenByHeader | Feature::Names | Feature::FollowHeads => (),
            // HAProxy always writes this path.
            Feature::Path(path) if path == "/" => (),
            Feature::Balance(Balance::LeastConnections) => self.balance = "leastconn",
            Feature::Balance(Balance::Address) => self.balance = "source",
            Feature::Tls => self.server.push_str(" ssl verify none"),
            Feature::Grpc => self.server.push_str(" proto h2"),
            Feature::KeepAlive | Feature::KeepAliveFirst => self.lines.push_str("  http-reuse always\n"),
            Feature::RetryOn(status) => self.retry_on = format!(" {status}"),
            Feature::Name(name) => self.name.clone_from(name),
            Feature::Domain(domain) => self.parameter(&format!("domain {domain}")),
            Feature::Lifetime(seconds) => self.parameter(&format!("attr Max-Age={seconds}")),
            Feature::Forever => self.parameter("attr Max-Age=315360000"),
            Feature::Secure => self.parameter("secure"),
            Feature::HttpOnly => self.parameter("httponly"),
            Feature::SameSite(value) => self.parameter(&format!("attr SameSite={value}")),
            Feature::Idle(seconds) => match &self.table {
                Some(rules) => {
                    self.lines = format!("  stick-table type string len 64 size 10k expire {seconds}s\n{rules}");
                }
                None => self.parameter(&format!("maxidle {seconds}")),
            },
            Feature::Life(seconds) => self.parameter(&format!("maxlife {seconds}")),
            Feature::Follow(name) => {
                self.follow(format!("  stick store-response res.cook({name})\n  stick match req.cook({name})\n"));
            }
            Feature::FollowRequests(name) => self.follow(format!("  stick on req.cook({name})\n")),
            Feature::Strip => self.parameter("indirect"),
            Feature::OnlyOnPost => self.parameter("postonly"),
            Feature::NotCached => self.parameter("nocache"),
            Feature::Preserve => self.parameter("preserve"),
            Feature::Inside(name) => {
                self.name.clone_from(name);
                self.mode = "prefix";
            }
            Feature::NotBelow(path) => {
                let _ = writeln!(self.lines, "  ignore-persist if {{ path_beg {path} }}");
            }
            Feature::NotFor(agent) => {
                let _ = writeln!(self.lines, "  ignore-persist if {{ req.hdr(user-agent) -m str {agent} }}");
            }
            Feature::ForcedBy(header) => {
                let _ = writeln!(self.lines, "  force-persist if {{ req.hdr({header}) -m found }}");
            }
            // With a limit, HAProxy dates its cookies and checks the dates.
            Feature::NotFromTheFuture => self.parameter("maxidle 86400"),
            Feature::Path(_) => return Err(Refusal::unsupported("its cookies always have `path=/`")),
            Feature::DomainFromQuery | Feature::SameSiteFromQuery => {
                return Err(Refusal::unsupported("attributes are fixed texts"));
            }
            Feature::Header(_) => return Err(Refusal::unsupported("it has no sessions in headers")),
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
