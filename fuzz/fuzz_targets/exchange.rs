//! Plays whole exchanges: requests and answers in turn, with foreign cookies, a clock that jumps, targets that change, routes of
//! several scopes, two load balancers with different keys, and an application that sets any cookie.
//!
//! A request is pinned only to a target that has answered in its scope. The cookies of an answer pin the next request.

#![no_main]

use std::cell::RefCell;

use arbitrary::{Arbitrary, Result, Unstructured};
use fuzzing::cases::{CASES, GROUPS, SCOPES, TARGETS};
use fuzzing::fixture::{AnsweredBy, Application, Client, Fixture, NOON, Step};
use libfuzzer_sys::{Corpus, fuzz_target};
use stickiness::time::Timestamp;

/// The `User-Agent` of a browser that AWS treats in a special way.
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
    static FIXTURES: RefCell<[[Fixture; 2]; CASES.len()]> =
        RefCell::new(CASES.each_ref().map(|case| [1, 2].map(|secret| Fixture::new(case, secret))));
}

fuzz_target!(|input: &[u8]| -> Corpus {
    match FIXTURES.with_borrow_mut(|fixtures| exchange(fixtures, &mut Unstructured::new(input))) {
        Ok(()) => Corpus::Keep,
        Err(_) => Corpus::Reject,
    }
});

fn exchange(fixtures: &mut [[Fixture; 2]], u: &mut Unstructured<'_>) -> Result<()> {
    let fixtures = &mut fixtures[u.choose_index(CASES.len())?];
    fixtures.iter_mut().for_each(Fixture::begin);
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
            scope: usize::from(flags >> 6) % SCOPES.len(),
            answered_by: match answered / 80 {
                0 | 1 => AnsweredBy::Target(group, usize::from(target) % TARGETS.len()),
                2 => AnsweredBy::NoHealthyTarget,
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
        client.ask(&fixtures[usize::from(is(5))], &step);
        steps += 1;
    }
    Ok(())
}
