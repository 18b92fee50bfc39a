//! A fixture for unit tests: a load balancer, and clients whose requests go through all of it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use crate::balancer::{Balancer, Reply, Session};
use crate::config::Config;
use crate::exchange::{Answer, AnsweredBy, Request, RouteChoice};
use crate::outcome::Outcome;
use crate::time::Timestamp;
use crate::trust::key_text::parse_ring;
use crate::wire::cookie_header::CookieHeader;

pub(crate) const KEYS: &str = "a:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
pub(crate) const OTHER_KEYS: &str = "b://////////////////////////////////////////8=";
pub(crate) const NOON: Timestamp = Timestamp::from_millis(1_700_000_000_500);
pub(crate) const CHROME: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36";

/// The time so many seconds after noon.
pub(crate) fn after(seconds: u64) -> Timestamp {
    Timestamp::from_millis(NOON.as_millis() + seconds * 1000)
}

/// A load balancer.
pub(crate) struct Fixture {
    pub(crate) balancer: Balancer,
    nonces_drawn: Cell<u8>,
    /// The target groups without a healthy target.
    pub(crate) empty: RefCell<Vec<&'static str>>,
    /// The target groups that were asked for one, with the path.
    pub(crate) asked: RefCell<Vec<String>>,
}

/// A client with a cookie jar. It keeps each cookie until it is given another of the name.
#[derive(Clone, Default)]
pub(crate) struct Client {
    pub(crate) jar: BTreeMap<String, String>,
    pub(crate) user_agent: &'static str,
    pub(crate) forwarded_proto: &'static str,
    pub(crate) route: RouteChoice,
}

/// The answer of a target.
#[derive(Clone, Copy)]
pub(crate) struct TargetAnswer<'a> {
    pub(crate) target_group: &'a str,
    pub(crate) target: &'a str,
    pub(crate) set_cookies: &'a [&'a str],
    pub(crate) over_https: bool,
    pub(crate) at: Timestamp,
}

pub(crate) const WEB_A: TargetAnswer<'static> =
    TargetAnswer { target_group: "web", target: "10.0.0.1:80", set_cookies: &[], over_https: false, at: NOON };

/// The request and the answer as the client saw them.
#[derive(Debug)]
pub(crate) struct Seen {
    /// The target that the request was pinned to.
    pub(crate) pin: Option<String>,
    pub(crate) reroute: Option<String>,
    pub(crate) outcome: Outcome,
    /// The `Set-Cookie` lines.
    pub(crate) lines: Vec<String>,
}

impl Fixture {
    pub(crate) fn new(config: &str) -> Self {
        Self::with_keys(config, KEYS)
    }

    pub(crate) fn with_keys(config: &str, keys: &str) -> Self {
        let parsed = Config::parse(config.as_bytes()).unwrap_or_else(|error| panic!("{config}\n{error}"));
        Self {
            balancer: Balancer::new(parsed.config, parse_ring(keys).unwrap()),
            nonces_drawn: Cell::new(0),
            empty: RefCell::default(),
            asked: RefCell::default(),
        }
    }

    /// The session of a request with this `Cookie` line.
    pub(crate) fn receive(&self, target_group: &str, cookies: &str, now: Timestamp) -> Option<Session> {
        let request = Request {
            target_group,
            route: RouteChoice::default(),
            cookies: CookieHeader::from_iter([cookies.as_bytes()]),
            user_agent: b"",
            forwarded_proto: b"",
            now,
        };
        self.balancer.receive(&request, &|target_group, path| self.has_healthy_target(target_group, path))
    }

    fn has_healthy_target(&self, target_group: &str, path: &str) -> bool {
        self.asked.borrow_mut().push(format!("{target_group}{path}"));
        !self.empty.borrow().contains(&target_group)
    }

    /// The reply to a session that this target answers.
    pub(crate) fn reply(&self, session: Session, by: TargetAnswer<'_>) -> Reply {
        let set_cookies = || by.set_cookies.iter().map(|line| line.as_bytes().to_vec()).collect();
        let TargetAnswer { target_group, target, at: now, .. } = by;
        let by_target = AnsweredBy::Target { target_group: target_group.into(), target: target.into() };
        let answer = Answer { by: by_target, now, set_cookies: &set_cookies, over_https: &|| by.over_https };
        self.balancer.reply(session, &answer, &mut || {
            self.nonces_drawn.set(self.nonces_drawn.get().wrapping_add(1));
            Some([self.nonces_drawn.get(); 24])
        })
    }
}

/// A request whose cookies are given in another way.
pub(crate) fn request_without_cookies() -> Request<'static> {
    Request {
        target_group: "web",
        route: RouteChoice::default(),
        cookies: CookieHeader::default(),
        user_agent: b"",
        forwarded_proto: b"",
        now: NOON,
    }
}

/// An answer that no target gave, or one whose cookies do not matter.
pub(crate) fn answer_by(by: AnsweredBy<'_>, now: Timestamp) -> Answer<'_> {
    Answer { by, now, set_cookies: &Vec::new, over_https: &|| false }
}

impl Client {
    /// Sends a request to `routed`, which the target of `by` answers; keeps the cookies.
    pub(crate) fn ask_routed(&mut self, fixture: &Fixture, routed: &str, by: TargetAnswer<'_>) -> Option<Seen> {
        let cookies = self.cookies();
        let request = Request {
            target_group: routed,
            route: self.route.clone(),
            cookies: CookieHeader::from_iter([cookies.as_bytes()]),
            user_agent: self.user_agent.as_bytes(),
            forwarded_proto: self.forwarded_proto.as_bytes(),
            now: by.at,
        };
        let ask = |target_group: &str, path: &str| fixture.has_healthy_target(target_group, path);
        let session = fixture.balancer.receive(&request, &ask)?;
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let (pin, reroute) = (owned(session.pin()), owned(session.reroute()));
        let reply = fixture.reply(session, by);
        let lines: Vec<String> =
            reply.headers().filter(|(name, _)| *name == "set-cookie").map(|(_, line)| line.to_string()).collect();
        for line in lines.iter().map(String::as_str).chain(by.set_cookies.iter().copied()) {
            let cookie = cookie::Cookie::parse(line).unwrap();
            self.jar.insert(cookie.name().to_owned(), cookie.value().to_owned());
        }
        Some(Seen { pin, reroute, outcome: reply.outcome, lines })
    }

    /// Sends a request to the target group that answers it.
    pub(crate) fn ask(&mut self, fixture: &Fixture, by: TargetAnswer<'_>) -> Seen {
        self.ask_routed(fixture, by.target_group, by).unwrap()
    }

    /// Its `Cookie` line.
    pub(crate) fn cookies(&self) -> String {
        let pairs: Vec<String> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }
}

/// The value of a line's cookie.
pub(crate) fn value(line: &str) -> &str {
    line.split(';').next().and_then(|pair| pair.split_once('=')).unwrap().1
}

/// The part of a line after the value.
pub(crate) fn attributes(line: &str) -> &str {
    line.split_once(';').map_or("", |(_, attributes)| attributes)
}
