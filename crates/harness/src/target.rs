//! A target: a small HTTP/1.1 server that answers with its name and records the requests.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, percent_encode};

use crate::{PATIENCE, wait_until};

/// The path at which a target sets these cookies. A test can put a prefix before it.
pub fn setting<L: AsRef<[u8]>>(set_cookies: &[L]) -> String {
    let lines = set_cookies.iter().map(|line| percent_encode(line.as_ref(), NON_ALPHANUMERIC).to_string());
    format!("{SET}{}", lines.collect::<Vec<_>>().join("&"))
}

const SET: &str = "/set?";

/// The path at which a target holds a request until [`Target::release`].
pub const WAIT: &str = "/wait";

/// The prefix of a path that ends with the status of the answer.
const STATUS: &str = "/status/";

/// A target. Its name is the body of its answers.
pub struct Target {
    pub address: SocketAddr,
    state: Arc<State>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    name: String,
    stopped: AtomicBool,
    unhealthy: AtomicBool,
    connections: Mutex<Vec<TcpStream>>,
    received: Mutex<Vec<String>>,
    /// True if requests for `/wait` are answered.
    released: (Mutex<bool>, Condvar),
}

impl Target {
    /// Starts a target on a free port.
    pub fn start(name: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State { name: name.to_owned(), ..State::default() });
        let mut target = Self { address, state, accepting: None };
        target.serve(listener);
        target
    }

    pub fn is_named(&self, name: &str) -> bool {
        self.state.name == name
    }

    /// Its address, as Envoy writes it.
    pub fn name_in_envoy(&self) -> String {
        self.address.to_string()
    }

    /// Stops it like a crash: it refuses new connections and closes the open ones.
    pub fn kill(&mut self) {
        self.state.stopped.store(true, Ordering::SeqCst);
        // This wakes the thread that waits for a connection.
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            accepting.join().unwrap();
        }
        for connection in self.state.connections.lock().unwrap().drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    /// Starts it again on its old port.
    pub fn revive(&mut self) {
        self.serve(TcpListener::bind(self.address).unwrap());
    }

    /// Sets the answer to health checks: 200 or 503.
    pub fn set_healthy(&self, healthy: bool) {
        self.state.unhealthy.store(!healthy, Ordering::SeqCst);
    }

    /// The heads of the received requests, without health checks.
    pub fn received(&self) -> Vec<String> {
        self.state.received.lock().unwrap().clone()
    }

    /// Forgets the requests received so far.
    pub fn forget(&self) {
        self.state.received.lock().unwrap().clear();
    }

    /// Waits until so many requests for `/wait` have come. They are not answered before [`Target::release`].
    #[track_caller]
    pub fn wait_for_waiting(&self, count: usize) {
        wait_until(&format!("{count} requests in flight"), || {
            self.received().iter().filter(|head| head.split(' ').nth(1) == Some(WAIT)).count() == count
        });
    }

    /// Answers the present and all later requests for `/wait`.
    pub fn release(&self) {
        let (released, changed) = &self.state.released;
        *released.lock().unwrap() = true;
        changed.notify_all();
    }

    fn serve(&mut self, listener: TcpListener) {
        self.state.stopped.store(false, Ordering::SeqCst);
        let state = Arc::clone(&self.state);
        self.accepting = Some(std::thread::spawn(move || {
            for connection in listener.incoming() {
                if state.stopped.load(Ordering::SeqCst) {
                    break;
                }
                let connection = connection.unwrap();
                state.connections.lock().unwrap().push(connection.try_clone().unwrap());
                let state = Arc::clone(&state);
                // A broken connection is not a failure of the target.
                std::thread::spawn(move || drop(state.answer_all(connection)));
            }
        }));
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.kill();
    }
}

impl State {
    fn answer_all(&self, connection: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(connection.try_clone()?);
        let mut writer = connection;
        while let Some(head) = read_head(&mut reader)? {
            writer.write_all(&self.answer(&head))?;
            if is_upgrade(&head) {
                return self.talk(reader, writer);
            }
        }
        Ok(())
    }

    /// Answers each line with its name and the line.
    fn talk(&self, reader: impl BufRead, mut writer: TcpStream) -> std::io::Result<()> {
        for line in reader.lines() {
            writer.write_all(format!("{} {}\n", self.name, line?).as_bytes())?;
        }
        Ok(())
    }

