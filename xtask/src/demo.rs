//! How does the demo run without Docker?

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use local_envoy::{Child, Config, Envoy, Log, Settings, Stream, child, http, try_until, wait_until};

use crate::{sh, wasm};

/// The cluster of `envoy/envoy.yaml` that the backends stand behind.
const CLUSTER: &str = "web";

/// Far above what a loaded machine needs from one step to the next.
const LIMIT: Duration = Duration::from_secs(20);

/// Of a process that has ended by itself.
const LAST_LINES: usize = 10;

/// `cargo xtask demo`: returns when a signal has ended everything, or with an error when a part has ended by itself.
pub(crate) fn run() -> Result<()> {
    let mut config = Config::shipped()?;
    let addresses = config.addresses()?;
    for (name, address) in &addresses {
        check_free(name, *address)?;
    }
    let binary = local_envoy::binary()?;
    let filter = wasm::build()?;
    let backend = sh::build(&["--release", "--locked", "-p", "demo-backend"], "demo-backend", "")?;

    let backends = [Backend::start(&backend, "a")?, Backend::start(&backend, "b")?];
    config.wasm_file(&filter)?;
    config.endpoints(CLUSTER, &[backends[0].address()?, backends[1].address()?])?;
    let shown = Arc::new(AtomicBool::new(false));
    let envoy = Envoy::start(&binary, &config, settings(shown.clone())?)?;
    wait_until_it_works(&envoy, &backends, &addresses)?;

    say(&welcome(&addresses));
    shown.store(true, Ordering::SeqCst);
    watch(&envoy, &backends)
}

struct Backend {
    name: &'static str,
    child: Child,
    log: Log,
}

