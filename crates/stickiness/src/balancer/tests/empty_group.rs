//! A target group without a healthy target.

use crate::exchange::Answer;
use crate::outcome::Outcome;
use crate::testing::{Browser, By, Site, WEB_A, after};
use crate::time::Timestamp;

const BLUE: By<'static> = By { target_group: "blue", target: "10.0.1.1:80", ..WEB_A };
const GREEN: By<'static> = By { target_group: "green", target: "10.0.2.1:80", ..WEB_A };

fn site(on_empty_group: &str) -> Site {
    Site::new(&format!(
        r#"{{"rules": [{{"target_groups": ["blue", "green"], {on_empty_group}
            "target_group_stickiness": {{"duration_seconds": 3600}}}}]}}"#
    ))
}

fn repicking() -> Site {
    site(r#""on_empty_group": "repick", "probe_path": "/healthz","#)
}

/// A client of blue.
fn client_of_blue(site: &Site) -> Browser {
    let mut browser = Browser::default();
    browser.ask(site, BLUE);
    browser
}

fn reroute(site: &Site, browser: &Browser, routed: &str, now: Timestamp) -> Option<String> {
    site.receive(routed, &browser.cookies(), now).unwrap().reroute().map(str::to_owned)
}

#[test]
fn its_clients_fail_as_at_aws_unless_told_otherwise() {
    let site = site("");
    let browser = client_of_blue(&site);
    site.empty.borrow_mut().push("blue");
    assert_eq!(reroute(&site, &browser, "green", after(11)).as_deref(), Some("blue"));
    assert!(site.asked.borrow().is_empty());
}

#[test]
fn its_clients_go_to_another_group_and_stay_there() {
    let site = repicking();
    let mut browser = client_of_blue(&site);
    site.empty.borrow_mut().push("blue");
    for routed in ["green", "blue"] {
        let seen = browser.clone().ask_routed(&site, routed, By { at: after(11), ..GREEN }).unwrap();
        assert_eq!((seen.reroute.as_deref(), seen.pin, seen.outcome), (Some("green"), None, Outcome::Moved));
    }
    browser.ask_routed(&site, "blue", By { at: after(11), ..GREEN });
    site.empty.borrow_mut().clear();
    assert_eq!(reroute(&site, &browser, "blue", after(20)).as_deref(), Some("green"));
}

#[test]
fn a_request_that_went_elsewhere_counts_for_the_group_of_its_cookie() {
    let site = repicking();
    let browser = client_of_blue(&site);
    site.empty.borrow_mut().push("blue");
    let counted = |cookies: &str| site.receive("blue", cookies, after(11)).unwrap().counted_group().to_owned();
    assert_eq!([counted(&browser.cookies()), counted("")], ["blue", "green"]);
}

#[test]
fn new_clients_do_not_go_there_either() {
    let site = repicking();
    site.empty.borrow_mut().push("blue");
    assert_eq!(reroute(&site, &Browser::default(), "blue", after(11)).as_deref(), Some("green"));
    assert_eq!(reroute(&site, &Browser::default(), "green", after(11)), None);
}

#[test]
fn its_clients_are_back_when_a_target_is() {
    let site = repicking();
    let browser = client_of_blue(&site);
    site.empty.borrow_mut().push("blue");
    assert_eq!(reroute(&site, &browser, "green", after(11)).as_deref(), Some("green"));
    site.empty.borrow_mut().clear();
    assert_eq!(reroute(&site, &browser, "green", after(13)).as_deref(), Some("blue"));
}

#[test]
fn an_answer_tells_as_much_as_asking() {
    let site = repicking();
    let browser = client_of_blue(&site);
    let session = site.receive("blue", &browser.cookies(), after(1)).unwrap();
    assert_eq!(session.reroute(), Some("blue"));
    let answer = Answer::NoHealthyTarget { target_group: "blue", now: after(1) };
    let reply = site.balancer.reply(&session, &answer, &mut || None);
    assert_eq!((reply.outcome, reply.headers().count()), (Outcome::Pinned, 0));
    assert_eq!(reroute(&site, &browser, "green", after(1)).as_deref(), Some("green"));
    assert_eq!(*site.asked.borrow(), ["blue/healthz", "green/healthz"]);
}

#[test]
fn a_group_that_takes_no_question_is_not_empty_while_it_is_at_work() {
    let site = repicking();
    let browser = client_of_blue(&site);
    let slow = site.receive("blue", &browser.cookies(), after(1)).unwrap();
    site.empty.borrow_mut().push("blue");
    assert_eq!(reroute(&site, &browser, "blue", after(60)).as_deref(), Some("blue"));
    site.balancer.reply(&slow, &Answer::Envoy, &mut || None);
    assert_eq!(reroute(&site, &browser, "blue", after(60)).as_deref(), Some("blue"), "the one before is under way");
}

#[test]
fn of_several_groups_the_first_of_the_rule_that_is_not_empty_takes_over() {
    for (empty, next) in [(vec!["blue"], "green"), (vec!["blue", "green"], "red")] {
        let site = Site::new(
            r#"{"rules": [{"target_groups": ["blue", "green", "red"], "on_empty_group": "repick",
                "target_group_stickiness": {"duration_seconds": 3600}}]}"#,
        );
        *site.empty.borrow_mut() = empty;
        assert_eq!(reroute(&site, &Browser::default(), "blue", after(11)).as_deref(), Some(next));
    }
}

#[test]
fn when_every_group_is_empty_nobody_is_sent_elsewhere() {
    let site = repicking();
    let browser = client_of_blue(&site);
    site.empty.borrow_mut().extend(["blue", "green"]);
    assert_eq!(reroute(&site, &browser, "green", after(11)).as_deref(), Some("blue"));
}
