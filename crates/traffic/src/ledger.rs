//! Records the answers of all sessions.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use crate::answer::Answer;
use crate::{Loss, Lost, Moved, Tally};

/// The tally, and the target of each session.
#[derive(Debug)]
pub(crate) struct Ledger {
    tally: Tally,
    /// For each session, the index of its target in `names`.
    pins: Vec<Option<u16>>,
    unpinned: usize,
    names: Vec<Arc<str>>,
    /// The number of answers of each session.
    of_sessions: Vec<u32>,
    /// The number of answers on each connection and its replacements.
    of_connections: Vec<u32>,
}

/// A request that has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    pub(crate) session: usize,
    pub(crate) at: Instant,
}

impl Ledger {
    pub(crate) fn new(sessions: usize, connections: usize) -> Self {
        Self {
            tally: Tally::default(),
            pins: vec![None; sessions],
            unpinned: sessions,
            names: Vec::new(),
            of_sessions: vec![0; sessions],
            of_connections: vec![0; connections],
        }
    }

    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The number of sessions without an answer of a target.
    pub(crate) fn unpinned(&self) -> usize {
        self.unpinned
    }

    /// The target that has answered a session last.
    pub(crate) fn pin(&self, session: usize) -> Option<Arc<str>> {
        Some(Arc::clone(&self.names[usize::from(self.pins[session]?)]))
    }

    /// The number of sessions of each target.
    pub(crate) fn pins(&self) -> BTreeMap<String, usize> {
        let mut counts = vec![0; self.names.len()];
        self.pins.iter().flatten().for_each(|pin| counts[usize::from(*pin)] += 1);
        let named = self.names.iter().map(ToString::to_string).zip(counts);
        named.filter(|(_, count)| *count > 0).collect()
    }

    /// The lowest number of answers of any session.
    pub(crate) fn fewest_of_a_session(&self) -> u32 {
        self.of_sessions.iter().copied().min().unwrap_or_default()
    }

    /// The lowest number of answers on any connection.
    pub(crate) fn fewest_of_a_connection(&self) -> u32 {
        self.of_connections.iter().copied().min().unwrap_or_default()
    }

    pub(crate) fn opened(&mut self) {
        self.tally.connections += 1;
    }

    pub(crate) fn repeated(&mut self) {
        self.tally.repeated += 1;
    }

    pub(crate) fn sent(&mut self) {
        self.tally.sent += 1;
        self.tally.in_flight += 1;
    }

    pub(crate) fn answered(&mut self, sent: Sent, connection: usize, answer: &Answer) {
        let Some(target) = &answer.target else {
            return self.lost(sent, Loss::Status(answer.status));
        };
        self.of_sessions[sent.session] += 1;
        self.of_connections[connection] += 1;
        self.tally.in_flight -= 1;
        match answer.status {
            200..300 => self.tally.answered += 1,
            status => *self.tally.refused.entry(status).or_default() += 1,
        }
        let target = self.place(target);
        match self.pins[sent.session].replace(target) {
            None => self.unpinned -= 1,
            Some(before) if before != target => {
                let [from, to] = [before, target].map(|place| Arc::clone(&self.names[usize::from(place)]));
                let (session, ended) = (sent.session, Instant::now());
                self.tally.moved.push(Moved { session, from, to, sent: sent.at, ended });
            }
            Some(_) => (),
        }
    }

    pub(crate) fn lost(&mut self, sent: Sent, loss: Loss) {
        self.tally.in_flight -= 1;
        let (session, pin) = (sent.session, self.pin(sent.session));
        self.tally.lost.push(Lost { session, pin, loss, sent: sent.at, ended: Instant::now() });
    }

    fn place(&mut self, target: &str) -> u16 {
        let place = self.names.iter().position(|name| **name == *target).unwrap_or_else(|| {
            self.names.push(target.into());
            self.names.len() - 1
        });
        u16::try_from(place).expect("a test has fewer targets than ports")
    }
}
