//! What a target sets: `Set-Cookie` lines, one in each line of the input, whose cookie `sid` the stickiness follows.
//!
//! Whatever they are, the change is one of these lines, each line judges itself, and what a Classic Load Balancer copies are
//! AWS's twelve attributes and nothing that would end a header.

#![no_main]

use std::cell::RefCell;

use fuzzing::setup::{CLASSIC_APPLICATION, FOLLOWS_APPLICATION};
use fuzzing::site::{self, Application, Client, Site};
use libfuzzer_sys::fuzz_target;
use stickiness::wire::application_set_cookie::{Change, change};

thread_local! {
    static SITES: RefCell<[Site; 2]> =
        RefCell::new([&FOLLOWS_APPLICATION, &CLASSIC_APPLICATION].map(|setup| Site::new(setup, 1)));
}

fuzz_target!(|input: &[u8]| {
    let lines: Vec<&[u8]> = input.split(|&byte| byte == b'\n').collect();
    let whole = change(&lines, "sid", site::NOON);
    match &whole {
        Change::None => {}
        Change::Set(line) | Change::Delete(line) => {
            assert!(lines.contains(line));
            let name = line.split(|byte| *byte == b'=').next().expect("a split has a first piece");
            assert_eq!(name.trim_ascii(), b"sid", "a line of another cookie");
        }
    }
    // The last line that sets counts, otherwise the last that deletes, whatever stands between.
    let each = lines.iter().map(|line| change(&[line], "sid", site::NOON)).filter(|change| *change != Change::None);
    let each: Vec<Change<'_>> = each.collect();
    let last_set = each.iter().rfind(|change| matches!(change, Change::Set(_)));
    assert_eq!(whole, last_set.or(each.last()).cloned().unwrap_or(Change::None));
    let others: Vec<&[u8]> = lines.iter().copied().chain([b"theme=dark".as_slice(), b"sid2=1; Max-Age=0"]).collect();
    assert_eq!(change(&others, "sid", site::NOON), whole);

    SITES.with_borrow_mut(|sites| {
        for site in sites {
            site.begin();
            let mut client = Client::default();
            client.ask(site, &site::Step { application: Application::Lines(&lines), ..site::Step::default() });
        }
    });
});
