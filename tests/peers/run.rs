//! How is a scenario played to a proxy? In the same way to every one: only its configuration differs.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::mpsc;
use std::time::Duration;

use local_envoy::wait_until;
use serde_json::{Value, json};

use crate::backends::Backends;
use crate::client::{Answered, Jar, Message, Protocol};
use crate::expect::{Asked, Checked, check};
use crate::names::NameServer;
use crate::proxies::{Ground, Proxy, Refusal, Running};
use crate::scenario::{Equality, Options, Scenario, Send, Step};
use crate::setup::{Setup, Wish, merge};
use crate::visitor::{Client, request};

/// How many new clients are tried until one is given the backend that is wanted.
const TRIES: u32 = 40;

/// How long a request of several at once is waited for before the next one is sent: some wait in a queue.
const HEAD: Duration = Duration::from_secs(3);

/// What has come of a scenario with a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// For these variants there are no words.
    Passed {
        equality: Option<Equality>,
        without: Vec<String>,
    },
    Failed(Failure),
    NoWords(String),
    /// The proxy did not run.
    Broken(String),
}

/// What was expected, in words that are the same each time, and what was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) expected: String,
    pub(crate) seen: String,
}

/// Why a run does not go on.
pub(crate) enum Stop {
    Failed(Failure),
    Refused(Refusal),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Stop {
    pub(crate) fn failed(expected: impl Into<String>, seen: impl Into<String>) -> Self {
        Self::Failed(Failure { expected: expected.into(), seen: seen.into() })
    }
}

/// Plays every variant of a scenario.
pub(crate) fn play(scenario: &Scenario, proxy: &dyn Proxy, names: &NameServer, options: Option<&Options>) -> Outcome {
    let mut weakest: Option<Equality> = None;
    let mut without = Vec::new();
    let setups = scenario.setups();
    for setup in &setups {
        match Run::start(scenario, proxy, names, options, setup).and_then(|mut run| run.play(&scenario.steps)) {
            Ok(equality) => weakest = weakest.max(equality),
            Err(Stop::Refused(Refusal::NoWords(why))) => without.push(why),
            Err(Stop::Refused(Refusal::Broken(why))) => return Outcome::Broken(why),
            Err(Stop::Failed(failure)) => return Outcome::Failed(failure),
        }
    }
    if without.len() == setups.len() {
        return Outcome::NoWords(without.swap_remove(0));
    }
    Outcome::Passed { equality: weakest, without }
}

struct Run<'a> {
    proxy: &'a dyn Proxy,
    names: SocketAddr,
    options: Option<&'a Options>,
    backends: Backends,
    setup: Value,
    running: Option<Box<dyn Running>>,
    second: Option<Box<dyn Running>>,
    clients: BTreeMap<String, Client>,
    equality: Option<Equality>,
}

impl<'a> Run<'a> {
    fn start(
        scenario: &Scenario,
        proxy: &'a dyn Proxy,
        names: &NameServer,
        options: Option<&'a Options>,
        setup: &Value,
    ) -> Result<Self, Stop> {
        let parsed = parse(setup);
        let all = all_backends(setup, &scenario.steps);
        let backends = Backends::start(all.iter().map(String::as_str), parsed.wishes(&Wish::Tls));
        let mut run = Self {
            proxy,
            names: names.address,
            options,
            backends,
            setup: setup.clone(),
            running: None,
            second: None,
            clients: BTreeMap::new(),
            equality: None,
        };
        run.running = Some(run.start_with(&parsed)?);
        Ok(run)
    }

    fn start_with(&self, setup: &Setup) -> Result<Box<dyn Running>, Stop> {
        let running = self.proxy.start(&self.ground(setup))?;
        if setup.wishes(&Wish::Names) {
            Self::wait_for_names(running.address(), setup)?;
        }
        Ok(running)
    }

    fn ground<'g>(&'g self, setup: &'g Setup) -> Ground<'g> {
        Ground { setup, backends: &self.backends, names: self.names, options: self.options }
    }

