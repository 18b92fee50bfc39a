//! Finds, configures and starts proxies other than Envoy.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Result, bail};
use local_envoy::{Child, child, try_until};
use tempfile::TempDir;

use crate::fixture::Fixture;

/// A proxy other than Envoy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Other {
    Haproxy,
    Caddy,
    Nginx,
}

/// A running proxy and its folder.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
    _folder: TempDir,
}

impl Other {
    pub(crate) const ALL: [Self; 3] = [Self::Haproxy, Self::Caddy, Self::Nginx];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Haproxy => "HAProxy",
            Self::Caddy => "Caddy",
            Self::Nginx => "nginx",
        }
    }

    /// The name and version, or the reason why this proxy is not measured.
    pub(crate) fn version(self) -> Result<String, String> {
        let (argument, how) = match self {
            Self::Haproxy => ("-v", "install the package haproxy, or name it in HAPROXY_BIN"),
            Self::Caddy => ("version", "install the package caddy, or name it in CADDY_BIN"),
            Self::Nginx => ("-v", "name one from 1.29.6 on in NGINX_BIN"),
        };
        let absent = |why: &str| format!("{} was not measured: {why}; {how}", self.name());
        let output = child::output(Command::new(self.program()).arg(argument), Duration::from_secs(10));
        let output = output.map_err(|error| absent(&error.to_string()))?;
        // nginx prints its version on standard error.
        let said = output.stdout + &output.stderr;
        let version = version_in(&said).ok_or_else(|| absent(&format!("its output has no version: {said:?}")))?;
        if self == Self::Nginx && !has_sticky(&version) {
            return Err(absent(&format!("version {version} has no `sticky`")));
        }
        Ok(format!("{} {version}", self.name()))
    }

    fn program(self) -> PathBuf {
        let (variable, names): (_, &[&str]) = match self {
            // Debian installs it in a folder that is often not in PATH.
            Self::Haproxy => ("HAPROXY_BIN", &["haproxy", "/usr/sbin/haproxy"]),
            Self::Caddy => ("CADDY_BIN", &["caddy"]),
            Self::Nginx => ("NGINX_BIN", &["nginx", "/usr/sbin/nginx"]),
        };
        if let Some(named) = std::env::var_os(variable).filter(|named| !named.is_empty()) {
            return named.into();
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found = std::env::split_paths(&path).flat_map(|folder| names.iter().map(move |name| folder.join(name)));
        found.into_iter().find(|file| file.is_file()).unwrap_or_else(|| names[0].into())
    }

    /// Starts the proxy with one worker and the targets of the main table.
    pub(crate) fn start(self, fixture: &Fixture, sticky: bool) -> Result<Running> {
        let folder = tempfile::Builder::new().prefix("bench-").tempdir()?;
        let [port] = local_demo::free_ports()?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let file = folder.path().join("configuration");
        std::fs::write(&file, self.configuration(address, &fixture.backend.targets(2), sticky))?;
        let mut command = self.command(folder.path(), &file);
        let log = std::fs::File::create(folder.path().join("log"))?;
        command.stdout(log.try_clone()?).stderr(log).stdin(Stdio::null());
        let child = Child::spawn(&mut command)?;
        let ready = try_until(&format!("{} to listen", self.name()), Duration::from_secs(20), || match child.ended() {
            Some(status) => Err(local_envoy::Error::new(format!("{} ended with {status}", self.name()))),
            None => Ok(std::net::TcpStream::connect(address).is_ok()),
        });
        if let Err(error) = ready {
            let log = std::fs::read_to_string(folder.path().join("log")).unwrap_or_default();
            bail!("{error}; its log:\n{log}");
        }
        Ok(Running { child, address, _folder: folder })
    }

    fn command(self, folder: &Path, file: &Path) -> Command {
        let mut command = Command::new(self.program());
        match self {
            Self::Haproxy => drop(command.arg("-db").arg("-f").arg(file)),
            Self::Caddy => {
                command.args(["run", "--adapter", "caddyfile", "--config"]).arg(file);
                command.env("HOME", folder).env("XDG_DATA_HOME", folder).env("XDG_CONFIG_HOME", folder);
                // One thread runs Go code, as the other proxies have one worker.
                command.env("GOMAXPROCS", "1");
            }
            Self::Nginx => drop(command.args(["-e", "stderr", "-p"]).arg(folder).arg("-c").arg(file)),
        }
        command
    }

    fn configuration(self, address: SocketAddr, targets: &[SocketAddr], sticky: bool) -> String {
        let lines = |line: &dyn Fn(usize, &SocketAddr) -> String| -> String {
            targets.iter().enumerate().fold(String::new(), |mut text, (number, target)| {
                let _ = writeln!(text, "{}", line(number, target));
                text
            })
        };
        match self {
            Self::Haproxy => {
                let cookie = if sticky { "  cookie SRV insert indirect nocache\n" } else { "" };
                let servers = lines(&|number, target| {
                    let cookie = if sticky { format!(" cookie s{number}") } else { String::new() };
                    format!("  server s{number} {target}{cookie}")
                });
                format!(
                    "global\n  nbthread 1\n\
                     defaults\n  mode http\n  timeout connect 2s\n  timeout client 60s\n  timeout server 60s\n\
                     frontend all\n  bind {address}\n  default_backend web\n\
                     backend web\n  balance roundrobin\n{cookie}{servers}"
                )
            }
            Self::Caddy => {
                let targets: Vec<String> = targets.iter().map(ToString::to_string).collect();
                let policy = if sticky { "cookie srv secret" } else { "round_robin" };
                format!(
                    "{{\n  admin off\n  auto_https off\n}}\n\
                     http://:{} {{\n  bind 127.0.0.1\n  reverse_proxy {} {{\n    lb_policy {policy}\n  }}\n}}\n",
                    address.port(),
                    targets.join(" ")
                )
            }
            Self::Nginx => {
                let servers = lines(&|_, target| format!("    server {target};"));
                let sticky = if sticky { "    sticky cookie srv expires=1d path=/;\n" } else { "" };
                format!(
                    "daemon off;\nmaster_process off;\nworker_processes 1;\npid nginx.pid;\nerror_log stderr;\n\
                     events {{ worker_connections 1024; }}\n\
                     http {{\n  access_log off;\n  keepalive_requests 1000000000;\n  \
                     client_body_temp_path t1;\n  proxy_temp_path t2;\n  fastcgi_temp_path t3;\n  uwsgi_temp_path t4;\n  \
                     scgi_temp_path t5;\n  \
                     upstream web {{\n{servers}{sticky}    keepalive 64;\n    keepalive_requests 1000000000;\n  }}\n  \
                     server {{\n    listen {address};\n    location / {{\n      proxy_pass http://web;\n      \
                     proxy_http_version 1.1;\n      proxy_set_header Connection \"\";\n    }}\n  }}\n}}\n"
                )
            }
        }
    }
}

