//! The scopes of bindings: of policies, and of routes.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::exchange::RouteChoice;
use crate::outcome::Outcome;
use crate::testing::{Client, Fixture, TargetAnswer, WEB_A, after, value};
use crate::trust::scope::Scope;

const OTHER: TargetAnswer<'static> = TargetAnswer { target: "10.0.0.2:80", ..WEB_A };

fn of_policy(name: &str) -> RouteChoice {
    RouteChoice { policy: Some(name.to_owned()), ..RouteChoice::default() }
}

fn of_scope(name: &str) -> RouteChoice {
    RouteChoice { scope: Some(Scope::new(name)), ..RouteChoice::default() }
}

fn client(route: RouteChoice) -> Client {
    Client { route, ..Client::default() }
}

/// Two policies with these settings, and cookies of their own.
fn two(policies: [&str; 2]) -> Fixture {
    let [one, other] = policies;
    Fixture::new(&format!(
        r#"{{"policies": {{"one": {{"cookie.name": "ONE", {one}}}, "other": {{"cookie.name": "OTHER", {other}}}}}}}"#
    ))
}

/// The outcome of a request under `to` with the cookies of an answer under `from`, renamed as if `to` had given them.
fn renamed(fixture: &Fixture, from: RouteChoice, to: RouteChoice) -> Outcome {
    let login = TargetAnswer { set_cookies: &["sid=1"], ..WEB_A };
    let mut client = client(from);
    client.ask(fixture, login);
    let jar = client.jar.iter().map(|(name, value)| (name.replacen("ONE", "OTHER", 1), value.clone())).collect();
    Client { jar, route: to, ..Client::default() }.ask(fixture, WEB_A).outcome
}

