//! A load balancer and a client with a cookie jar, for exchanges that anybody may disturb.
//!
//! Every request is checked when it is received and when it is answered: against what the load balancer was asked before, not
//! against what it does.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use stickiness::balancer::{Balancer, Session};
use stickiness::config::Config;
use stickiness::exchange::{Answer, AnsweredBy as By, Request, RouteChoice};
use stickiness::outcome::Outcome;
use stickiness::time::Timestamp;
use stickiness::trust::key_ring::{NONCE_LENGTH, Nonce};
use stickiness::wire::application_set_cookie::{Change, change};
use stickiness::wire::cookie_header::CookieHeader;

use crate::lines::check;
use crate::ring;
use crate::setup::{Setup, Stickiness};

/// When every exchange begins.
pub const NOON: Timestamp = Timestamp::from_millis(1_700_000_000_500);

/// The target groups that there are.
pub const GROUPS: [&str; 3] = ["blue", "green", "web"];

/// The targets that each of them has.
pub const TARGETS: [&str; 3] = ["10.0.0.1:8080", "10.0.0.2:8080", "[2001:db8::1]:443"];

/// A load balancer, and what it has said.
pub struct Site {
    setup: &'static Setup,
    secret: u8,
    balancer: Balancer,
    nonces_drawn: Cell<u64>,
    answered: RefCell<Vec<(&'static str, &'static str, Timestamp)>>,
}

/// A client that keeps what it is given until it is given something else.
#[derive(Default)]
pub struct Client {
    jar: BTreeMap<String, String>,
}

/// A request and its answer.
pub struct Step<'a> {
    /// The target group that Envoy would send it to.
    pub routed: usize,
    /// Who answers.
    pub answered_by: AnsweredBy,
    /// When.
    pub now: Timestamp,
    /// Whether the client sends what is in its jar.
    pub sends_jar: bool,
    /// `Cookie` lines that somebody adds, before those of the jar and behind them.
    pub added: [&'a [&'a [u8]]; 2],
    /// What the target sets.
    pub application: Application<'a>,
    /// Whether the client came over TLS.
    pub over_https: bool,
    /// The client's `User-Agent`.
    pub user_agent: &'a [u8],
}

/// Who answers a request.
#[derive(Clone, Copy)]
pub enum AnsweredBy {
    /// This target of this target group.
    Target(usize, usize),
    /// Envoy, for want of a healthy target.
    EnvoyForWantOfATarget,
    /// Envoy.
    Envoy,
}

/// What a target sets.
#[derive(Clone, Copy)]
pub enum Application<'a> {
    /// Its cookie.
    Set,
    /// Its cookie, to delete it.
    Delete,
    /// Anything.
    Lines(&'a [&'a [u8]]),
}