impl Backend {
    fn start(program: &Path, name: &'static str) -> Result<Self> {
        let mut command = Command::new(program);
        command.args(["--name", name, "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = Child::spawn(&mut command)?;
        let log = Log::default();
        if let Some(stdout) = child.take_stdout() {
            log.collect(Stream::Stdout, stdout, |_, _| ());
        }
        if let Some(stderr) = child.take_stderr() {
            log.collect(Stream::Stderr, stderr, |_, _| ());
        }
        Ok(Self { name, child, log })
    }

    /// Where it listens, once it says so.
    fn address(&self) -> Result<SocketAddr> {
        let mut address = None;
        try_until(&format!("backend {} to say where it listens", self.name), LIMIT, || {
            self.check_alive().map_err(|error| local_envoy::Error::new(error.to_string()))?;
            address = address_in(&self.log.text_of(Stream::Stdout));
            Ok(address.is_some())
        })?;
        address.with_context(|| format!("backend {} has no address", self.name))
    }

    fn check_alive(&self) -> Result<()> {
        if let Some(status) = self.child.ended() {
            self.log.settle();
            bail!(
                "backend {} has ended by itself ({status}); its last lines:\n{}",
                self.name,
                self.log.tail(LAST_LINES)
            );
        }
        Ok(())
    }
}

fn address_in(output: &str) -> Option<SocketAddr> {
    output.lines().find_map(|line| line.split_once(" listens on ")?.1.trim().parse().ok())
}

fn check_free(name: &str, address: SocketAddr) -> Result<()> {
    let port = address.port();
    match TcpListener::bind(address) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => bail!(
            "port {port} ({name}) is taken by another program, perhaps another demo: end that one first. `lsof -i :{port}` \
             or `ss -ltnp` names it; if Docker holds it, `docker compose down`"
        ),
        Err(error) => bail!("{address} ({name}) cannot be listened on: {error}"),
    }
}

fn settings(shown: Arc<AtomicBool>) -> Result<Settings> {
    Ok(Settings {
        // Round robin goes by worker: with one, the listener without stickiness alternates for everybody to see.
        concurrency: 1,
        // On the way to `warning` Envoy asks for production limits that nobody needs here. The filter's own warnings count.
        log_level: "error".into(),
        component_log_level: "wasm:warning".into(),
        environment: vec![("STICKY_SESSIONS_KEYS".into(), format!("demo:{}", random_secret()?))],
        on_line: Some(Box::new(move |stream, line| {
            if shown.load(Ordering::SeqCst) && !child::ending() {
                match stream {
                    Stream::Stdout => say(line),
                    Stream::Stderr => eprintln!("{line}"),
                }
            }
        })),
        limit: LIMIT,
    })
}

/// 32 bytes as base64: with a key from outside, the filter has no reason to warn about one of its own.
fn random_secret() -> Result<String> {
    let mut bytes = [0; 32];
    let source = "/dev/urandom";
    std::fs::File::open(source).and_then(|mut random| random.read_exact(&mut bytes)).context(source)?;
    Ok(data_encoding::BASE64.encode(&bytes))
}

fn wait_until_it_works(envoy: &Envoy, backends: &[Backend], addresses: &[(String, SocketAddr)]) -> Result<()> {
    let alive = || check_alive(envoy, backends).map_err(|error| local_envoy::Error::new(error.to_string()));
    try_until("both backends to be healthy", LIMIT, || {
        alive()?;
        Ok(envoy.admin().healthy_hosts(CLUSTER)? == backends.len())
    })?;
    for (name, _) in addresses.iter().filter(|(name, _)| name != "admin") {
        let address = envoy.address(name)?;
        try_until(&format!("listener {name} to answer"), LIMIT, || {
            alive()?;
            Ok(http::get(address, "/healthz").is_ok_and(|answer| answer.status == 200))
        })?;
    }
    // The lines of these requests are nobody's; a configuration without an access log has none.
    let _ = wait_until("the first line of the access log", Duration::from_secs(1), || !envoy.access_log().is_empty());
    eprint!("{}", envoy.server_log());
    Ok(())
}

fn watch(envoy: &Envoy, backends: &[Backend]) -> Result<()> {
    while !child::ending() {
        check_alive(envoy, backends)?;
        thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

fn check_alive(envoy: &Envoy, backends: &[Backend]) -> Result<()> {
    if let Some(status) = envoy.ended() {
        bail!("Envoy has ended by itself ({status}); its last lines:\n{}", envoy.log_tail(LAST_LINES).trim_end());
    }
    backends.iter().try_for_each(Backend::check_alive)
}

fn welcome(addresses: &[(String, SocketAddr)]) -> String {
    let url = |name: &str| {
        let port = addresses.iter().find(|(of, _)| of == name).map_or(0, |(_, address)| address.port());
        format!("http://localhost:{port}")
    };
    let (sticky, plain) = (url("sticky"), url("plain"));
    format!(
        "
  {sticky}   open this: sticky sessions, the login stays
  {plain}   the same without: the login comes and goes

  curl -s -b target/cookies -c target/cookies {sticky}/whoami   again and again: one instance

Ctrl-C ends the demo. The requests to {sticky}:
"
    )
}

/// As `println`, which panics when nobody reads any more (`cargo xtask demo | head`).
fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_from_the_line_of_the_backend() {
        let output = "starting\ninstance a listens on 127.0.0.1:40123\n";
        assert_eq!(address_in(output), Some(([127, 0, 0, 1], 40123).into()));
        assert_eq!(address_in("instance a listens on"), None);
    }

    #[test]
    fn a_taken_port_is_named_with_what_to_do() {
        let holder = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = holder.local_addr().unwrap();
        let error = check_free("sticky", address).unwrap_err().to_string();
        assert!(error.starts_with(&format!("port {} (sticky) is taken by another program", address.port())), "{error}");
        drop(holder);
        assert!(check_free("sticky", address).is_ok());
    }

    #[test]
    fn the_secret_is_32_bytes_of_base64_and_never_the_same() {
        let secret = random_secret().unwrap();
        assert_eq!(data_encoding::BASE64.decode(secret.as_bytes()).unwrap().len(), 32);
        assert_ne!(secret, random_secret().unwrap());
    }

    #[test]
    fn the_welcome_names_both_pages() {
        let addresses = Config::shipped().unwrap().addresses().unwrap();
        let welcome = welcome(&addresses);
        assert!(
            welcome.contains("http://localhost:10000 ") && welcome.contains("http://localhost:10001 "),
            "{welcome}"
        );
    }
}
