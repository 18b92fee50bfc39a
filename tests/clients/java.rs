//! Java's own HTTP client with a `CookieManager`, which reads `Expires` and `Secure` and ignores `SameSite`.

use std::collections::BTreeSet;

use stickiness::outcome::Outcome;
use tempfile::NamedTempFile;

use harness::{Certificate, LoadBalancer, Setup, wait_until};

use crate::program::{self, Conversation};

/// The duration of a session in the shipped configuration, in seconds.
const DURATION: u64 = 86_400;

/// A running client that requests `/`.
struct Session {
    program: Conversation,
    url: String,
}

/// An answer, and the cookies that the client holds after it.
struct Answer {
    version: String,
    target: String,
    cookies: Vec<Cookie>,
}

#[derive(Debug)]
struct Cookie {
    name: String,
    seconds_left: u64,
    secure: bool,
}

impl Session {
    /// Starts a client that prefers this version of HTTP.
    #[track_caller]
    fn start(version: &str, lb: &LoadBalancer) -> Self {
        let mut java = program::command("java");
        java.arg(program::script("java/Session.java")).arg(version);
        Self { program: Conversation::start(&mut java), url: format!("http://{}/", lb.sticky) }
    }

    /// Starts a client that uses TLS, and logs its requests on standard error.
    #[track_caller]
    fn start_over_tls(version: &str, lb: &LoadBalancer, certificate: &NamedTempFile) -> Self {
        let mut java = program::command("java");
        java.arg("-Djdk.httpclient.HttpClient.log=headers");
        java.arg(program::script("java/Session.java")).arg(version).arg(certificate.path());
        let url = format!("https://localhost:{}/", lb.sticky.port());
        Self { program: Conversation::start(&mut java), url }
    }

    #[track_caller]
    fn get(&mut self) -> Answer {
        let line = self.program.ask(&self.url);
        let mut words = line.split(' ').map(str::to_owned);
        let (version, target) = (words.next().unwrap(), words.next().unwrap());
        Answer { version, target, cookies: words.map(|word| Cookie::parse(&word)).collect() }
    }

    /// The version and the target of so many answers.
    #[track_caller]
    fn answers(&mut self, requests: usize) -> BTreeSet<(String, String)> {
        (0..requests).map(|_| self.get()).map(|answer| (answer.version, answer.target)).collect()
    }
}

impl Cookie {
    /// Reads `NAME:SECONDS`, followed by `:secure` for a cookie that is for TLS only.
    fn parse(shown: &str) -> Self {
        let parts: Vec<&str> = shown.split(':').collect();
        Self {
            name: parts[0].to_owned(),
            seconds_left: parts[1].parse().unwrap(),
            secure: parts.get(2) == Some(&"secure"),
        }
    }
}

/// A load balancer that speaks TLS, and the file with its certificate.
#[track_caller]
fn over_tls() -> (LoadBalancer, NamedTempFile) {
    let certificate = Certificate::generate();
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), certificate.pem()).unwrap();
    let edit = |config: &mut _| certificate.over_http2(config);
    (LoadBalancer::start(&Setup { edit: &edit, ..Setup::default() }), file)
}

/// The client holds both cookies until `Expires`, and knows whether the twin is for TLS only.
#[track_caller]
fn holds_both(cookies: &[Cookie], twin_is_secure: bool) {
    let held: Vec<_> = cookies.iter().map(|cookie| (cookie.name.as_str(), cookie.secure)).collect();
    assert_eq!(held, [("AWSALB", false), ("AWSALBCORS", twin_is_secure)]);
    assert!(cookies.iter().all(|cookie| (DURATION - 60..=DURATION).contains(&cookie.seconds_left)), "{cookies:?}");
}

#[test]
fn ten_requests_of_a_session_reach_one_target() {
    let lb = LoadBalancer::shipped();
    let mut session = Session::start("HTTP_1_1", &lb);
    holds_both(&session.get().cookies, false);
    assert_eq!(session.answers(9).len(), 1);
    assert_eq!(lb.counted(Outcome::Pinned), 9);
}

#[test]
fn a_session_that_asks_for_an_upgrade_to_http_2_is_served_over_http_1_and_stays() {
    let lb = LoadBalancer::shipped();
    let answers = Session::start("HTTP_2", &lb).answers(10);
    assert!(answers.len() == 1 && answers.iter().all(|(version, _)| version == "HTTP_1_1"), "{answers:?}");
    assert_eq!(lb.counted(Outcome::Pinned), 9);
    let heads = lb.received();
    assert!(!heads.iter().any(|head| head.contains("h2c")), "{heads:?}");
}

#[test]
fn over_http_2_the_session_stays_although_each_cookie_is_sent_in_a_field_of_its_own() {
    let (lb, certificate) = over_tls();
    let mut session = Session::start_over_tls("HTTP_2", &lb, &certificate);
    holds_both(&session.get().cookies, true);
    let answers = session.answers(9);
    assert!(answers.len() == 1 && answers.iter().all(|(version, _)| version == "HTTP_2"), "{answers:?}");
    assert_eq!(lb.counted(Outcome::Pinned), 9);
    let sent = |field: &str| {
        let log = session.program.errors();
        log.lines().filter(|line| line.trim_start().starts_with(field)).count()
    };
    wait_until("the log of nine requests with a field for each cookie", || {
        (sent("Cookie: AWSALB="), sent("Cookie: AWSALBCORS=")) == (9, 9)
    });
}

#[test]
fn the_session_of_a_target_that_died_moves_without_an_error_and_for_good() {
    let mut lb = LoadBalancer::shipped();
    let mut session = Session::start("HTTP_1_1", &lb);
    let home = session.get().target;
    lb.kill(&home);
    let moved = session.get().target;
    assert!(["a", "b"].contains(&moved.as_str()) && moved != home, "{moved}");
    lb.target(&home).revive();
    lb.wait_for_healthy(2);
    assert_eq!(session.answers(4), [("HTTP_1_1".to_owned(), moved)].into());
}
