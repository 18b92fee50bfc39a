//! Plays a scenario to a proxy. Every proxy gets the same requests; only its configuration differs.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::mpsc;
use std::time::Duration;

use local_envoy::wait_until;
use serde_json::{Value, json};

use crate::backends::Backends;
use crate::client::{Client, request};
use crate::exchange::{Message, Protocol, Response};
use crate::expect::{Asked, Checked, check};
use crate::jar::Jar;
use crate::name_server::NameServer;
use crate::outcome::{Outcome, Stop};
use crate::pools::{Feature, Pools, merge};
use crate::proxies::{Fixture, Proxy, Refusal, Running};
use crate::scenario::{Equality, Options, Scenario, Send, Step};

/// The most new clients that are sent until one reaches the wanted backend.
const TRIES: u32 = 40;

/// The longest wait for the head of a response before the next of several concurrent requests is sent. Some requests wait in a
/// queue.
const HEAD: Duration = Duration::from_secs(3);

/// Plays every variant of a scenario.
pub(crate) fn play(
    scenario: &Scenario,
    proxy: &dyn Proxy,
    name_server: &NameServer,
    options: Option<&Options>,
) -> Outcome {
    let mut weakest: Option<Equality> = None;
    let mut without = Vec::new();
    let all_pools = scenario.all_pools();
    for pools in &all_pools {
        match Run::start(scenario, proxy, name_server, options, pools).and_then(|mut run| run.play(&scenario.steps)) {
            Ok(equality) => weakest = weakest.max(equality),
            Err(Stop::Refused(Refusal::Unsupported(why))) => without.push(why),
            Err(Stop::Refused(Refusal::Broken(why))) => return Outcome::Broken(why),
            Err(Stop::Failed(failure)) => return Outcome::Failed(failure),
        }
    }
    if without.len() == all_pools.len() {
        return Outcome::Unsupported(without.swap_remove(0));
    }
    Outcome::Passed { equality: weakest, without }
}

struct Run<'a> {
    proxy: &'a dyn Proxy,
    name_server: SocketAddr,
    options: Option<&'a Options>,
    backends: Backends,
    pools: Value,
    running: Option<Box<dyn Running>>,
    second: Option<Box<dyn Running>>,
    clients: BTreeMap<String, Client>,
    equality: Option<Equality>,
}

impl<'a> Run<'a> {
    fn start(
        scenario: &Scenario,
        proxy: &'a dyn Proxy,
        name_server: &NameServer,
        options: Option<&'a Options>,
        pools: &Value,
    ) -> Result<Self, Stop> {
        let parsed = parse(pools);
        let all = all_backends(pools, &scenario.steps);
        let backends = Backends::start(all.iter().map(String::as_str), parsed.wants(&Feature::Tls));
        let mut run = Self {
            proxy,
            name_server: name_server.address,
            options,
            backends,
            pools: pools.clone(),
            running: None,
            second: None,
            clients: BTreeMap::new(),
            equality: None,
        };
        run.running = Some(run.start_with(&parsed)?);
        Ok(run)
    }

    fn start_with(&self, pools: &Pools) -> Result<Box<dyn Running>, Stop> {
        let running = self.proxy.start(&self.fixture(pools))?;
        if pools.wants(&Feature::Names) {
            Self::wait_for_names(running.address(), pools)?;
        }
        Ok(running)
    }

    fn fixture<'g>(&'g self, pools: &'g Pools) -> Fixture<'g> {
        Fixture { pools, backends: &self.backends, name_server: self.name_server, options: self.options }
    }

    /// Waits until the proxy has resolved the names of its backends.
    fn wait_for_names(address: SocketAddr, pools: &Pools) -> Result<(), Stop> {
        let up = |pool: &crate::pools::Pool| {
            pool.members().into_iter().filter(|(_, member)| member.state == crate::pools::State::Up).count()
        };
        let count: usize = pools.0.values().map(up).sum();
        let mut seen = BTreeSet::new();
        // Balanced by address, one client sees only one of them.
        let by_address = pools.wants(&Feature::Balance(crate::pools::Balance::Address));
        let wanted = if by_address { count.min(1) } else { count };
        let request = request(address, &Send::default(), &Client::default(), Protocol::Http1);
        wait_until("names to be known", Duration::from_secs(10), || {
            seen.extend(request.send(None).ok().and_then(|response| response.backend()));
            seen.len() >= wanted
        })
        .map_err(|error| Stop::from(Refusal::Broken(error.to_string())))
    }

