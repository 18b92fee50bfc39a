//! nginx with its module `sticky`, which it has since 1.29.6.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use local_envoy::{child, wait_until};

use super::server::{Server, printed};
use super::{Fixture, Proxy, Refusal, Running};
use crate::pools::{Balance, Feature, Member, Pool, State};
use crate::scenario::Origin;

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
        "not run: NGINX_BIN names no nginx from 1.29.6 on; docs/compatibility.md keeps its cells of an earlier run"
    }

    fn origin(&self) -> Option<Origin> {
        Some(Origin::Nginx)
    }

    fn start(&self, fixture: &Fixture<'_>) -> Result<Box<dyn Running>, Refusal> {
        let parts = Parts::of(fixture)?;
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

/// Only the program that the variable names: a packaged nginx may lack the module.
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

    fn reload(&mut self, fixture: &Fixture<'_>) -> Option<Result<(), Refusal>> {
        Some(self.reload_with(fixture))
    }
}

impl Started {
    /// The sessions that nginx has learned survive a reload, and would not survive a restart.
    fn reload_with(&mut self, fixture: &Fixture<'_>) -> Result<(), Refusal> {
        let broken = |error: &dyn std::fmt::Display| Refusal::Broken(format!("reload: {error}\n{}", self.server.log()));
        let folder = self.server.folder.path();
        let file = folder.join("nginx.conf");
        let text = Parts::of(fixture)?.configuration(folder, self.server.address);
        std::fs::write(&file, text).map_err(|error| broken(&error))?;
        let mut signal = Command::new(&self.binary);
        signal.arg("-p").arg(folder).arg("-c").arg(&file).args(["-e", "stderr", "-s", "reload"]);
        let output = child::output(&mut signal, Duration::from_secs(10)).map_err(|error| broken(&error))?;
        if !output.status.success() {
            return Err(broken(&output.stderr));
        }
        self.reloads += 1;
        // The old worker has ended, so that the new one gets every connection.
        wait_until("the worker of before to end", Duration::from_secs(10), || {
            self.server.log().matches("exited with code").count() >= self.reloads
        })
        .map_err(|error| broken(&error))
    }
}

/// The parts of the configuration.
#[derive(Default)]
struct Parts {
    /// Directives of `http`.
    http: String,
    /// Directives of `server`.
    server: String,
}

impl Parts {
    fn of(fixture: &Fixture<'_>) -> Result<Self, Refusal> {
        let mut parts =
            Self { http: format!("resolver {} valid=1s ipv6=off;\n", fixture.name_server), ..Self::default() };
        for (name, pool) in &fixture.pools.0 {
            parts.pool(fixture, name, pool)?;
        }
        Ok(parts)
    }

    fn pool(&mut self, fixture: &Fixture<'_>, name: &str, pool: &Pool) -> Result<(), Refusal> {
        let mut upstream = Upstream::default();
        let mut to = format!("http://{name}");
        let mut location = "proxy_buffering off; proxy_http_version 1.1; proxy_set_header Connection \"\";".to_owned();
        let mut retry = "error timeout".to_owned();
        let mut pass = "proxy_pass";
        if pool.features.iter().any(|feature| matches!(feature, Feature::NotBelow(_) | Feature::NotFor(_))) {
            self.upstream(fixture, &format!("{name}_plain"), pool, &Upstream { sticky: None, ..Upstream::default() });
        }
        for feature in &pool.features {
            match feature {
                Feature::ChosenByHeader => "http://$http_x_pool".clone_into(&mut to),
                Feature::Tls => to = format!("https://{name}"),
                Feature::Grpc => {
                    pass = "grpc_pass";
                    to = format!("grpc://{name}");
                }
                Feature::RetryOn(status) => drop(write!(retry, " http_{status}")),
                Feature::NotBelow(path) => {
                    let _ = writeln!(self.server, "location {path} {{ proxy_pass http://{name}_plain; }}");
                }
                Feature::NotFor(agent) => {
                    let _ = writeln!(
                        self.http,
                        "map $http_user_agent $choice {{ default {name}; \"{agent}\" {name}_plain; }}"
                    );
                    "http://$choice".clone_into(&mut to);
                }
                other => upstream.feature(other)?,
            }
        }
        if upstream.samesite_from_query {
            self.http.push_str("map $arg_a $samesite { default $arg_a; empty \"\"; }\n");
        }
        self.upstream(fixture, name, pool, &upstream);
        let _ = write!(location, " proxy_next_upstream {retry}; {pass} {to};");
        let place = if name == "web" { "/".to_owned() } else { format!("/{name}/") };
        let _ = writeln!(self.server, "location {place} {{ {location} }}");
        Ok(())
    }

