//! nginx with its module `sticky`, which is in it from 1.29.6 on.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use local_envoy::{child, wait_until};

use super::server::{Server, printed};
use super::{Ground, Proxy, Refusal, Running};
use crate::scenario::Origin;
use crate::setup::{Balance, Member, Pool, State, Wish};

pub(super) struct Nginx;

impl Proxy for Nginx {
    fn name(&self) -> &'static str {
        "nginx"
    }

    fn version(&self) -> Option<String> {
        let printed = printed(&binary()?, "-v")?;
        let version = printed.trim().rsplit('/').next()?.to_owned();
        let numbers: Vec<u32> = version.split('.').filter_map(|number| number.parse().ok()).collect();
        (numbers >= vec![1, 29, 6]).then(|| format!("nginx {version}"))
    }

    fn absent(&self) -> &'static str {
        "not at hand, not run: NGINX_BIN names none from 1.29.6 on; docs/compatibility.md keeps its cells of an earlier run"
    }

    fn origin(&self) -> Option<Origin> {
        Some(Origin::Nginx)
    }

    fn start(&self, ground: &Ground<'_>) -> Result<Box<dyn Running>, Refusal> {
        let parts = Parts::of(ground)?;
        let binary = binary().ok_or_else(|| Refusal::Broken("NGINX_BIN is not set".into()))?;
        let server = Server::start(
            "nginx.conf",
            |folder, address| parts.configuration(folder, address),
            |folder| {
                let mut command = Command::new(&binary);
                command.arg("-p").arg(folder).arg("-c").arg(folder.join("nginx.conf")).args(["-e", "stderr"]);
                command
            },
        )?;
        Ok(Box::new(Started { server, binary, reloads: 0 }))
    }
}

/// Only this: one from a package may lack the module, or be a service's.
fn binary() -> Option<PathBuf> {
    std::env::var_os("NGINX_BIN").filter(|named| !named.is_empty()).map(PathBuf::from)
}

struct Started {
    server: Server,
    binary: PathBuf,
    reloads: usize,
}

impl Running for Started {
    fn address(&self) -> SocketAddr {
        self.server.address
    }

    fn reload(&mut self, ground: &Ground<'_>) -> Option<Result<(), Refusal>> {
        Some(self.reload_with(ground))
    }
}

impl Started {
    /// What it has learned survives this, and would not survive another start.
    fn reload_with(&mut self, ground: &Ground<'_>) -> Result<(), Refusal> {
        let broken = |error: &dyn std::fmt::Display| Refusal::Broken(format!("reload: {error}\n{}", self.server.log()));
        let folder = self.server.folder.path();
        let file = folder.join("nginx.conf");
        let text = Parts::of(ground)?.configuration(folder, self.server.address);
        std::fs::write(&file, text).map_err(|error| broken(&error))?;
        let mut signal = Command::new(&self.binary);
        signal.arg("-p").arg(folder).arg("-c").arg(&file).args(["-e", "stderr", "-s", "reload"]);
        let output = child::output(&mut signal, Duration::from_secs(10)).map_err(|error| broken(&error))?;
        if !output.status.success() {
            return Err(broken(&output.stderr));
        }
        self.reloads += 1;
        // The worker of before is gone, so every connection is the next one's.
        wait_until("the worker of before to end", Duration::from_secs(10), || {
            self.server.log().matches("exited with code").count() >= self.reloads
        })
        .map_err(|error| broken(&error))
    }
}

/// What the configuration is put together from.
#[derive(Default)]
struct Parts {
    /// Directives of `http`.
    http: String,
    /// Directives of `server`.
    server: String,
}

impl Parts {
    fn of(ground: &Ground<'_>) -> Result<Self, Refusal> {
        let mut parts = Self { http: format!("resolver {} valid=1s ipv6=off;\n", ground.names), ..Self::default() };
        for (name, pool) in &ground.setup.0 {
            parts.pool(ground, name, pool)?;
        }
        Ok(parts)
    }

    fn pool(&mut self, ground: &Ground<'_>, name: &str, pool: &Pool) -> Result<(), Refusal> {
        let mut upstream = Upstream::default();
        let mut to = format!("http://{name}");
        let mut location = "proxy_buffering off; proxy_http_version 1.1; proxy_set_header Connection \"\";".to_owned();
        let mut retry = "error timeout".to_owned();
        let mut pass = "proxy_pass";
        if pool.wishes.iter().any(|wish| matches!(wish, Wish::NotBelow(_) | Wish::NotFor(_))) {
            self.upstream(ground, &format!("{name}_plain"), pool, &Upstream { sticky: None, ..Upstream::default() });
        }
        for wish in &pool.wishes {
            match wish {
                Wish::ChosenByHeader => "http://$http_x_pool".clone_into(&mut to),
                Wish::Tls => to = format!("https://{name}"),
                Wish::Grpc => {
                    pass = "grpc_pass";
                    to = format!("grpc://{name}");
                }
                Wish::RetryOn(status) => drop(write!(retry, " http_{status}")),
                Wish::NotBelow(path) => {
                    let _ = writeln!(self.server, "location {path} {{ proxy_pass http://{name}_plain; }}");
                }
                Wish::NotFor(agent) => {
                    let _ = writeln!(
                        self.http,
                        "map $http_user_agent $choice {{ default {name}; \"{agent}\" {name}_plain; }}"
                    );
                    "http://$choice".clone_into(&mut to);
                }
                other => upstream.wish(other)?,
            }
        }
        if upstream.samesite_from_query {
            self.http.push_str("map $arg_a $samesite { default $arg_a; empty \"\"; }\n");
        }
        self.upstream(ground, name, pool, &upstream);
        let _ = write!(location, " proxy_next_upstream {retry}; {pass} {to};");
        let place = if name == "web" { "/".to_owned() } else { format!("/{name}/") };
        let _ = writeln!(self.server, "location {place} {{ {location} }}");
        Ok(())
    }