    fn address(&self, second: bool) -> SocketAddr {
        let running = if second { &self.second } else { &self.running };
        running.as_ref().unwrap().address()
    }

    /// Plays the steps, and returns the weakest equality that a comparison needed.
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
                    let mut pools = self.pools.clone();
                    merge(&mut pools, change);
                    self.second = Some(self.start_with(&parse(&pools))?);
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
        merge(&mut self.pools, change);
        let pools = parse(&self.pools);
        let mut running = self.running.take().unwrap();
        let reloaded = running.reload(&self.fixture(&pools));
        self.running = Some(if let Some(result) = reloaded {
            result?;
            if pools.wants(&Feature::Names) {
                Self::wait_for_names(running.address(), &pools)?;
            }
            running
        } else {
            drop(running);
            self.start_with(&pools)?
        });
        Ok(())
    }

    /// A client whose cookie the proxy set in a response of this backend.
    fn pin(&self, backend: &str) -> Result<Client, Stop> {
        if let Some(pinned) = self.answered_by(backend, self.address(false), TRIES) {
            return Ok(pinned);
        }
        // Balanced by address, this backend may never be chosen. A proxy with this backend alone sets its cookie.
        let mut alone = self.pools.clone();
        let mut change = json!({});
        for other in parse(&self.pools).backends().filter(|other| *other != backend) {
            change[other] = Value::Null;
        }
        merge(&mut alone["web"]["backends"], &change);
        let running = self.start_with(&parse(&alone))?;
        self.answered_by(backend, running.address(), 1)
            .ok_or_else(|| Stop::failed(format!("{backend} answers as the only backend"), "it does not"))
    }

    fn answered_by(&self, backend: &str, address: SocketAddr, tries: u32) -> Option<Client> {
        let protocol = if parse(&self.pools).wants(&Feature::Grpc) { Protocol::Grpc } else { Protocol::Http1 };
        let mut send = Send::default();
        if parse(&self.pools).wants(&Feature::ChosenByHeader) {
            send.headers.push("x-pool: web".into());
        }
        for feature in parse(&self.pools).0.values().flat_map(|pool| &pool.features) {
            if let Feature::Follow(name) = feature {
                send.answer.set_cookies.push(format!("{name}={{backend}}"));
            }
        }
        (0..tries).find_map(|_| {
            let mut client = Client::default();
            let response = request(address, &send, &client, protocol).send(None).ok()?;
            client.take(&response, &send);
            (response.backend().as_deref() == Some(backend)).then_some(client)
        })
    }

    fn send(&mut self, send: &Send) -> Result<(), Stop> {
        let pools = parse(&self.pools);
        let protocol = match (pools.wants(&Feature::Grpc), send.http2) {
            (true, _) => Protocol::Grpc,
            (false, true) => Protocol::Http2,
            (false, false) => Protocol::Http1,
        };
        let mut client = send.client.as_ref().and_then(|name| self.clients.get(name)).cloned().unwrap_or_default();
        if let Some(dated) = &send.dated {
            let cookie = self.proxy.dated(&self.fixture(&pools), &dated.backend, dated.seconds);
            let cookie = cookie.ok_or_else(|| Refusal::Unsupported("its cookies hold no date".into()))?;
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
                if let (Ok(response), Some(_)) = (&answer, &send.client) {
                    client.take(response, send);
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
            request(address, &bare, &client, protocol).send(None).ok().and_then(|response| response.backend())
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

    /// Sends each request when the one before has the head of its response. The bodies end together.
    fn send_at_once(&self, message: &Message, times: u32) -> Vec<Result<Response, String>> {
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

fn parse(pools: &Value) -> Pools {
    Pools::parse(pools).unwrap_or_else(|error| panic!("{error}"))
}

/// The backends of the pools, and of all changes that steps make to them.
fn all_backends(pools: &Value, steps: &[Step]) -> BTreeSet<String> {
    let mut pools = pools.clone();
    let mut all: BTreeSet<String> = parse(&pools).backends().map(str::to_owned).collect();
    for step in steps {
        if let Step::Reload(change) | Step::Second(change) = step {
            merge(&mut pools, change);
            all.extend(parse(&pools).backends().map(str::to_owned));
        }
    }
    all
}
