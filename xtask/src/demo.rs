//! `cargo xtask demo`: runs the demo without Docker.

use std::io::{self, Write};
use std::thread;
use std::time::Duration;

use anyhow::Result;
use local_demo::{Demo, Ports, Settings};
use local_envoy::{OnLine, Stream, child};

use crate::{sh, wasm};

/// Returns when a signal has ended everything, or with an error when a part has ended by itself.
pub(crate) fn run() -> Result<()> {
    let ports = Ports::from_environment()?;
    ports.check_free()?;
    let demo = Demo::start(Settings {
        envoy: local_envoy::binary()?,
        filter: wasm::build()?,
        backend: sh::demo_backend()?,
        ports,
        on_line: Some(printer()),
        ..Settings::default()
    })?;
    eprint!("{}", demo.envoy().server_log());
    say(&welcome(ports));
    while !child::ending() {
        demo.check_alive()?;
        thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

fn printer() -> OnLine {
    Box::new(|stream, line| {
        if !child::ending() {
            match stream {
                Stream::Stdout => say(line),
                Stream::Stderr => eprintln!("{line}"),
            }
        }
    })
}

fn welcome(ports: Ports) -> String {
    let [sticky, plain] = [ports.sticky, ports.plain].map(|port| format!("http://localhost:{port}"));
    format!(
        "
  {sticky}   open this: sticky sessions, the login stays
  {plain}   the same without: the login comes and goes

  curl -s -b jar -c jar {sticky}/whoami   again and again: one instance

Ctrl-C ends the demo. The requests to {sticky}:
"
    )
}

/// Prints a line. `println` would panic when the reader has closed the pipe, as in `cargo xtask demo | head`.
fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_welcome_names_both_pages() {
        let welcome = welcome(Ports::default());
        assert!(
            welcome.contains("http://localhost:10000 ") && welcome.contains("http://localhost:10001 "),
            "{welcome}"
        );
    }
}
