//! Reads the `Set-Cookie` lines of a target, one in each line of the input. The stickiness follows the cookie `sid`.
//!
//! The result is always one of these lines, and one line does not change how another is read. A Classic Load Balancer copies only
//! AWS's twelve attributes, and nothing that ends a header.

#![no_main]

use std::cell::RefCell;

use fuzzing::cases::{CLASSIC_APPLICATION, FOLLOWS_APPLICATION};
use fuzzing::fixture::{self, Application, Client, Fixture};
use libfuzzer_sys::fuzz_target;
use stickiness::wire::application_set_cookie::{Change, change};

thread_local! {
    static FIXTURES: RefCell<[Fixture; 2]> =
        RefCell::new([&FOLLOWS_APPLICATION, &CLASSIC_APPLICATION].map(|case| Fixture::new(case, 1)));
}

fuzz_target!(|input: &[u8]| {
    let lines: Vec<&[u8]> = input.split(|&byte| byte == b'\n').collect();
    let whole = change(&lines, "sid", fixture::NOON);
    match &whole {
        Change::None => {}
        Change::Set(line) | Change::Delete(line) => {
            assert!(lines.contains(line));
            let name = line.split(|byte| *byte == b'=').next().expect("a split has a first piece");
            assert_eq!(name.trim_ascii(), b"sid", "a line of another cookie");
        }
    }
    // The last line that sets the cookie counts. Without one, the last line that deletes it counts.
    let each = lines.iter().map(|line| change(&[line], "sid", fixture::NOON)).filter(|change| *change != Change::None);
    let each: Vec<Change<'_>> = each.collect();
    let last_set = each.iter().rfind(|change| matches!(change, Change::Set(_)));
    assert_eq!(whole, last_set.or(each.last()).cloned().unwrap_or(Change::None));
    let others: Vec<&[u8]> = lines.iter().copied().chain([b"theme=dark".as_slice(), b"sid2=1; Max-Age=0"]).collect();
    assert_eq!(change(&others, "sid", fixture::NOON), whole);

    FIXTURES.with_borrow_mut(|fixtures| {
        for fixture in fixtures {
            fixture.begin();
            let mut client = Client::default();
            client.ask(fixture, &fixture::Step { application: Application::Lines(&lines), ..fixture::Step::default() });
        }
    });
});