    fn wait_for_release(&self) {
        let (released, changed) = &self.released;
        drop(changed.wait_timeout_while(released.lock().unwrap(), PATIENCE, |released| !*released).unwrap());
    }

    fn answer(&self, head: &str) -> Vec<u8> {
        let path = head.split(' ').nth(1).unwrap_or_default();
        if path != "/healthz" {
            self.received.lock().unwrap().push(head.to_owned());
        }
        if path == WAIT {
            self.wait_for_release();
        }
        match path.split_once(SET) {
            Some((_, lines)) => self.answer_with(lines),
            None => self.answer_at(path, head).into_bytes(),
        }
    }

    fn answer_with(&self, lines: &str) -> Vec<u8> {
        let lines = lines.split('&').map(|line| percent_decode_str(line).collect::<Vec<u8>>());
        let lines = lines.map(|line| [b"set-cookie: ", line.as_slice(), b"\r\n"].concat());
        let rest = format!("content-length: {}\r\n\r\n{}", self.name.len(), self.name);
        [b"HTTP/1.1 200 OK\r\n", lines.collect::<Vec<_>>().concat().as_slice(), rest.as_bytes()].concat()
    }

    fn answer_at(&self, path: &str, head: &str) -> String {
        let length = format!("content-length: {}\r\n\r\n{}", self.name.len(), self.name);
        match path {
            "/healthz" if self.unhealthy.load(Ordering::SeqCst) => {
                "HTTP/1.1 503 Unhealthy\r\ncontent-length: 0\r\n\r\n".to_owned()
            }
            "/two-cookies" => {
                format!("HTTP/1.1 200 OK\r\nset-cookie: session=1; HttpOnly\r\nset-cookie: theme=dark\r\n{length}")
            }
            "/cached" => format!("HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\n{length}"),
            "/leak" => format!("HTTP/1.1 200 OK\r\nx-sticky-session-host: leaked\r\n{length}"),
            // This is not HTTP.
            "/garbage" => "nonsense\r\n\r\n".to_owned(),
            _ if is_upgrade(head) => {
                "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n".to_owned()
            }
            "/500" => format!("HTTP/1.1 500 Broken\r\n{length}"),
            "/redirect" => format!("HTTP/1.1 302 Found\r\nlocation: /\r\n{length}"),
            // Envoy follows a whole URL only.
            "/redirect-inside" => format!("HTTP/1.1 302 Found\r\nlocation: http://test/\r\n{length}"),
            "/not-modified" => "HTTP/1.1 304 Not Modified\r\n\r\n".to_owned(),
            _ if path.starts_with(STATUS) => {
                let length = if head.starts_with("HEAD ") { "content-length: 5\r\n\r\n" } else { &length };
                format!("HTTP/1.1 {} Status\r\n{length}", &path[STATUS.len()..])
            }
            _ if head.starts_with("HEAD ") => "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n".to_owned(),
            _ => format!("HTTP/1.1 200 OK\r\n{length}"),
        }
    }
}

fn is_upgrade(head: &str) -> bool {
    head.lines().any(|line| line.eq_ignore_ascii_case("upgrade: websocket"))
}

fn read_head(reader: &mut impl BufRead) -> std::io::Result<Option<String>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if reader.read_until(b'\n', &mut head)? == 0 {
            return Ok(None);
        }
    }
    let mut head = String::from_utf8_lossy(&head).into_owned();
    if head.lines().any(|line| line == "transfer-encoding: chunked") {
        head.push_str(&read_chunks(reader)?);
        return Ok(Some(head));
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    reader.take(length).read_to_end(&mut Vec::new())?;
    Ok(Some(head))
}

/// Skips a chunked body and returns its trailers.
fn read_chunks(reader: &mut impl BufRead) -> std::io::Result<String> {
    let mut line = String::new();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let size = u64::from_str_radix(line.trim_end(), 16).map_err(std::io::Error::other)?;
        if size == 0 {
            break;
        }
        reader.take(size + 2).read_to_end(&mut Vec::new())?;
    }
    let mut trailers = String::new();
    while reader.read_line(&mut trailers)? > 2 {}
    Ok(trailers)
}