/// The first version number in a text such as `nginx/1.31.4` or `v2.6.2`, without the part after a dash.
fn version_in(text: &str) -> Option<String> {
    let words = text.split_whitespace().map(|word| word.rsplit('/').next().unwrap_or(word).trim_start_matches('v'));
    let mut versions = words.filter(|word| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.'));
    Some(versions.next()?.split('-').next()?.to_owned())
}

/// The open-source nginx has `sticky` since 1.29.6.
fn has_sticky(version: &str) -> bool {
    let numbers: Vec<u32> = version.split('.').filter_map(|number| number.parse().ok()).collect();
    numbers >= vec![1, 29, 6]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_each_proxy_is_found() {
        for (said, version) in [
            ("HAProxy version 2.6.12-1+deb12u4 2026/10/17 - https://haproxy.org/", "2.6.12"),
            ("2.6.2\n", "2.6.2"),
            ("v2.10.0 h1:abc=", "2.10.0"),
            ("nginx version: nginx/1.31.4\n", "1.31.4"),
        ] {
            assert_eq!(version_in(said).as_deref(), Some(version));
        }
        assert_eq!(version_in("usage: none"), None);
    }

    #[test]
    fn an_old_nginx_has_no_sticky() {
        assert!(!has_sticky("1.22.1"));
        assert!(has_sticky("1.29.6") && has_sticky("1.31.4"));
    }

    #[test]
    fn the_configurations_differ_only_in_stickiness() {
        let address = SocketAddr::from(([127, 0, 0, 1], 80));
        for other in Other::ALL {
            let [sticky, plain] = [true, false].map(|sticky| other.configuration(address, &[address], sticky));
            assert_ne!(sticky, plain);
            assert!(sticky.contains("cookie") && !plain.contains("cookie"), "{plain}");
        }
    }
}
