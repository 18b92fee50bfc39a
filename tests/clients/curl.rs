//! curl with its cookie jar. Every request is a process of its own, and the processes share only the file.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use stickiness::outcome::Outcome;
use tempfile::TempDir;

use harness::{Certificate, LoadBalancer, Setup, Target};

use crate::program;

/// The duration of a session in the shipped configuration, in seconds: a day.
const DURATION: u64 = 86_400;

/// curl without a `.curlrc`. It fails when the status is an error.
fn curl() -> Command {
    let mut curl = program::command("curl");
    curl.args(["--disable", "--silent", "--show-error", "--fail"]);
    curl
}

/// A cookie file of curl, in the Netscape format.
struct Jar {
    folder: TempDir,
}

/// A cookie in the file.
struct Entry {
    secure: bool,
    expires: u64,
    name: String,
}

impl Jar {
    fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("jar")
    }

    /// Runs curl, which sends the cookies and keeps those of the answer, and returns the body.
    #[track_caller]
    fn get(&self, url: &str, options: &[&str]) -> String {
        let mut curl = curl();
        curl.arg("-b").arg(self.file()).arg("-c").arg(self.file());
        program::output(curl.args(options).arg(url))
    }

    fn entries(&self) -> Vec<Entry> {
        let text = std::fs::read_to_string(self.file()).unwrap();
        let fields = text.lines().map(|line| line.split('\t').collect::<Vec<_>>()).filter(|fields| fields.len() == 7);
        let entry = |fields: Vec<&str>| Entry {
            secure: fields[3] == "TRUE",
            expires: fields[4].parse().unwrap(),
            name: fields[5].to_owned(),
        };
        fields.map(entry).collect()
    }

    /// Changes every cookie into one that expired long ago.
    fn expire(&self) {
        self.rewrite(|fields| {
            let [domain, subdomains, path, secure, _, name, value] = fields[..] else { return None };
            Some([domain, subdomains, path, secure, "1", name, value].join("\t"))
        });
    }

    /// Drops the cookie of this name.
    fn drop(&self, name: &str) {
        self.rewrite(|fields| (fields.get(5) != Some(&name)).then(|| fields.join("\t")));
    }

    /// Replaces every line, given as its fields.
    fn rewrite(&self, replace: impl Fn(&[&str]) -> Option<String>) {
        let text = std::fs::read_to_string(self.file()).unwrap();
        let lines = text.lines().filter_map(|line| replace(&line.split('\t').collect::<Vec<_>>()));
        std::fs::write(self.file(), lines.map(|line| line + "\n").collect::<String>()).unwrap();
    }
}

fn url(server: SocketAddr) -> String {
    format!("http://{server}/")
}

/// The distinct answers to ten processes with the same jar.
#[track_caller]
fn ten(jar: &Jar, url: &str, options: &[&str]) -> BTreeSet<String> {
    (0..10).map(|_| jar.get(url, options)).collect()
}

#[test]
fn ten_processes_with_one_jar_reach_one_target() {
    let lb = LoadBalancer::shipped();
    assert_eq!(ten(&Jar::empty(), &url(lb.sticky), &[]).len(), 1);
    assert_eq!(lb.counted(Outcome::Pinned), 9);
}

#[test]
fn processes_without_a_jar_are_spread() {
    let lb = LoadBalancer::shipped();
    let answers = (0..4).map(|_| program::output(curl().arg(url(lb.sticky))));
    assert_eq!(answers.collect::<BTreeSet<_>>().len(), 2);
}

#[test]
fn the_jar_holds_both_cookies_for_as_long_as_the_session_lasts() {
    let lb = LoadBalancer::shipped();
    let jar = Jar::empty();
    jar.get(&url(lb.sticky), &[]);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let entries = jar.entries();
    let names: BTreeSet<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["AWSALB", "AWSALBCORS"].into());
    for entry in entries {
        assert!((DURATION - 60..=DURATION).contains(&(entry.expires - now)), "{} {}", entry.name, entry.expires);
        assert!(!entry.secure, "{}", entry.name);
    }
}

#[test]
fn a_cookie_that_has_expired_in_the_jar_is_not_sent() {
    let lb = LoadBalancer::shipped();
    let jar = Jar::empty();
    jar.get(&url(lb.sticky), &[]);
    jar.expire();
    assert!(jar.entries().len() == 2 && jar.entries().iter().all(|entry| entry.expires == 1));
    lb.targets.iter().for_each(Target::forget);
    jar.get(&url(lb.sticky), &[]);
    let heads = lb.received();
    assert!(heads.len() == 1 && !heads[0].contains("cookie:"), "{heads:?}");
    assert_eq!(lb.counted(Outcome::NoCookie), 2);
}

#[test]
fn ten_processes_over_http_2_reach_one_target() {
    let lb = LoadBalancer::shipped();
    let options = ["--http2-prior-knowledge", "--write-out", " %{http_version}"];
    let answers: Vec<String> = ten(&Jar::empty(), &url(lb.sticky), &options).into_iter().collect();
    assert!(answers.len() == 1 && answers[0].ends_with(" 2"), "{answers:?}");
    assert_eq!(lb.counted(Outcome::Pinned), 9);
}

#[test]
fn over_tls_the_twin_alone_holds_the_session_and_is_for_tls_only() {
    let certificate = Certificate::generate();
    let lb = LoadBalancer::start(&Setup { edit: &|config| certificate.over_http2(config), ..Setup::default() });
    let jar = Jar::empty();
    let trusted = jar.folder.path().join("certificate.pem");
    std::fs::write(&trusted, certificate.pem()).unwrap();
    let options = ["--cacert", trusted.to_str().unwrap()];
    let url = format!("https://localhost:{}/", lb.sticky.port());
    let home = jar.get(&url, &options);
    for _ in 0..4 {
        jar.drop("AWSALB");
        let left = jar.entries();
        assert!(left.len() == 1 && left[0].name == "AWSALBCORS" && left[0].secure);
        assert_eq!(jar.get(&url, &options), home);
    }
    assert_eq!(lb.counted(Outcome::Pinned), 4);
}
