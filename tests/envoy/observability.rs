//! Counters, Prometheus labels, and the word for the outcome in the access log.

use stickiness::outcome::Outcome;

use harness::{Client, LoadBalancer, OTHER_KEY, fetch, forge, forge_with, wait_until};

/// Sends one request for each outcome, and leaves a target dead.
fn one_of_each(lb: &mut LoadBalancer) {
    let a = lb.targets[0].name_in_envoy();
    let send = |outcome, cookie: &str| {
        let path = format!("/{outcome}");
        fetch(lb.sticky, &path, &[format!("cookie: {cookie}").as_bytes()]);
    };
    send("no_cookie", "a=b");
    send("malformed", "AWSALB=x");
    send("expired", &format!("AWSALB={}", forge("web", &a, 100_000)));
    send("unknown_key", &format!("AWSALB={}", forge_with(OTHER_KEY, "web", &a, 0)));
    send("wrong_group", &format!("AWSALB={}", forge("api", &a, 0)));
    send("pinned", &format!("AWSALB={}", forge("web", &a, 0)));
    lb.kill("a");
    fetch(lb.sticky, "/moved", &[format!("cookie: AWSALB={}", forge("web", &a, 0)).as_bytes()]);
}

#[test]
fn every_request_is_counted_once_by_its_outcome_and_every_cookie_as_issued() {
    let mut lb = LoadBalancer::shipped();
    one_of_each(&mut lb);
    for outcome in Outcome::ALL {
        assert_eq!(lb.counted(outcome), 1, "{outcome:?}");
    }
    assert_eq!(lb.issued(), 7);
}

#[test]
fn a_request_that_no_target_answers_is_counted_and_issues_nothing() {
    let mut lb = LoadBalancer::shipped();
    let mut client = Client::default();
    client.get(lb.sticky, "/");
    lb.kill("a");
    lb.kill("b");
    client.get(lb.sticky, "/");
    fetch(lb.sticky, "/", &[]);
    assert_eq!((lb.counted(Outcome::Pinned), lb.counted(Outcome::NoCookie), lb.issued()), (1, 2, 1));
}

#[test]
fn nothing_is_counted_where_stickiness_is_off() {
    let off = r#"{"target_groups": {"web": {"stickiness": {"enabled": false}}}}"#;
    for (config, is_counted) in [(off, false), ("{}", true)] {
        let lb = LoadBalancer::with_plugin(config);
        fetch(lb.sticky, "/", &[b"cookie: AWSALB=x"]);
        let text = lb.envoy.admin().get("/stats?usedonly").unwrap();
        assert_eq!(text.contains("sticky_sessions.target_group.web"), is_counted, "{config}: {text}");
    }
}

#[test]
fn prometheus_has_the_target_group_and_the_outcome_as_labels() {
    let mut lb = LoadBalancer::shipped();
    one_of_each(&mut lb);
    let text = lb.envoy.admin().prometheus().unwrap();
    for outcome in Outcome::ALL.map(Outcome::word) {
        let line = format!("sticky_sessions_target_group{{target_group=\"web\",outcome=\"{outcome}\"}} 1");
        assert!(text.lines().any(|present| present == line), "{line} is not in:\n{text}");
    }
    let issued = "sticky_sessions_target_group_issued{target_group=\"web\"} 7";
    assert!(text.lines().any(|present| present == issued), "{issued} is not in:\n{text}");
}

#[test]
fn the_access_log_names_the_target_and_the_outcome() {
    let mut lb = LoadBalancer::shipped();
    one_of_each(&mut lb);
    wait_until("seven lines", || lb.envoy.access_log().lines().count() == 7);
    let log = lb.envoy.access_log();
    for outcome in Outcome::ALL {
        let word = outcome.word();
        let line = log.lines().find(|line| line.contains(&format!(" /{word} "))).unwrap_or_default();
        assert!(line.ends_with(&format!(" {word}")), "{line}");
        let target = match outcome {
            Outcome::Pinned => &lb.targets[0],
            Outcome::Moved => &lb.targets[1],
            _ => continue,
        };
        assert!(line.contains(&target.name_in_envoy()), "{line}");
    }
}