impl Default for Step<'_> {
    fn default() -> Self {
        Self {
            routed: 0,
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

impl Site {
    /// A load balancer with this key.
    ///
    /// # Panics
    ///
    /// When the setup is wrong.
    #[must_use]
    pub fn new(setup: &'static Setup, secret: u8) -> Self {
        let parsed = Config::parse(setup.configuration.as_bytes()).expect("the setups are right");
        Self {
            setup,
            secret,
            balancer: Balancer::new(parsed.config, ring(&[secret])),
            nonces_drawn: Cell::default(),
            answered: RefCell::default(),
        }
    }

    /// Forgets the exchange, so that another one may begin: parsing its configuration takes longer than using it.
    ///
    /// The keys and the values sealed in the current second stay, which say what they always say.
    pub fn begin(&mut self) {
        self.answered.get_mut().clear();
        if self.setup.repicks {
            *self = Self::new(self.setup, self.secret);
        }
    }

    fn receive(&self, step: &Step<'_>, lines: &[&[u8]]) -> Option<Session> {
        let request = Request {
            target_group: GROUPS[step.routed],
            route: RouteChoice::default(),
            cookies: lines.iter().copied().collect::<CookieHeader<'_>>(),
            user_agent: step.user_agent,
            forwarded_proto: b"",
            now: step.now,
        };
        self.balancer.receive(&request, &|_, _| true)
    }

    /// No session is pinned to what never answered, nor for longer than the duration.
    fn check_session(&self, session: &Session, now: Timestamp) {
        let answered = self.answered.borrow();
        let was_given = |group: &str, target: Option<&str>| {
            answered.iter().any(|(given_group, given_target, at)| {
                *given_group == group
                    && target.is_none_or(|target| *given_target == target)
                    && self.setup.duration.is_none_or(|duration| now.since(*at) < duration)
            })
        };
        if let Some(target) = session.pin() {
            assert!(
                GROUPS.iter().any(|group| was_given(group, Some(target))),
                "pinned to {target}, which never answered"
            );
            assert!(was_given(session.reroute().unwrap_or(session.counted_group()), Some(target)), "of another group");
        }
        // Where the weights' pick has no healthy target, a rule that leaves empty groups sends new clients elsewhere too.
        if session.reroute().is_some() && (!self.setup.repicks || session.outcome() == Outcome::Pinned) {
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
    /// When something is not as it should be.
    pub fn ask(&mut self, site: &Site, step: &Step<'_>) {
        let own = self.line();
        let mut lines = step.added[0].to_vec();
        if step.sends_jar {
            lines.push(own.as_bytes());
        }
        lines.extend(step.added[1]);
        let Some(session) = site.receive(step, &lines) else { return };
        site.check_session(&session, step.now);

        let set: &[&[u8]] = match &step.application {
            Application::Set => &[b"sid=1; Path=/"],
            Application::Delete => &[b"sid=; Max-Age=0"],
            Application::Lines(lines) => lines,
        };
        let by = match step.answered_by {
            AnsweredBy::Target(group, target) => {
                By::Target { target_group: GROUPS[group].into(), target: TARGETS[target].into() }
            }
            AnsweredBy::EnvoyForWantOfATarget => By::NoHealthyTarget { target_group: GROUPS[step.routed].into() },
            AnsweredBy::Envoy => By::LoadBalancer,
        };
        let answer = Answer {
            by,
            now: step.now,
            set_cookies: &|| set.iter().map(|line| line.to_vec()).collect(),
            over_https: &|| step.over_https,
        };
        let pin = session.shared_pin().cloned();
        let reply = site.balancer.reply(session, &answer, &mut || Some(site.draw_nonce()));
        let issued: Vec<&str> =
            reply.headers().filter(|(name, _)| *name == "set-cookie").map(|(_, line)| line).collect();
        let AnsweredBy::Target(group, target) = step.answered_by else {
            assert!(reply.headers().next().is_none(), "a cookie for an answer of Envoy's own");
            return;
        };
        let was_pinned = pin.is_none_or(|pin| *pin == *TARGETS[target]);
        assert!(was_pinned || reply.outcome == Outcome::Moved, "another target answered: {:?}", reply.outcome);
        check(&issued, site.setup.stickiness);
        let is_set = self.keep(&issued, set, step.now);
        site.answered.borrow_mut().push((GROUPS[group], TARGETS[target], step.now));
        self.check_that_it_is_kept(site, step, group, target, is_set);
    }

    /// Who asks again at once comes back to the target, whatever anybody else adds to its cookies.
    fn check_that_it_is_kept(&self, site: &Site, step: &Step<'_>, group: usize, target: usize, is_set: Option<bool>) {
        // A client that did not send what it has may hold more cookies than the load balancer knew of, and so may one whose
        // request to `web`, which is under no rule, was answered by a target group that is under one.
        let changes_rule = site.setup.rule && step.routed == 2 && group < 2;
        if !step.sends_jar || changes_rule {
            return;
        }
        let follows = matches!(site.setup.stickiness, Stickiness::AppCookie | Stickiness::ClassicAppCookie);
        let own = self.line();
        let lines: Vec<&[u8]> = step.added[0].iter().copied().chain([own.as_bytes()]).collect();
        let again = Step { routed: group, ..*step };
        let Some(session) = site.receive(&again, &lines) else {
            let is_sticky = site.setup.stickiness != Stickiness::OfTargetGroupOnly || group < 2;
            assert!(!is_sticky, "a request to a sticky target group has no session");
            return;
        };
        let is_pinned = session.pin() == Some(TARGETS[target]);
        match site.setup.stickiness {
            Stickiness::OfTargetGroupOnly => assert_eq!(session.pin(), None),
            _ if !follows => assert!(is_pinned, "{:?}: what was given does not pin: {own}", session.outcome()),
            // A line of the application's may name a path or a domain that is none of this request.
            _ if is_set == Some(true) => {
                assert!(is_pinned, "{:?}: the application set its cookie, and nothing pins: {own}", session.outcome());
            }
            Stickiness::AppCookie if is_set == Some(false) => assert_eq!(session.pin(), None, "the client has left"),
            _ => {}
        }
        if site.setup.rule && group < 2 {
            let elsewhere = site.receive(&Step { routed: 1 - group, ..*step }, &lines).expect("it is under the rule");
            assert_eq!(elsewhere.reroute(), Some(GROUPS[group]), "the client was sent to another group");
        }
    }

    fn line(&self) -> String {
        let pairs: Vec<String> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    /// Keeps our cookies, and the application's; tells whether it was set or deleted.
    fn keep(&mut self, issued: &[&str], set: &[&[u8]], now: Timestamp) -> Option<bool> {
        for line in issued {
            let pair = line.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("a cookie has a name");
            self.jar.insert(name.to_owned(), value.to_owned());
        }
        // What a Classic Load Balancer passes over changes nothing for it.
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
