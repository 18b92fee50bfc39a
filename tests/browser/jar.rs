//! The cookie jar of a browser over plain HTTP.

use std::collections::BTreeSet;

use local_envoy::Plugin;
use serde_json::{Value, json};

use harness::{LoadBalancer, Setup, add_group, fetch};

use crate::Passed;
use crate::visitor::{answering_target, answering_targets, browser, cookies_sent, http, jar};

/// A site.
const SHOP: &str = "shop.example";

/// A load balancer whose sessions last for so many seconds.
#[track_caller]
fn lasting(seconds: u64) -> LoadBalancer {
    let stickiness = json!({ "lb_cookie": { "duration_seconds": seconds } });
    LoadBalancer::with_plugin(&json!({ "target_groups": { "web": { "stickiness": stickiness } } }).to_string())
}

#[test]
fn ten_refreshes_come_from_one_instance() -> Passed {
    let lb = LoadBalancer::shared();
    let browser = browser()?;
    assert_eq!(answering_targets(&browser, &http(&lb, SHOP, "/"))?.len(), 1);
    Ok(())
}

#[test]
fn visitors_without_a_cookie_are_spread_over_the_instances() -> Passed {
    let lb = LoadBalancer::shared();
    let browser = browser()?;
    let mut instances = BTreeSet::new();
    browser.wait_until("visitors of both instances", || {
        browser.delete_cookies()?;
        browser.open(&http(&lb, SHOP, "/"))?;
        instances.insert(answering_target(&browser)?);
        Ok(instances.len() == 2)
    })?;
    Ok(())
}

#[test]
fn the_cookie_is_kept_for_a_day_for_this_host_and_every_path() -> Passed {
    let lb = LoadBalancer::shared();
    let browser = browser()?;
    browser.open(&http(&lb, SHOP, "/deep/down"))?;
    assert_eq!(jar(&browser)?, ["AWSALB for 86400 s, shop.example/"]);
    Ok(())
}

#[test]
fn scripts_see_the_cookie_and_no_address_in_it() -> Passed {
    let lb = LoadBalancer::shared();
    let browser = browser()?;
    browser.open(&http(&lb, SHOP, "/"))?;
    let seen = browser.run("return document.cookie")?;
    let value = browser.cookie("AWSALB")?.unwrap().value;
    assert_eq!(seen, json!(format!("AWSALB={value}")));
    let bytes = browser.run_with("return atob(arguments[0])", &[json!(value)])?;
    assert!(!bytes.as_str().unwrap().contains("127.0.0.1"), "{bytes}");
    Ok(())
}

#[test]
fn the_twin_is_offered_over_plain_http_and_not_kept() -> Passed {
    let lb = LoadBalancer::shared();
    assert_eq!(fetch(lb.sticky, "/", &[]).cookie_names(), ["AWSALB", "AWSALBCORS"]);
    let browser = browser()?;
    for path in ["/first", "/second"] {
        browser.open(&http(&lb, SHOP, path))?;
    }
    assert_eq!(browser.cookie("AWSALBCORS")?, None);
    assert_eq!(cookies_sent(&lb, "/second"), [["AWSALB"]]);
    Ok(())
}

#[test]
fn a_host_below_has_a_cookie_of_its_own() -> Passed {
    let lb = LoadBalancer::shared();
    let browser = browser()?;
    browser.open(&http(&lb, SHOP, "/first"))?;
    browser.open(&http(&lb, &format!("www.{SHOP}"), "/below"))?;
    assert_eq!(cookies_sent(&lb, "/below"), [Vec::<String>::new()]);
    assert_eq!(jar(&browser)?, ["AWSALB for 86400 s, shop.example/", "AWSALB for 86400 s, www.shop.example/"]);
    Ok(())
}

#[test]
fn when_the_duration_is_over_the_jar_drops_the_cookie_by_itself() -> Passed {
    let lb = lasting(2);
    let browser = browser()?;
    browser.open(&http(&lb, SHOP, "/first"))?;
    browser.wait_until("the jar to drop AWSALB", || Ok(browser.cookie("AWSALB")?.is_none()))?;
    browser.open(&http(&lb, SHOP, "/late"))?;
    assert_eq!(cookies_sent(&lb, "/late"), [Vec::<String>::new()]);
    Ok(())
}

#[test]
fn every_answer_starts_the_duration_anew() -> Passed {
    let lb = lasting(3600);
    let browser = browser()?;
    browser.open(&http(&lb, SHOP, "/"))?;
    let first = browser.cookie("AWSALB")?.unwrap();
    // Expires is in whole seconds, so two answers in one second have the same end.
    browser.wait_until("a later end", || {
        browser.refresh()?;
        Ok(browser.cookie("AWSALB")?.unwrap().expires() > first.expires())
    })?;
    Ok(())
}

#[test]
fn a_visitor_who_left_for_another_page_comes_back_to_the_same_instance() -> Passed {
    let lb = LoadBalancer::shared();
    let browser = browser()?;
    for path in ["/before", "/after"] {
        browser.open(&http(&lb, SHOP, path))?;
        browser.open("about:blank")?;
    }
    assert_eq!(cookies_sent(&lb, "/after"), [["AWSALB"]]);
    Ok(())
}

#[test]
fn each_attribute_is_in_the_jar_as_it_was_asked_for() -> Passed {
    let rows: [(&str, Value, &[&str]); 10] = [
        ("named", json!({ "name": "STICKY" }), &["STICKY for 86400 s, shop.example/"]),
        ("seven-days", json!({ "expires": "seven_days" }), &["AWSALB for 604800 s, shop.example/"]),
        ("session", json!({ "expires": "session" }), &["AWSALB for the session, shop.example/"]),
        ("max-age", json!({ "expires": "seven_days", "max_age": "instead" }), &["AWSALB for 604800 s, shop.example/"]),
        ("domain", json!({ "domain": SHOP }), &["AWSALB for 86400 s, .shop.example/"]),
        ("path", json!({ "path": "/path" }), &["AWSALB for 86400 s, shop.example/path"]),
        ("http-only", json!({ "http_only": true }), &["AWSALB for 86400 s, shop.example/; HttpOnly"]),
        ("lax", json!({ "same_site": "lax" }), &["AWSALB for 86400 s, shop.example/; SameSite=Lax"]),
        ("strict", json!({ "same_site": "strict" }), &["AWSALB for 86400 s, shop.example/; SameSite=Strict"]),
        // A browser keeps a secure cookie over HTTPS only.
        ("secure", json!({ "secure": "always" }), &[]),
    ];
    let groups: serde_json::Map<String, Value> =
        rows.iter().map(|(name, cookie, _)| ((*name).to_owned(), json!({ "cookie": cookie }))).collect();
    let plugin = Some(Plugin::Struct(json!({ "target_groups": groups })));
    let edit = |config: &mut _| rows.iter().for_each(|(name, _, _)| add_group(config, name));
    let lb = LoadBalancer::start(&Setup { plugin, edit: &edit, ..Setup::default() });
    let browser = browser()?;
    for (name, cookie, expected) in &rows {
        browser.delete_cookies()?;
        browser.open(&http(&lb, SHOP, &format!("/{name}/")))?;
        assert_eq!(jar(&browser)?, *expected, "{cookie}");
    }
    Ok(())
}
