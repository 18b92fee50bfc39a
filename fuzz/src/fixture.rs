//! A load balancer, and a client with a cookie jar.
//!
//! Every request is checked when it arrives and when it is answered. The checks use the exchanges before it, and no state of the
//! load balancer.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use stickiness::balancer::{Balancer, Session};
use stickiness::config::Config;
use stickiness::exchange::{Answer, AnsweredBy as By, Request, RouteChoice};
use stickiness::outcome::Outcome;
use stickiness::time::Timestamp;
use stickiness::trust::key_ring::{NONCE_LENGTH, Nonce};
use stickiness::trust::scope::Scope;
use stickiness::wire::application_set_cookie::{Change, change};
use stickiness::wire::cookie_header::CookieHeader;

use crate::cases::{Case, GROUPS, SCOPES, Stickiness, TARGETS};
use crate::lines::check;
use crate::ring;

/// The time at which every exchange begins.
pub const NOON: Timestamp = Timestamp::from_millis(1_700_000_000_500);

/// A load balancer, and the targets that have answered.
pub struct Fixture {
    case: &'static Case,
    secret: u8,
    balancer: Balancer,
    nonces_drawn: Cell<u64>,
    answered: RefCell<Vec<(&'static str, &'static str, &'static str, Timestamp)>>,
}

/// A client that keeps the cookies it receives.
#[derive(Default)]
pub struct Client {
    jar: BTreeMap<String, String>,
}

/// A request and its answer.
pub struct Step<'a> {
    /// The target group that the route names.
    pub routed: usize,
    /// The scope that the route gives.
    pub scope: usize,
    /// The side that answers.
    pub answered_by: AnsweredBy,
    /// The time of the request and of the answer.
    pub now: Timestamp,
    /// The client sends its cookies.
    pub sends_jar: bool,
    /// Other `Cookie` lines, before and after the client's own.
    pub added: [&'a [&'a [u8]]; 2],
    /// The cookies that the target sets.
    pub application: Application<'a>,
    /// The client came over TLS.
    pub over_https: bool,
    /// The client's `User-Agent`.
    pub user_agent: &'a [u8],
}

/// The side that answers a request.
#[derive(Clone, Copy)]
pub enum AnsweredBy {
    /// This target of this target group.
    Target(usize, usize),
    /// Envoy, because there is no healthy target.
    NoHealthyTarget,
    /// Envoy.
    Envoy,
}

/// The cookies that a target sets.
#[derive(Clone, Copy)]
pub enum Application<'a> {
    /// The application's cookie.
    Set,
    /// The application's cookie, to delete it.
    Delete,
    /// Any `Set-Cookie` lines.
    Lines(&'a [&'a [u8]]),
}

impl Default for Step<'_> {
    fn default() -> Self {
        Self {
            routed: 0,
            scope: 0,
            answered_by: AnsweredBy::Target(0, 0),
            now: NOON,
            sends_jar: true,
            added: [&[], &[]],
            application: Application::Lines(&[]),
            over_https: false,
            user_agent: b"",
        }
    }
}

impl Fixture {
    /// A load balancer with this key.
    ///
    /// # Panics
    ///
    /// When the configuration is wrong.
    #[must_use]
    pub fn new(case: &'static Case, secret: u8) -> Self {
        let parsed = Config::parse(case.configuration.as_bytes()).expect("the configurations are right");
        Self {
            case,
            secret,
            balancer: Balancer::new(parsed.config, ring(&[secret])),
            nonces_drawn: Cell::default(),
            answered: RefCell::default(),
        }
    }

    /// Forgets the exchange, so that the next one can begin. A new fixture would parse its configuration again, which takes
    /// longer than the exchange.
    ///
    /// The caches of the load balancer stay. They do not change its answers.
    pub fn begin(&mut self) {
        self.answered.get_mut().clear();
        if self.case.repicks {
            *self = Self::new(self.case, self.secret);
        }
    }

    fn receive(&self, step: &Step<'_>, lines: &[&[u8]]) -> Option<Session> {
        let request = Request {
            target_group: GROUPS[step.routed],
            route: RouteChoice { scope: Some(Scope::new(SCOPES[step.scope])), ..RouteChoice::default() },
            cookies: lines.iter().copied().collect::<CookieHeader<'_>>(),
            user_agent: step.user_agent,
            forwarded_proto: b"",
            now: step.now,
        };
        self.balancer.receive(&request, &|_, _| true)
    }

    /// A session is pinned only to a target that has answered in its scope, and not for longer than the duration.
    fn check_session(&self, session: &Session, step: &Step<'_>) {
        let answered = self.answered.borrow();
        let was_given = |group: &str, target: Option<&str>| {
            answered.iter().any(|(given_scope, given_group, given_target, at)| {
                *given_group == group
                    && *given_scope == SCOPES[step.scope]
                    && target.is_none_or(|target| *given_target == target)
                    && self.case.duration.is_none_or(|duration| step.now.since(*at) < duration)
            })
        };
        if let Some(target) = session.pin() {
            assert!(
                GROUPS.iter().any(|group| was_given(group, Some(target))),
                "pinned to {target}, which never answered"
            );
            assert!(was_given(session.reroute().unwrap_or(session.counted_group()), Some(target)), "of another group");
        }
        // A rule that leaves empty groups sends new clients to another group too, when the weights pick an empty one.
        if session.reroute().is_some() && (!self.case.repicks || session.outcome() == Outcome::Pinned) {
            assert!(was_given(session.counted_group(), None), "kept in a group that never answered");
        }
    }