    fn upstream(&mut self, fixture: &Fixture<'_>, name: &str, pool: &Pool, upstream: &Upstream) {
        let _ = writeln!(self.http, "upstream {name} {{\nzone {name} 1m;\n{}", upstream.first);
        for (backend, member) in pool.members() {
            let _ = writeln!(self.http, "{}", server(fixture, pool, backend, member));
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

fn server(fixture: &Fixture<'_>, pool: &Pool, backend: &str, member: &Member) -> String {
    let address = fixture.backends.address(backend);
    let mut line = if pool.wants(&Feature::Names) {
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
    if pool.features.iter().any(|feature| matches!(feature, Feature::RetryOn(_))) {
        // By default a response with 502 takes the backend out for ten seconds.
        line.push_str(" max_fails=0");
    }
    match member.state {
        State::Down => line.push_str(" down"),
        State::Draining => line.push_str(" drain"),
        // nginx refuses a weight of 0.
        State::Up if pool.weight(member) == Some(0) => line.push_str(" drain"),
        State::Up => (),
    }
    line.push(';');
    line
}

/// The directives of an upstream, without its servers.
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
    fn feature(&mut self, feature: &Feature) -> Result<(), Refusal> {
        let learning = self.sticky.as_ref().is_some_and(|sticky| sticky.starts_with("sticky learn"));
        match feature {
            Feature::NotSticky => self.sticky = None,
            Feature::Turns | Feature::Names => (),
            Feature::Balance(Balance::LeastConnections) => self.first.push_str("least_conn;\n"),
            Feature::Balance(Balance::Address) => self.first.push_str("ip_hash;\n"),
            Feature::KeepAliveFirst => self.first.push_str("keepalive 10;\n"),
            Feature::KeepAlive => self.last.push_str("keepalive 10;\n"),
            Feature::Name(name) => self.sticky = Some(format!("sticky cookie {name}")),
            Feature::Domain(domain) => self.parameter(&format!("domain={domain}")),
            Feature::Path(path) => self.parameter(&format!("path={path}")),
            Feature::Lifetime(seconds) => self.parameter(&format!("expires={seconds}s")),
            Feature::Forever => self.parameter("expires=max"),
            Feature::Secure => self.parameter("secure"),
            Feature::HttpOnly => self.parameter("httponly"),
            Feature::SameSite(value) => self.parameter(&format!("samesite={value}")),
            Feature::DomainFromQuery => self.parameter("domain=$arg_v$arg_v2"),
            Feature::SameSiteFromQuery => {
                self.samesite_from_query = true;
                self.parameter("samesite=$samesite");
            }
            Feature::Follow(name) => self.learn(name, "upstream_cookie"),
            Feature::FollowRequests(name) => self.learn(name, "cookie"),
            Feature::FollowHeads => self.parameter("header"),
            Feature::Idle(seconds) if learning => self.parameter(&format!("timeout={seconds}s")),
            other => return Err(Refusal::unsupported(why_not(other))),
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

fn why_not(feature: &Feature) -> String {
    match feature {
        Feature::Idle(_) | Feature::Life(_) | Feature::NotFromTheFuture => "its cookies hold no date",
        Feature::Header(_) => "it has no sessions in headers",
        Feature::Strip => "it does not hide cookies from backends",
        Feature::OnlyOnPost => "it has no option for methods",
        Feature::NotCached => "it has no option for caching",
        Feature::Preserve => "it has no option for a backend that sets the same cookie",
        Feature::Inside(_) => "it does not change the application's cookies",
        Feature::ForcedBy(_) => "a backend that is down gets no request",
        _ => return format!("it has no option for {feature:?}"),
    }
    .to_owned()
}
