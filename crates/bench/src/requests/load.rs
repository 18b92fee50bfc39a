//! Puts a proxy under load with wrk or h2load, and reads how many requests it answered.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use local_envoy::child;

use super::{Cookies, Protocol, Request};

/// Open connections over HTTP/1.1.
pub(crate) const CONNECTIONS: usize = 20;

/// Concurrent requests on each connection over HTTP/2. There are fewer connections then.
const STREAMS: usize = 5;

/// The answers that a load generator counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Answers {
    pub(crate) requests: u64,
    pub(crate) per_second: f64,
}

/// Sends a request again and again for some seconds. A response without success is an error.
pub(crate) fn put(server: SocketAddr, request: &Request, seconds: u32) -> Result<Answers> {
    let url = format!("http://{server}{}", request.path);
    let mut command = match request.protocol {
        Protocol::Http1 => wrk(&request.cookies, seconds)?,
        Protocol::Http2 => h2load(&request.cookies, seconds)?,
    };
    command.arg(&url);
    let output = child::output(&mut command, Duration::from_secs(u64::from(seconds) + 60))?;
    let text = output.stdout + &output.stderr;
    let answered = match request.protocol {
        Protocol::Http1 => of_wrk(&text),
        Protocol::Http2 => of_h2load(&text),
    };
    let describe = || format!("{} printed\n{text}", child::describe(&command));
    ensure!(output.status.success(), describe());
    answered.with_context(describe)
}

fn wrk(cookies: &Cookies, seconds: u32) -> Result<Command> {
    let mut command = Command::new("wrk");
    command.args(["--threads", "1", "--connections", &CONNECTIONS.to_string()]);
    command.args(["--duration", &seconds.to_string()]);
    match cookies {
        Cookies::None => (),
        Cookies::Same(header) => drop(command.arg("--header").arg(format!("Cookie: {header}"))),
        Cookies::Lines(file) => {
            // An absolute path, because wrk looks for a relative one among the Lua modules.
            let script = file.with_extension("lua");
            std::fs::write(&script, script_with_lines_of(file)).context("the script of wrk")?;
            command.arg("--script").arg(script);
        }
    }
    Ok(command)
}

/// A script for wrk that sends the lines of a file. It begins at a random line, so that two visits send different requests.
fn script_with_lines_of(file: &Path) -> String {
    format!(
        r#"
local cookies = {{}}
function init(arguments)
   for line in io.lines("{}") do cookies[#cookies + 1] = line end
   math.randomseed(os.time())
   at = math.random(#cookies)
end
function request()
   at = at % #cookies + 1
   return "GET " .. wrk.path .. " HTTP/1.1\r\nHost: localhost\r\nCookie: " .. cookies[at] .. "\r\n\r\n"
end
"#,
        file.display()
    )
}

fn h2load(cookies: &Cookies, seconds: u32) -> Result<Command> {
    let mut command = Command::new("h2load");
    command.args(["--threads", "1", "--clients", &(CONNECTIONS / STREAMS).to_string()]);
    command.args(["--max-concurrent-streams", &STREAMS.to_string(), "--duration", &seconds.to_string()]);
    match cookies {
        Cookies::None => (),
        Cookies::Same(header) => drop(command.arg("--header").arg(format!("cookie: {header}"))),
        Cookies::Lines(_) => bail!("h2load sends the same cookies with every request"),
    }
    Ok(command)
}

fn of_wrk(text: &str) -> Result<Answers> {
    for trouble in ["Non-2xx or 3xx responses:", "Socket errors:"] {
        if let Some(line) = text.lines().find(|line| line.trim_start().starts_with(trouble)) {
            bail!("not every response is a success: {}", line.trim());
        }
    }
    let requests = text.lines().find_map(|line| line.split_once(" requests in ")?.0.trim().parse().ok());
    let per_second = text.lines().find_map(|line| line.strip_prefix("Requests/sec:")?.trim().parse().ok());
    let (requests, per_second) = requests.zip(per_second).context("wrk does not print how many requests it sent")?;
    ensure!(requests > 0, "no request was answered");
    Ok(Answers { requests, per_second })
}

fn of_h2load(text: &str) -> Result<Answers> {
    let find = |start: &str, end: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(start))?;
        line.split(", ").find_map(|part| part.strip_suffix(end)).map(str::trim).map(str::to_owned)
    };
    let number = |start: &str, end: &str| find(start, end).and_then(|text| text.parse().ok());
    let missing = "h2load does not print how many requests it sent";
    let requests: u64 = number("status codes: ", " 2xx").context(missing)?;
    for other in [" 3xx", " 4xx", " 5xx"] {
        let count: u64 = number("status codes: ", other).context(missing)?;
        ensure!(count == 0, "not every response is a success: {count} with{other}");
    }
    let failed: u64 = number("requests: ", " failed").context(missing)?;
    ensure!(failed == 0, "{failed} requests failed");
    ensure!(requests > 0, "no request was answered");
    let per_second = find("finished in ", " req/s").and_then(|text| text.parse().ok()).context(missing)?;
    Ok(Answers { requests, per_second })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRK: &str = "Running 2s test @ http://127.0.0.1:1/\n  1 threads and 20 connections\n  Thread Stats   Avg\n\
                       \x20 40213 requests in 2.00s, 6.75MB read\nRequests/sec:  20095.11\nTransfer/sec:      3.37MB\n";

    const H2LOAD: &str = "finished in 1.00s, 20345.00 req/s, 600.38KB/s\n\
        requests: 20345 total, 20355 started, 20345 done, 20345 succeeded, 0 failed, 0 errored, 0 timeout\n\
        status codes: 20345 2xx, 0 3xx, 0 4xx, 0 5xx\n";

    #[test]
    fn the_number_of_answers_is_read_from_wrk() {
        assert_eq!(of_wrk(WRK).unwrap(), Answers { requests: 40_213, per_second: 20_095.11 });
    }

    #[test]
    fn a_response_without_success_is_an_error() {
        let text = format!("{WRK}  Non-2xx or 3xx responses: 7\n");
        assert_eq!(
            of_wrk(&text).unwrap_err().to_string(),
            "not every response is a success: Non-2xx or 3xx responses: 7"
        );
        assert!(of_h2load(&H2LOAD.replace("0 5xx", "7 5xx")).is_err());
        assert!(of_h2load(&H2LOAD.replace("0 failed", "7 failed")).is_err());
    }

    #[test]
    fn a_broken_connection_is_an_error() {
        let text = format!("{WRK}  Socket errors: connect 0, read 3, write 0, timeout 0\n");
        assert!(of_wrk(&text).is_err());
    }

    #[test]
    fn the_number_of_answers_is_read_from_h2load() {
        assert_eq!(of_h2load(H2LOAD).unwrap(), Answers { requests: 20_345, per_second: 20_345.0 });
    }

    #[test]
    fn an_empty_output_is_an_error() {
        assert!(of_wrk("").is_err());
        assert!(of_h2load("").is_err());
    }
}