    fn draw_nonce(&self) -> Nonce {
        let drawn = self.nonces_drawn.get() + 1;
        self.nonces_drawn.set(drawn);
        let mut nonce = [0; NONCE_LENGTH];
        nonce[16..].copy_from_slice(&drawn.to_be_bytes());
        nonce
    }
}

impl Client {
    /// Sends a request and keeps the cookies of its answer.
    ///
    /// # Panics
    ///
    /// When a check fails.
    pub fn ask(&mut self, fixture: &Fixture, step: &Step<'_>) {
        let own = self.line();
        let mut lines = step.added[0].to_vec();
        if step.sends_jar {
            lines.push(own.as_bytes());
        }
        lines.extend(step.added[1]);
        let Some(session) = fixture.receive(step, &lines) else { return };
        fixture.check_session(&session, step);

        let set: &[&[u8]] = match &step.application {
            Application::Set => &[b"sid=1; Path=/"],
            Application::Delete => &[b"sid=; Max-Age=0"],
            Application::Lines(lines) => lines,
        };
        let by = match step.answered_by {
            AnsweredBy::Target(group, target) => {
                By::Target { target_group: GROUPS[group].into(), target: TARGETS[target].into() }
            }
            AnsweredBy::NoHealthyTarget => By::NoHealthyTarget { target_group: GROUPS[step.routed].into() },
            AnsweredBy::Envoy => By::LoadBalancer,
        };
        let answer = Answer {
            by,
            now: step.now,
            set_cookies: &|| set.iter().map(|line| line.to_vec()).collect(),
            over_https: &|| step.over_https,
        };
        let pin = session.shared_pin().cloned();
        let reply = fixture.balancer.reply(session, &answer, &mut || Some(fixture.draw_nonce()));
        let issued: Vec<&str> =
            reply.headers().filter(|(name, _)| *name == "set-cookie").map(|(_, line)| line).collect();
        let AnsweredBy::Target(group, target) = step.answered_by else {
            assert!(reply.headers().next().is_none(), "a cookie for an answer of Envoy's own");
            return;
        };
        let was_pinned = pin.is_none_or(|pin| *pin == *TARGETS[target]);
        assert!(was_pinned || reply.outcome == Outcome::Moved, "another target answered: {:?}", reply.outcome);
        check(&issued, fixture.case.stickiness);
        let is_set = self.keep(&issued, set, step.now);
        fixture.answered.borrow_mut().push((SCOPES[step.scope], GROUPS[group], TARGETS[target], step.now));
        self.check_that_it_is_kept(fixture, step, group, target, is_set);
    }

    /// A second request at once reaches the same target, whatever else is among its cookies.
    fn check_that_it_is_kept(
        &self,
        fixture: &Fixture,
        step: &Step<'_>,
        group: usize,
        target: usize,
        is_set: Option<bool>,
    ) {
        // The load balancer does not know the cookies of a client that sends none. No rule covers `web`, so the cookie of a rule
        // is not read when a request to it is answered by a group that a rule covers.
        let changes_rule = fixture.case.rule && step.routed == 2 && group < 2;
        if !step.sends_jar || changes_rule {
            return;
        }
        let follows = matches!(fixture.case.stickiness, Stickiness::AppCookie | Stickiness::ClassicAppCookie);
        let own = self.line();
        let lines: Vec<&[u8]> = step.added[0].iter().copied().chain([own.as_bytes()]).collect();
        let again = Step { routed: group, ..*step };
        let Some(session) = fixture.receive(&again, &lines) else {
            let is_sticky = fixture.case.stickiness != Stickiness::OfTargetGroupOnly || group < 2;
            assert!(!is_sticky, "a request to a sticky target group has no session");
            return;
        };
        let is_pinned = session.pin() == Some(TARGETS[target]);
        match fixture.case.stickiness {
            Stickiness::OfTargetGroupOnly => assert_eq!(session.pin(), None),
            _ if !follows => assert!(is_pinned, "{:?}: what was given does not pin: {own}", session.outcome()),
            // A line of the application may name a path or a domain that this request does not match.
            _ if is_set == Some(true) => {
                assert!(is_pinned, "{:?}: the application set its cookie, and nothing pins: {own}", session.outcome());
            }
            Stickiness::AppCookie if is_set == Some(false) => assert_eq!(session.pin(), None, "the client has left"),
            _ => {}
        }
        if fixture.case.rule && group < 2 {
            let elsewhere =
                fixture.receive(&Step { routed: 1 - group, ..*step }, &lines).expect("it is under the rule");
            assert_eq!(elsewhere.reroute(), Some(GROUPS[group]), "the client was sent to another group");
        }
    }

    fn line(&self) -> String {
        let pairs: Vec<String> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    /// Keeps our cookies and the application's. Returns whether the application's cookie was set (true) or deleted (false).
    fn keep(&mut self, issued: &[&str], set: &[&[u8]], now: Timestamp) -> Option<bool> {
        for line in issued {
            let pair = line.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("a cookie has a name");
            self.jar.insert(name.to_owned(), value.to_owned());
        }
        // A Classic Load Balancer ignores lines that end in a semicolon.
        let lines: Vec<&[u8]> = set.iter().copied().filter(|line| !line.trim_ascii_end().ends_with(b";")).collect();
        match change(&lines, "sid", now) {
            Change::Set(_) => {
                self.jar.insert("sid".to_owned(), "1".to_owned());
                Some(true)
            }
            Change::Delete(_) => {
                self.jar.remove("sid");
                Some(false)
            }
            Change::None => None,
        }
    }
}