    /// Until backends that are given by names are known by their addresses.
    fn wait_for_names(address: SocketAddr, setup: &Setup) -> Result<(), Stop> {
        let up = |pool: &crate::setup::Pool| {
            pool.members().into_iter().filter(|(_, member)| member.state == crate::setup::State::Up).count()
        };
        let count: usize = setup.0.values().map(up).sum();
        let mut seen = BTreeSet::new();
        // With a choice by address one client sees only one of them.
        let by_address = setup.wishes(&Wish::Balance(crate::setup::Balance::Address));
        let wanted = if by_address { count.min(1) } else { count };
        let request = request(address, &Send::default(), &Client::default(), Protocol::Http1);
        wait_until("names to be known", Duration::from_secs(10), || {
            seen.extend(request.send(None).ok().and_then(|answered| answered.backend()));
            seen.len() >= wanted
        })
        .map_err(|error| Stop::from(Refusal::Broken(error.to_string())))
    }

    fn address(&self, second: bool) -> SocketAddr {
        let running = if second { &self.second } else { &self.running };
        running.as_ref().unwrap().address()
    }

    /// The weakest equality that a comparison needed.
    fn play(&mut self, steps: &[Step]) -> Result<Option<Equality>, Stop> {
        for step in steps {
            match step {
                Step::Pin(clients) => {
                    for (client, backend) in clients {
                        let pinned = self.pin(backend)?;
                        self.clients.insert(client.clone(), pinned);
                    }
                }
                Step::Reload(change) => self.reload(change)?,
                Step::Second(change) => {
                    let mut setup = self.setup.clone();
                    merge(&mut setup, change);
                    self.second = Some(self.start_with(&parse(&setup))?);
                }
                Step::Switch(backends) => {
                    for (name, behaviour) in backends {
                        self.backends.switch(name, *behaviour);
                    }
                }
                Step::Wait(milliseconds) => std::thread::sleep(Duration::from_millis(*milliseconds)),
                Step::Send(send) => self.send(send)?,
            }
        }
        Ok(self.equality)
    }

    fn reload(&mut self, change: &Value) -> Result<(), Stop> {
        merge(&mut self.setup, change);
        let setup = parse(&self.setup);
        let mut running = self.running.take().unwrap();
        let reloaded = running.reload(&self.ground(&setup));
        self.running = Some(if let Some(result) = reloaded {
            result?;
            if setup.wishes(&Wish::Names) {
                Self::wait_for_names(running.address(), &setup)?;
            }
            running
        } else {
            drop(running);
            self.start_with(&setup)?
        });
        Ok(())
    }

    /// A client with a cookie that the proxy gave with an answer of this backend.
    fn pin(&self, backend: &str) -> Result<Client, Stop> {
        if let Some(pinned) = self.answered_by(backend, self.address(false), TRIES) {
            return Ok(pinned);
        }
        // With a choice by address it may never be this one's turn: as long as it is alone, it is.
        let mut alone = self.setup.clone();
        let mut change = json!({});
        for other in parse(&self.setup).backends().filter(|other| *other != backend) {
            change[other] = Value::Null;
        }
        merge(&mut alone["web"]["backends"], &change);
        let running = self.start_with(&parse(&alone))?;
        self.answered_by(backend, running.address(), 1)
            .ok_or_else(|| Stop::failed(format!("{backend} answers as the only backend"), "it does not"))
    }

    fn answered_by(&self, backend: &str, address: SocketAddr, tries: u32) -> Option<Client> {
        let protocol = if parse(&self.setup).wishes(&Wish::Grpc) { Protocol::Grpc } else { Protocol::Http1 };
        let mut send = Send::default();
        if parse(&self.setup).wishes(&Wish::ChosenByHeader) {
            send.headers.push("x-pool: web".into());
        }
        for wish in parse(&self.setup).0.values().flat_map(|pool| &pool.wishes) {
            if let Wish::Follow(name) = wish {
                send.answer.set_cookies.push(format!("{name}={{backend}}"));
            }
        }
        (0..tries).find_map(|_| {
            let mut client = Client::default();
            let answered = request(address, &send, &client, protocol).send(None).ok()?;
            client.take(&answered, &send);
            (answered.backend().as_deref() == Some(backend)).then_some(client)
        })
    }

