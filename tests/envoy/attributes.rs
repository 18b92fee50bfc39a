//! Names and attributes of cookies that differ from AWS's.

use local_envoy::Plugin;
use serde_json::{Value, json};

use stickiness::outcome::Outcome;

use harness::{Client, Response, Setup, fetch, fetch_over_tls, over_tls, plugin, setting};

use crate::pool::{self, Pooled};

/// A plugin configuration with these cookie options for every target group.
fn options(cookie: &Value) -> Plugin<'static> {
    Plugin::Struct(json!({ "cookie": cookie }))
}

#[track_caller]
fn with(cookie: &Value) -> Pooled {
    pool::with_plugin(options(cookie))
}

/// Compares the `Set-Cookie` lines. `V` stands for the value of the first one, and `E` for its `Expires`.
#[track_caller]
fn lines_are(response: &Response, expected: &[&str]) {
    let lines = response.set_cookies();
    let value = lines[0].split(';').next().unwrap().split_once('=').unwrap().1;
    let has_expires = lines[0].contains("Expires=");
    let expires = if has_expires { response.expires() } else { "no Expires" };
    let shown: Vec<String> = lines.iter().map(|line| line.replacen(value, "V", 1).replacen(expires, "E", 1)).collect();
    assert_eq!(shown, expected);
}

#[test]
fn each_attribute_stands_where_it_is_asked_for_in_one_order() {
    let name = json!({ "name": "STICKY" });
    let all = json!({
        "name": "__Secure-x", "domain": "example.org", "path": "/app", "secure": "always", "http_only": true,
        "same_site": "none", "partitioned": true, "max_age": "beside"
    });
    let all_attributes =
        "E; Max-Age=86400; Domain=example.org; Path=/app; SameSite=None; Secure; HttpOnly; Partitioned";
    for (cookie, plain, twin) in [
        (json!({}), "AWSALB=V; E; Path=/", "AWSALBCORS=V; E; Path=/; SameSite=None"),
        (name, "STICKY=V; E; Path=/", "STICKYCORS=V; E; Path=/; SameSite=None"),
        (
            json!({ "domain": ".example.org", "path": "/app/" }),
            "AWSALB=V; E; Domain=.example.org; Path=/app/",
            "AWSALBCORS=V; E; Domain=.example.org; Path=/app/; SameSite=None",
        ),
        (
            json!({ "secure": "always" }),
            "AWSALB=V; E; Path=/; Secure",
            "AWSALBCORS=V; E; Path=/; SameSite=None; Secure",
        ),
        (
            json!({ "http_only": true }),
            "AWSALB=V; E; Path=/; HttpOnly",
            "AWSALBCORS=V; E; Path=/; SameSite=None; HttpOnly",
        ),
        (
            json!({ "same_site": "strict" }),
            "AWSALB=V; E; Path=/; SameSite=Strict",
            "AWSALBCORS=V; E; Path=/; SameSite=None",
        ),
        (json!({ "same_site": "lax" }), "AWSALB=V; E; Path=/; SameSite=Lax", "AWSALBCORS=V; E; Path=/; SameSite=None"),
        (
            json!({ "max_age": "beside" }),
            "AWSALB=V; E; Max-Age=86400; Path=/",
            "AWSALBCORS=V; E; Max-Age=86400; Path=/; SameSite=None",
        ),
        (
            json!({ "max_age": "instead" }),
            "AWSALB=V; Max-Age=86400; Path=/",
            "AWSALBCORS=V; Max-Age=86400; Path=/; SameSite=None",
        ),
        (
            json!({ "max_age": "instead", "expires": "seven_days" }),
            "AWSALB=V; Max-Age=604800; Path=/",
            "AWSALBCORS=V; Max-Age=604800; Path=/; SameSite=None",
        ),
        (all, &format!("__Secure-x=V; {all_attributes}"), &format!("__Secure-xCORS=V; {all_attributes}")),
    ] {
        let lb = with(&cookie);
        lines_are(&fetch(lb.sticky, "/", &[]), &[plain, twin]);
    }
}

