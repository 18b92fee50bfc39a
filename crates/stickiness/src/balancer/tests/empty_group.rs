//! A target group without a healthy target.

use crate::exchange::Answer;
use crate::outcome::Outcome;
use crate::testing::{Browser, By, Site, WEB_A, after};
use crate::time::Timestamp;

const BLUE: By<'static> = By { target_group: "blue", target: "10.0.1.1:80", ..WEB_A };
const GREEN: By<'static> = By { target_group: "green", target: "10.0.2.1:80", ..WEB_A };

fn site(on_empty_group: &str) -> Site {
    Site::new(&format!(
        r#"{{"rules": [{{"target_groups": ["blue", "green"], "on_empty_group": "{on_empty_group}",
            "target_group_stickiness": {{"duration_seconds": 3600}}}}]}}"#
    ))
}

/// A client of blue, and blue without a healthy target, as its request shows at this time.
fn client_of_empty_blue(site: &Site, now: Timestamp) -> Browser {
    let mut browser = Browser::default();
    browser.ask(site, BLUE);
    let session = site.receive("blue", &browser.cookies(), now).unwrap();
    let reply = site.balancer.reply(&session, &Answer::NoHealthyTarget { now }, &mut || None);
    assert_eq!((reply.outcome, reply.headers), (Outcome::Pinned, vec![]));
    browser
}

fn reroute(site: &Site, browser: &Browser, routed: &str, now: Timestamp) -> Option<String> {
    site.receive(routed, &browser.cookies(), now).unwrap().reroute().map(str::to_owned)
}

#[test]
fn its_clients_fail_as_at_aws_unless_told_otherwise() {
    let site = site("fail");
    let browser = client_of_empty_blue(&site, after(10));
    assert_eq!(reroute(&site, &browser, "green", after(11)).as_deref(), Some("blue"));
}

#[test]
fn its_clients_go_to_another_group_and_stay_there() {
    let site = site("repick");
    let mut browser = client_of_empty_blue(&site, after(10));
    for (routed, reroute) in [("green", None), ("blue", Some("green"))] {
        let seen = browser.clone().ask_routed(&site, routed, By { at: after(11), ..GREEN }).unwrap();
        assert_eq!(
            (seen.reroute.as_deref(), seen.pin, seen.outcome),
            (reroute.or(Some("green")), None, Outcome::Moved)
        );
    }
    browser.ask_routed(&site, "blue", By { at: after(11), ..GREEN });
    assert_eq!(reroute(&site, &browser, "blue", after(12)).as_deref(), Some("green"));
}

#[test]
fn new_clients_do_not_go_there_either() {
    let site = site("repick");
    client_of_empty_blue(&site, after(10));
    assert_eq!(reroute(&site, &Browser::default(), "blue", after(11)).as_deref(), Some("green"));
    assert_eq!(reroute(&site, &Browser::default(), "green", after(11)), None);
}

#[test]
fn one_request_in_five_seconds_finds_out_how_it_is() {
    let site = site("repick");
    let mut browser = client_of_empty_blue(&site, after(10));
    assert_eq!(reroute(&site, &browser, "green", after(15)).as_deref(), Some("blue"));
    assert_ne!(reroute(&site, &browser, "green", after(15)).as_deref(), Some("blue"));
    browser.ask_routed(&site, "blue", By { at: after(20), ..BLUE });
    assert_eq!(reroute(&site, &browser, "green", after(20)).as_deref(), Some("blue"));
}

#[test]
fn when_every_group_is_empty_nobody_is_sent_elsewhere() {
    let site = site("repick");
    let browser = client_of_empty_blue(&site, after(10));
    let session = site.receive("green", &browser.cookies(), after(11)).unwrap();
    site.balancer.reply(&session, &Answer::NoHealthyTarget { now: after(11) }, &mut || None);
    assert_eq!(reroute(&site, &browser, "green", after(11)).as_deref(), Some("blue"));
}