    fn send(&mut self, send: &Send) -> Result<(), Stop> {
        let setup = parse(&self.setup);
        let protocol = match (setup.wishes(&Wish::Grpc), send.http2) {
            (true, _) => Protocol::Grpc,
            (false, true) => Protocol::Http2,
            (false, false) => Protocol::Http1,
        };
        let mut client = send.client.as_ref().and_then(|name| self.clients.get(name)).cloned().unwrap_or_default();
        if let Some(dated) = &send.dated {
            let cookie = self.proxy.dated(&self.ground(&setup), &dated.backend, dated.seconds);
            let cookie = cookie.ok_or_else(|| Refusal::NoWords("its cookies are not dated".into()))?;
            client.jar.set(&cookie);
        }
        let before = client.clone();
        let asked_before = self.backends.asked();
        let address = self.address(send.at_second);
        let answers = if send.at_once {
            self.send_at_once(&request(address, send, &client, protocol), send.times.unwrap_or(1))
        } else {
            let mut answers = Vec::new();
            for number in 0..send.times.unwrap_or(1) {
                if let Some(pause) = send.pause.filter(|_| number > 0) {
                    std::thread::sleep(Duration::from_millis(pause));
                }
                let answer = request(address, send, &client, protocol).send(None);
                if let (Ok(answered), Some(_)) = (&answer, &send.client) {
                    client.take(answered, send);
                }
                answers.push(answer);
            }
            answers
        };
        let asked_after = self.backends.asked();
        let counts = asked_after.into_iter().map(|(name, after)| (name.clone(), after - asked_before[&name])).collect();
        let probe = |jar: &Jar| {
            let client = Client::with(jar.clone());
            let bare = Send { path: send.path.clone(), headers: send.headers.clone(), ..Send::default() };
            request(address, &bare, &client, protocol).send(None).ok().and_then(|answered| answered.backend())
        };
        let other = |(name, other): (&'_ String, &'_ Client)| (name.clone(), other.jar.clone(), other.home(send));
        let others: Vec<_> = self.clients.iter().map(other).collect();
        let others = others.iter().map(|(name, jar, home)| (name.as_str(), (jar, home.as_deref()))).collect();
        let home = before.home(send);
        let asked = Asked { answers, jar: &before.jar, home: home.as_deref(), counts, others };
        let Checked { equality } = check(&send.expect, &asked, &probe)?;
        self.equality = self.equality.max(equality);
        if let Some(name) = &send.client {
            self.clients.insert(name.clone(), client);
        }
        Ok(())
    }

    /// One is sent when the one before has the head of its answer; the bodies end together.
    fn send_at_once(&self, message: &Message, times: u32) -> Vec<Result<Answered, String>> {
        self.backends.release(false);
        let answers = std::thread::scope(|scope| {
            let started: Vec<_> = (0..times)
                .map(|_| {
                    let (head, has_head) = mpsc::channel();
                    let sending = scope.spawn(move || message.send(Some(&head)));
                    let _ = has_head.recv_timeout(HEAD);
                    sending
                })
                .collect();
            self.backends.release(true);
            started.into_iter().map(|sending| sending.join().unwrap()).collect()
        });
        self.backends.release(false);
        answers
    }
}

fn parse(setup: &Value) -> Setup {
    Setup::parse(setup).unwrap_or_else(|error| panic!("{error}"))
}

/// The backends of a setup and of all that it becomes.
fn all_backends(setup: &Value, steps: &[Step]) -> BTreeSet<String> {
    let mut setup = setup.clone();
    let mut all: BTreeSet<String> = parse(&setup).backends().map(str::to_owned).collect();
    for step in steps {
        if let Step::Reload(change) | Step::Second(change) = step {
            merge(&mut setup, change);
            all.extend(parse(&setup).backends().map(str::to_owned));
        }
    }
    all
}