    fn upstream(&mut self, ground: &Ground<'_>, name: &str, pool: &Pool, upstream: &Upstream) {
        let _ = writeln!(self.http, "upstream {name} {{\nzone {name} 1m;\n{}", upstream.first);
        for (backend, member) in pool.members() {
            let _ = writeln!(self.http, "{}", server(ground, pool, backend, member));
        }
        if let Some(sticky) = &upstream.sticky {
            let sticky = sticky.replace("{zone}", name);
            let _ = writeln!(self.http, "{sticky}{};", upstream.parameters);
        }
        let _ = writeln!(self.http, "{}}}", upstream.last);
    }

    fn configuration(&self, folder: &Path, address: SocketAddr) -> String {
        let folder = folder.display();
        let temp: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {folder}/{kind};\n"))
            .concat();
        format!(
            "daemon off;\nworker_processes 1;\npid {folder}/nginx.pid;\nerror_log stderr notice;\n\
             events {{ worker_connections 256; }}\nhttp {{\naccess_log off;\n{temp}{}\
             server {{\nlisten {address};\nhttp2 on;\n{}}}\n}}\n",
            self.http, self.server
        )
    }
}

fn server(ground: &Ground<'_>, pool: &Pool, backend: &str, member: &Member) -> String {
    let address = ground.backends.address(backend);
    let mut line = if pool.wishes(&Wish::Names) {
        format!("server {backend}.test:{} resolve", address.port())
    } else {
        format!("server {address}")
    };
    if let Some(weight) = pool.weight(member).filter(|weight| *weight > 0) {
        let _ = write!(line, " weight={weight}");
    }
    if let Some(limit) = member.limit {
        let _ = write!(line, " max_conns={limit}");
    }
    if pool.wishes.iter().any(|wish| matches!(wish, Wish::RetryOn(_))) {
        // Otherwise an answer of 502 takes the backend out for ten seconds.
        line.push_str(" max_fails=0");
    }
    match member.state {
        State::Down => line.push_str(" down"),
        State::Draining => line.push_str(" drain"),
        // A weight of 0 is refused.
        State::Up if pool.weight(member) == Some(0) => line.push_str(" drain"),
        State::Up => (),
    }
    line.push(';');
    line
}

/// The directives of an upstream beside its servers.
struct Upstream {
    first: String,
    /// `sticky` and its method.
    sticky: Option<String>,
    parameters: String,
    last: String,
    samesite_from_query: bool,
}

impl Default for Upstream {
    fn default() -> Self {
        Self {
            first: String::new(),
            sticky: Some("sticky cookie srv".into()),
            parameters: String::new(),
            last: String::new(),
            samesite_from_query: false,
        }
    }
}

impl Upstream {
    fn wish(&mut self, wish: &Wish) -> Result<(), Refusal> {
        let learning = self.sticky.as_ref().is_some_and(|sticky| sticky.starts_with("sticky learn"));
        match wish {
            Wish::NotSticky => self.sticky = None,
            Wish::Turns | Wish::Names => (),
            Wish::Balance(Balance::LeastConnections) => self.first.push_str("least_conn;\n"),
            Wish::Balance(Balance::Address) => self.first.push_str("ip_hash;\n"),
            Wish::KeepAliveFirst => self.first.push_str("keepalive 10;\n"),
            Wish::KeepAlive => self.last.push_str("keepalive 10;\n"),
            Wish::Name(name) => self.sticky = Some(format!("sticky cookie {name}")),
            Wish::Domain(domain) => self.parameter(&format!("domain={domain}")),
            Wish::Path(path) => self.parameter(&format!("path={path}")),
            Wish::Lifetime(seconds) => self.parameter(&format!("expires={seconds}s")),
            Wish::Forever => self.parameter("expires=max"),
            Wish::Secure => self.parameter("secure"),
            Wish::HttpOnly => self.parameter("httponly"),
            Wish::SameSite(value) => self.parameter(&format!("samesite={value}")),
            Wish::DomainFromQuery => self.parameter("domain=$arg_v$arg_v2"),
            Wish::SameSiteFromQuery => {
                self.samesite_from_query = true;
                self.parameter("samesite=$samesite");
            }
            Wish::Follow(name) => self.learn(name, "upstream_cookie"),
            Wish::FollowRequests(name) => self.learn(name, "cookie"),
            Wish::FollowHeads => self.parameter("header"),
            Wish::Idle(seconds) if learning => self.parameter(&format!("timeout={seconds}s")),
            other => return Err(Refusal::no_words(no_words_for(other))),
        }
        Ok(())
    }

    fn learn(&mut self, name: &str, source: &str) {
        self.sticky =
            Some(format!("sticky learn create=${source}_{name} lookup=$cookie_{name} zone={{zone}}_sessions:1m"));
    }

    fn parameter(&mut self, text: &str) {
        let _ = write!(self.parameters, " {text}");
    }
}

fn no_words_for(wish: &Wish) -> String {
    match wish {
        Wish::Idle(_) | Wish::Life(_) | Wish::NotFromTheFuture => "its cookies are not dated",
        Wish::Header(_) => "it gives no session in a header",
        Wish::Strip => "it hides no cookie from backends",
        Wish::OnlyOnPost => "no word for methods",
        Wish::NotCached => "no word for caches",
        Wish::Preserve => "no word for a backend that sets its cookie",
        Wish::Inside(_) => "it changes no cookie of the application",
        Wish::ForcedBy(_) => "what is down gets nothing",
        _ => return format!("no word for {wish:?}"),
    }
    .to_owned()
}
