//! The attributes that the operator asked for.

use crate::testing::{Client, Fixture, TargetAnswer, WEB_A, attributes};

const EXPIRES: &str = " Expires=Wed, 15 Nov 2023 22:13:20 GMT";

/// The attributes of a target's cookies with these options.
fn lines_over(over_https: bool, options: &str) -> Vec<String> {
    let fixture = Fixture::new(&format!(r#"{{"cookie": {options}}}"#));
    let lines = Client::default().ask(&fixture, TargetAnswer { over_https, ..WEB_A }).lines;
    lines
        .iter()
        .map(|line| attributes(line).strip_prefix(EXPIRES).unwrap_or_else(|| attributes(line)).to_owned())
        .collect()
}

fn lines(options: &str) -> Vec<String> {
    lines_over(true, options)
}

#[test]
fn expires_and_max_age_are_as_configured() {
    assert_eq!(lines("{}")[0], "; Path=/");
    assert_eq!(lines(r#"{"expires": "seven_days"}"#)[0], " Expires=Tue, 21 Nov 2023 22:13:20 GMT; Path=/");
    assert_eq!(lines(r#"{"expires": "session"}"#)[0], " Path=/");
    assert_eq!(lines(r#"{"max_age": "beside"}"#)[0], "; Max-Age=86400; Path=/");
    assert_eq!(lines(r#"{"max_age": "instead"}"#)[0], " Max-Age=86400; Path=/");
    assert_eq!(
        lines(r#"{"max_age": "beside", "expires": "seven_days"}"#)[0],
        " Expires=Tue, 21 Nov 2023 22:13:20 GMT; Max-Age=604800; Path=/"
    );
}

#[test]
fn domain_and_path_are_as_configured() {
    assert_eq!(lines(r#"{"domain": "example.com", "path": "/app"}"#)[0], "; Domain=example.com; Path=/app");
}

#[test]
fn secure_is_on_the_twin_over_https_and_elsewhere_when_asked_for() {
    let twin = "; Path=/; SameSite=None";
    let secure_twin = "; Path=/; SameSite=None; Secure";
    assert_eq!(lines_over(true, "{}"), ["; Path=/", secure_twin]);
    assert_eq!(lines_over(false, "{}"), ["; Path=/", twin]);
    assert_eq!(lines_over(false, r#"{"secure": "always"}"#), ["; Path=/; Secure", secure_twin]);
    assert_eq!(lines_over(true, r#"{"secure": "never"}"#), ["; Path=/", twin]);
}

#[test]
fn the_other_attributes_are_as_configured() {
    assert_eq!(lines(r#"{"http_only": true}"#), ["; Path=/; HttpOnly", "; Path=/; SameSite=None; Secure; HttpOnly"]);
    assert_eq!(lines(r#"{"same_site": "strict"}"#), ["; Path=/; SameSite=Strict", "; Path=/; SameSite=None; Secure"]);
    assert_eq!(lines(r#"{"same_site": "none"}"#)[0], "; Path=/; SameSite=None; Secure");
    assert_eq!(lines(r#"{"partitioned": true}"#), ["; Path=/", "; Path=/; SameSite=None; Secure; Partitioned"]);
    assert_eq!(lines(r#"{"twin": false}"#).len(), 1);
}

#[test]
fn https_is_believed_of_a_forwarded_proto_only_when_told_to_and_http_always() {
    let twin = |options: &str, forwarded_proto, over_https| {
        let fixture = Fixture::new(&format!(r#"{{"cookie": {options}}}"#));
        let mut client = Client { forwarded_proto, ..Client::default() };
        client.ask(&fixture, TargetAnswer { over_https, ..WEB_A }).lines[1].ends_with("; Secure")
    };
    let trusting = r#"{"trust_x_forwarded_proto": true}"#;
    assert!(!twin("{}", "https", false));
    assert!(twin(trusting, "https", false));
    assert!(!twin(trusting, "http", true));
    assert!(twin(trusting, "", true));
    assert!(!twin("{}", "http", true));
    assert!(twin("{}", "https", true));
    assert!(twin("{}", "", true));
}

#[test]
fn another_name_stands_in_all_names() {
    let fixture = Fixture::new(
        r#"{"cookie": {"name": "LB"}, "rules": [{"target_groups": ["web"], "cookie": {"name": "GROUP"},
            "target_group_stickiness": {"duration_seconds": 60}}]}"#,
    );
    let mut client = Client::default();
    client.ask(&fixture, WEB_A);
    let names: Vec<&str> = client.jar.keys().map(String::as_str).collect();
    assert_eq!(names, ["GROUPTG", "GROUPTGCORS", "LB", "LBCORS"]);
    let seen = client.ask(&fixture, WEB_A);
    assert_eq!((seen.reroute.as_deref(), seen.pin.as_deref()), (Some("web"), Some(WEB_A.target)));
}