#[test]
fn without_a_twin_there_is_one_cookie() {
    let lb = with(&json!({ "twin": false }));
    lines_are(&fetch(lb.sticky, "/", &[]), &["AWSALB=V; E; Path=/"]);
}

#[test]
fn over_tls_secure_is_where_it_was_asked_for() {
    for (cookie, expected) in [
        (json!({ "same_site": "none", "twin": false }), "AWSALB=V; E; Path=/; SameSite=None; Secure"),
        (
            json!({ "same_site": "none", "partitioned": true, "twin": false }),
            "AWSALB=V; E; Path=/; SameSite=None; Secure; Partitioned",
        ),
        (json!({ "secure": "never", "twin": false }), "AWSALB=V; E; Path=/"),
        (json!({ "secure": "auto", "twin": false }), "AWSALB=V; E; Path=/"),
        (json!({ "secure": "always", "twin": false }), "AWSALB=V; E; Path=/; Secure"),
    ] {
        let lb = pool::start(&Setup { plugin: Some(options(&cookie)), edit: &over_tls, ..Setup::default() });
        lines_are(&fetch_over_tls(lb.sticky, "/", &[]), &[expected]);
    }
}

#[test]
fn x_forwarded_proto_makes_the_twin_secure_only_where_it_is_trusted() {
    for (trusted, end) in [(false, "; SameSite=None"), (true, "; SameSite=None; Secure")] {
        let lb = with(&json!({ "trust_x_forwarded_proto": trusted }));
        let forwarded = fetch(lb.sticky, "/", &[b"x-forwarded-proto: https"]);
        assert!(forwarded.line("AWSALBCORS").unwrap().ends_with(end), "{forwarded:?}");
        let plain = fetch(lb.sticky, "/", &[b"x-forwarded-proto: http"]);
        assert!(plain.line("AWSALBCORS").unwrap().ends_with("; SameSite=None"), "{plain:?}");
    }
}

/// Proxies in a row write a list, and each of them its own spelling. The first entry is that of the client.
#[test]
fn the_first_entry_of_x_forwarded_proto_counts_in_any_spelling_and_on_any_number_of_lines() {
    let lb = with(&json!({ "trust_x_forwarded_proto": true }));
    for (lines, is_secure) in [
        (&["https,http"][..], true),
        (&["https, http"], true),
        (&["https,https"], true),
        (&["HTTPS"], true),
        (&["Https ,http"], true),
        (&[",https"], true),
        (&["https", "http"], true),
        (&["", "https"], true),
        (&["http,https"], false),
        (&["http, http"], false),
        (&["HTTP,https"], false),
        (&["http", "https"], false),
        (&["wss,https"], false),
    ] {
        let lines: Vec<String> = lines.iter().map(|line| format!("x-forwarded-proto: {line}")).collect();
        let lines: Vec<&[u8]> = lines.iter().map(String::as_bytes).collect();
        let response = fetch(lb.sticky, "/", &lines);
        let twin = response.line("AWSALBCORS").unwrap();
        assert_eq!(twin.ends_with("; SameSite=None; Secure"), is_secure, "{lines:?}: {response:?}");
    }
}

#[test]
fn over_tls_who_claims_to_have_come_by_http_gets_a_twin_without_secure() {
    let lb = pool::start(&Setup { edit: &over_tls, ..Setup::default() });
    for (claimed, end) in [("http", "; SameSite=None"), ("https", "; SameSite=None; Secure")] {
        let response = fetch_over_tls(lb.sticky, "/", &[("x-forwarded-proto", claimed)]);
        assert!(response.line("AWSALBCORS").unwrap().ends_with(end), "{response:?}");
    }
}