#[test]
fn a_value_of_one_policy_is_of_no_use_under_another_of_any_type() {
    for stickiness in [
        r#""stickiness.type": "lb_cookie""#,
        r#""stickiness.type": "app_cookie", "stickiness.app_cookie.cookie_name": "sid""#,
        r#""stickiness.type": "classic_lb_cookie""#,
        r#""stickiness.type": "classic_app_cookie", "stickiness.classic_app_cookie.cookie_name": "sid""#,
    ] {
        let fixture = two([stickiness; 2]);
        let outcome = renamed(&fixture, of_policy("one"), of_policy("other"));
        assert_eq!(outcome, Outcome::WrongGroup, "{stickiness}");
        let shared = two([stickiness, stickiness]
            .map(|stickiness| format!(r#"{stickiness}, "scope": "both""#))
            .each_ref()
            .map(String::as_str));
        assert_eq!(renamed(&shared, of_policy("one"), of_policy("other")), Outcome::Pinned, "{stickiness}");
    }
}

#[test]
fn a_policy_with_the_empty_scope_shares_the_sessions_of_the_target_group() {
    let fixture = Fixture::new(
        r#"{"policies": {"short": {"stickiness.lb_cookie.duration_seconds": 10, "scope": ""}, "apart": {}}}"#,
    );
    let mut client = Client::default();
    client.ask(&fixture, WEB_A);
    let outcome = |route, at| {
        let mut client = Client { route, ..client.clone() };
        client.ask(&fixture, TargetAnswer { at: after(at), ..WEB_A }).outcome
    };
    assert_eq!(outcome(of_policy("short"), 9), Outcome::Pinned);
    assert_eq!(outcome(of_policy("short"), 10), Outcome::Expired);
    assert_eq!(outcome(of_policy("apart"), 9), Outcome::WrongGroup);
}

#[test]
fn the_scope_of_a_route_comes_before_that_of_its_policy_and_works_without_one() {
    let fixture = Fixture::new(r#"{"policies": {"one": {}}}"#);
    let both = RouteChoice { scope: Some(Scope::new("admin")), ..of_policy("one") };
    let mut client = client(of_scope("admin"));
    client.ask(&fixture, WEB_A);
    for (route, outcome) in [
        (of_scope("admin"), Outcome::Pinned),
        (both, Outcome::Pinned),
        (of_policy("one"), Outcome::WrongGroup),
        (of_scope(""), Outcome::WrongGroup),
        (RouteChoice::default(), Outcome::WrongGroup),
    ] {
        let seen = Client { route: route.clone(), ..client.clone() }.ask(&fixture, WEB_A);
        assert_eq!(seen.outcome, outcome, "{route:?}");
        assert_eq!(seen.pin.is_some(), outcome == Outcome::Pinned, "{route:?}");
    }
}

#[test]
fn a_policy_that_nobody_configured_has_the_scope_of_the_target_group() {
    let fixture = Fixture::new(r#"{"policies": {}}"#);
    let mut client = client(of_policy("unheard of"));
    client.ask(&fixture, WEB_A);
    client.route = RouteChoice::default();
    assert_eq!(client.ask(&fixture, WEB_A).outcome, Outcome::Pinned);
}

#[test]
fn clients_of_two_scopes_do_not_share_a_value_that_was_sealed_for_one() {
    let fixture = Fixture::new(r#"{"policies": {}}"#);
    let [one, other, again] = ["one", "other", "one"].map(|scope| {
        let lines = client(of_scope(scope)).ask(&fixture, WEB_A).lines;
        value(&lines[0]).to_owned()
    });
    assert_ne!(one, other);
    assert_eq!(one, again);
}

#[test]
fn a_value_that_was_opened_for_one_scope_is_judged_anew_for_another() {
    let fixture = Fixture::new(r#"{"policies": {}}"#);
    let mut of_one = client(of_scope("one"));
    of_one.ask(&fixture, WEB_A);
    for _ in 0..2 {
        for (scope, outcome) in [("one", Outcome::Pinned), ("other", Outcome::WrongGroup)] {
            let mut client = Client { route: of_scope(scope), ..of_one.clone() };
            assert_eq!(client.ask(&fixture, WEB_A).outcome, outcome);
        }
    }
}

#[test]
fn the_group_that_a_client_has_under_one_scope_is_not_kept_under_another() {
    let fixture = Fixture::new(
        r#"{"policies": {"one": {}}, "rules": [{"target_groups": ["blue", "green"],
            "target_group_stickiness": {"duration_seconds": 3600}}]}"#,
    );
    let [blue, green] = ["blue", "green"].map(|target_group| TargetAnswer { target_group, ..WEB_A });
    let mut client = client(of_scope("admin"));
    client.ask(&fixture, green);
    let reroute = |route| Client { route, ..client.clone() }.ask_routed(&fixture, "blue", blue).unwrap().reroute;
    assert_eq!(reroute(of_scope("admin")).as_deref(), Some("green"));
    assert_eq!(reroute(RouteChoice::default()), None);
    assert_eq!(reroute(of_policy("one")), None);
}

/// Two policies that follow a cookie of the application each, and a target group that follows a third.
const THREE: &str = r#"{"target_groups": {"*": {"stickiness": {"type": "app_cookie", "app_cookie": {"cookie_name": "sid"}}}}, "policies": {
    "shop": {"stickiness": {"type": "app_cookie", "app_cookie": {"cookie_name": "shop"}}},
    "blog": {"stickiness": {"type": "app_cookie", "app_cookie": {"cookie_name": "blog"}}}}}"#;

/// The applications: the route to each, and the answers with which it logs in and out.
fn applications() -> [(RouteChoice, TargetAnswer<'static>, &'static [&'static str]); 3] {
    let third = TargetAnswer { target: "10.0.0.3:80", ..WEB_A };
    [
        (of_policy("shop"), TargetAnswer { set_cookies: &["shop=1"], ..WEB_A }, &["shop=; Max-Age=0"]),
        (of_policy("blog"), TargetAnswer { set_cookies: &["blog=1"], ..OTHER }, &["blog=; Max-Age=0"]),
        (RouteChoice::default(), TargetAnswer { set_cookies: &["sid=1"], ..third }, &["sid=; Max-Age=0"]),
    ]
}

/// A client that has logged in everywhere.
fn logged_in(fixture: &Fixture) -> Client {
    let mut client = Client::default();
    for (route, login, _) in applications() {
        client.route = route;
        client.ask(fixture, login);
    }
    client
}

#[test]
fn applications_of_one_target_group_keep_a_session_each() {
    let fixture = Fixture::new(THREE);
    let mut client = logged_in(&fixture);
    for _ in 0..2 {
        for (route, login, _) in applications() {
            client.route = route;
            let seen = client.ask(&fixture, TargetAnswer { set_cookies: &[], ..login });
            assert_eq!((seen.outcome, seen.pin.as_deref()), (Outcome::Pinned, Some(login.target)));
        }
    }
}

#[test]
fn an_application_that_ends_its_session_leaves_those_of_the_others() {
    let fixture = Fixture::new(THREE);
    for leaving in 0..3 {
        let mut client = logged_in(&fixture);
        let (route, login, logout) = applications()[leaving].clone();
        client.route = route;
        client.ask(&fixture, TargetAnswer { set_cookies: logout, ..login });
        // A browser drops the application's cookie. Our envelope must not pin without it, nor with a new one.
        for (number, (route, login, _)) in applications().into_iter().enumerate() {
            client.route = route;
            let seen = client.ask(&fixture, TargetAnswer { set_cookies: &[], ..login });
            let expected = if number == leaving { Outcome::WrongGroup } else { Outcome::Pinned };
            assert_eq!(seen.outcome, expected, "{number} after {leaving}");
        }
    }
}

#[test]
fn the_session_of_an_application_needs_the_cookie_of_this_application() {
    let fixture = Fixture::new(THREE);
    for (missing, of_policy_without) in ["shop", "blog", "sid"].into_iter().enumerate() {
        let mut client = logged_in(&fixture);
        client.jar.remove(of_policy_without);
        for (number, (route, login, _)) in applications().into_iter().enumerate() {
            client.route = route;
            let seen = client.ask(&fixture, TargetAnswer { set_cookies: &[], ..login });
            let expected = if number == missing { Outcome::NoCookie } else { Outcome::Pinned };
            assert_eq!(seen.outcome, expected, "{number} without {of_policy_without}");
        }
    }
}

/// A type of stickiness for every target group, with routes that give scopes.
fn of_type(stickiness: &str) -> Fixture {
    Fixture::new(&format!(r#"{{"target_groups": {{"*": {{{stickiness}}}}}, "policies": {{}}}}"#))
}

const GROUPS: [&str; 2] = ["web", "api"];
const SCOPES: [&str; 3] = ["", "admin", "a-scope-that-needs-a-block-of-its-own-in-the-content"];
const TARGETS: [&str; 2] = ["10.0.0.1:80", "[2001:db8::1]:8080"];

prop_compose! {
    /// The number of a target group, of a scope and of a target.
    fn step()(group in 0..GROUPS.len(), scope in 0..SCOPES.len(), target in 0..TARGETS.len()) -> [usize; 3] {
        [group, scope, target]
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_request_is_pinned_to_the_target_that_answered_last_in_its_group_and_scope_and_to_no_other(
        kind in 0..4_usize, steps in proptest::collection::vec(step(), 1..20)
    ) {
        let fixture = of_type([
            r#""stickiness.type": "lb_cookie""#,
            r#""stickiness.type": "classic_lb_cookie""#,
            r#""stickiness.type": "classic_app_cookie", "stickiness.classic_app_cookie.cookie_name": "sid""#,
            r#""stickiness.type": "app_cookie", "stickiness.app_cookie.cookie_name": "sid""#,
        ][kind]);
        let mut client = Client::default();
        let mut answered: BTreeMap<[usize; 2], &str> = BTreeMap::new();
        for [group, scope, target] in steps {
            client.route = of_scope(SCOPES[scope]);
            let by = TargetAnswer { target_group: GROUPS[group], target: TARGETS[target], set_cookies: &["sid=1"], ..WEB_A };
            let pin = client.ask(&fixture, by).pin;
            let expected = answered.get(&[group, scope]).map(|target| (*target).to_owned());
            prop_assert_eq!(pin, expected, "{} {} {}", kind, GROUPS[group], SCOPES[scope]);
            // The envelope holds all of them, another cookie the last one.
            if kind < 3 {
                answered.clear();
            }
            answered.insert([group, scope], TARGETS[target]);
        }
    }
}
