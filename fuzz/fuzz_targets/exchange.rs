//! Whole exchanges: requests and answers one after the other, with cookies that somebody adds, a clock that jumps, targets that
//! change, two load balancers of which neither has the other's key, and an application that sets what it likes.
//!
//! Nothing is pinned that no answer gave, and what an answer gave pins the next request.

#![no_main]

use std::cell::RefCell;

use arbitrary::{Arbitrary, Result, Unstructured};
use fuzzing::setup::SETUPS;
use fuzzing::site::{AnsweredBy, Application, Client, GROUPS, NOON, Site, Step, TARGETS};
use libfuzzer_sys::{Corpus, fuzz_target};
use stickiness::time::Timestamp;

/// Where a browser that AWS treats in its own way says what it is.
const CHROME: &[u8] = b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36";

const MOST_STEPS: usize = 5;

#[derive(Arbitrary)]
struct Drawn<'a> {
    routed: u8,
    answered: u8,
    target: u8,
    /// Seconds, forwards or back.
    later: i16,
    flags: u8,
    added: [&'a [u8]; 2],
    set: &'a [u8],
}

thread_local! {
    static SITES: RefCell<[[Site; 2]; SETUPS.len()]> =
        RefCell::new(SETUPS.each_ref().map(|setup| [1, 2].map(|secret| Site::new(setup, secret))));
}

fuzz_target!(|input: &[u8]| -> Corpus {
    match SITES.with_borrow_mut(|sites| exchange(sites, &mut Unstructured::new(input))) {
        Ok(()) => Corpus::Keep,
        Err(_) => Corpus::Reject,
    }
});

fn exchange(sites: &mut [[Site; 2]], u: &mut Unstructured<'_>) -> Result<()> {
    let sites = &mut sites[u.choose_index(SETUPS.len())?];
    sites.iter_mut().for_each(Site::begin);
    let mut client = Client::default();
    let mut now = NOON.as_millis();
    let mut steps = 0;
    while !u.is_empty() && steps < MOST_STEPS {
        let Drawn { routed, answered, target, later, flags, added, set } = u.arbitrary()?;
        let is = |bit: u8| flags & (1 << bit) != 0;
        now = now.saturating_add_signed(i64::from(later) * 1000);
        let added = added.map(|lines| lines.split(|byte| *byte == b'\n').collect::<Vec<_>>());
        let set: Vec<&[u8]> = set.split(|byte| *byte == b'\n').collect();
        let group = usize::from(answered) % GROUPS.len();
        let step = Step {
            routed: usize::from(routed) % GROUPS.len(),
            answered_by: match answered / 80 {
                0 | 1 => AnsweredBy::Target(group, usize::from(target) % TARGETS.len()),
                2 => AnsweredBy::EnvoyForWantOfATarget,
                _ => AnsweredBy::Envoy,
            },
            now: Timestamp::from_millis(now),
            sends_jar: !is(0),
            added: [&added[0], &added[1]],
            application: match (is(1), is(2)) {
                (true, true) => Application::Lines(&set),
                (true, false) => Application::Delete,
                (false, _) => Application::Set,
            },
            over_https: is(3),
            user_agent: if is(4) { CHROME } else { b"" },
        };
        client.ask(&sites[usize::from(is(5))], &step);
        steps += 1;
    }
    Ok(())
}