#[test]
fn a_cookie_of_another_name_pins_and_awss_own_name_does_not() {
    let lb = with(&json!({ "name": "STICKY" }));
    let mut client = Client::default();
    let home = client.get(lb.sticky, "/").body;
    for _ in 0..4 {
        assert_eq!(client.get(lb.sticky, "/").body, home);
    }
    let value = &client.jar["STICKY"];
    for name in ["STICKY", "STICKYCORS"] {
        let pinned = lb.counted(Outcome::Pinned);
        fetch(lb.sticky, "/", &[format!("cookie: {name}={value}").as_bytes()]);
        assert_eq!(lb.counted(Outcome::Pinned), pinned + 1, "{name}");
    }
    let no_cookie = lb.counted(Outcome::NoCookie);
    fetch(lb.sticky, "/", &[format!("cookie: AWSALB={value}; AWSALBCORS={value}").as_bytes()]);
    assert_eq!(lb.counted(Outcome::NoCookie), no_cookie + 1);
}

#[test]
fn a_target_group_has_cookies_of_its_own() {
    let plugin = Plugin::Struct(json!({
        "cookie": { "name": "ALL", "http_only": true, "twin": false },
        "target_groups": { "web": { "cookie": { "name": "WEB", "path": "/web" } } }
    }));
    let lb = pool::start(&Setup { plugin: Some(plugin), ..Setup::default() });
    lines_are(&fetch(lb.sticky, "/", &[]), &["WEB=V; E; Path=/web; HttpOnly"]);
}

#[test]
fn a_rule_has_cookies_of_its_own_and_they_pin() {
    let lb = pool::weighted(|config| {
        plugin(config)["rules"][0]["cookie"] = json!({ "name": "RULE", "same_site": "lax" });
        let off = json!({ "stickiness": { "enabled": false } });
        plugin(config)["target_groups"] = json!({ "blue": off, "green": off });
    });
    let response = fetch(lb.sticky, "/", &[]);
    lines_are(&response, &["RULETG=V; E; Path=/; SameSite=Lax", "RULETGCORS=V; E; Path=/; SameSite=None"]);
    lb.answer_to(&[&format!("RULETG={}", response.cookie("RULETG").unwrap())]);
    assert_eq!(lb.counted(Outcome::Pinned), 1);
}

#[test]
fn the_cookie_that_follows_the_applications_own_has_the_name_and_the_attributes_too() {
    let plugin = Plugin::Struct(json!({
        "cookie": { "name": "STICKY", "http_only": true, "max_age": "beside", "domain": "example.org" },
        "target_groups": { "web": { "stickiness": {
            "type": "app_cookie", "app_cookie": { "cookie_name": "JSESSIONID", "duration_seconds": 60 }
        } } }
    }));
    let lb = pool::start(&Setup { plugin: Some(plugin), ..Setup::default() });
    let mut client = Client::default();
    let response = client.get(lb.sticky, &setting(&["JSESSIONID=1"]));
    let line = response.line("STICKYAPP-0").unwrap();
    assert_eq!(
        line.split_once("; ").unwrap().1,
        format!("{}; Max-Age=60; Domain=example.org; Path=/; HttpOnly", response.expires())
    );
    for _ in 0..4 {
        assert_eq!(client.get(lb.sticky, "/").body, response.body);
    }
}

#[test]
fn the_cookie_of_a_classic_load_balancer_has_the_name_and_the_attributes_too() {
    let plugin = Plugin::Struct(json!({
        "cookie": { "name": "STICKY", "http_only": true, "domain": "example.org", "path": "/app" },
        "target_groups": { "web": { "stickiness": {
            "type": "classic_lb_cookie", "classic_lb_cookie": { "cookie_expiration_period": 900 }
        } } }
    }));
    let lb = pool::start(&Setup { plugin: Some(plugin), ..Setup::default() });
    let attributes = ";PATH=/app;DOMAIN=example.org;MAX-AGE=900";
    lines_are(
        &fetch(lb.sticky, "/", &[]),
        &[
            &format!("STICKY=V{attributes};HTTPONLY"),
            &format!("STICKYCORS=V{attributes};SECURE;HTTPONLY;SAMESITE=None"),
        ],
    );
}
