//! The cookie jar of a browser over HTTPS, which also keeps the CORS twin.

use local_envoy::{Config, Plugin};
use serde_json::{Value, json};

use harness::{LoadBalancer, Setup, over_http2, over_tls};

use crate::Passed;
use crate::visitor::{answering_targets, browser, cookies_sent, http, https, jar};

const SHOP: &str = "shop.example";

#[track_caller]
fn load_balancer(edit: &dyn Fn(&mut Config)) -> LoadBalancer {
    LoadBalancer::start(&Setup { edit, ..Setup::default() })
}

/// The numbers of connections so far over HTTP/1.1 and over HTTP/2.
fn connections(lb: &LoadBalancer) -> [u64; 2] {
    ["http1", "http2"]
        .map(|protocol| lb.envoy.admin().counter(&format!("http.sticky.downstream_cx_{protocol}_total")).unwrap())
}

#[test]
fn the_cookie_and_its_twin_are_kept_and_only_the_twin_is_secure() -> Passed {
    let lb = load_balancer(&over_tls);
    let browser = browser()?;
    browser.open(&https(&lb, SHOP, "/"))?;
    assert_eq!(
        jar(&browser)?,
        ["AWSALB for 86400 s, shop.example/", "AWSALBCORS for 86400 s, shop.example/; SameSite=None; Secure"]
    );
    Ok(())
}

#[test]
fn ten_refreshes_come_from_one_instance() -> Passed {
    let lb = load_balancer(&over_tls);
    let browser = browser()?;
    assert_eq!(answering_targets(&browser, &https(&lb, SHOP, "/"))?.len(), 1);
    Ok(())
}

/// Over HTTP/2 a browser sends each cookie in its own header field.
#[test]
fn ten_refreshes_over_http2_come_from_one_instance() -> Passed {
    let lb = load_balancer(&over_http2);
    let browser = browser()?;
    browser.open(&https(&lb, SHOP, "/"))?;
    browser.run("document.cookie = 'basket=full'; document.cookie = 'theme=dark'")?;
    assert_eq!(answering_targets(&browser, &https(&lb, SHOP, "/again"))?.len(), 1);
    assert_eq!(cookies_sent(&lb, "/again"), [["AWSALB", "AWSALBCORS", "basket", "theme"]; 11]);
    let [http1, http2] = connections(&lb);
    assert!(http1 == 0 && http2 > 0, "{http1} connections over HTTP/1.1, {http2} over HTTP/2");
    Ok(())
}

#[test]
fn the_cookie_that_came_over_plain_http_is_sent_over_https_too() -> Passed {
    let lb = load_balancer(&over_tls);
    // A browser has one jar for all ports of a host.
    let plain = LoadBalancer::shared();
    let browser = browser()?;
    browser.open(&http(&plain, SHOP, "/"))?;
    browser.open(&https(&lb, SHOP, "/then"))?;
    assert_eq!(cookies_sent(&lb, "/then"), [["AWSALB"]]);
    Ok(())
}

#[test]
fn each_attribute_that_needs_https_is_in_the_jar_as_it_was_asked_for() -> Passed {
    let rows: [(Value, &[&str]); 4] = [
        (
            json!({ "secure": "always" }),
            &[
                "AWSALB for 86400 s, shop.example/; Secure",
                "AWSALBCORS for 86400 s, shop.example/; SameSite=None; Secure",
            ],
        ),
        (json!({ "same_site": "none", "twin": false }), &["AWSALB for 86400 s, shop.example/; SameSite=None; Secure"]),
        (
            json!({ "same_site": "none", "partitioned": true, "twin": false }),
            &["AWSALB for 86400 s, shop.example/; SameSite=None; Secure; Partitioned"],
        ),
        (
            json!({ "name": "__Host-sticky", "secure": "always", "twin": false }),
            &["__Host-sticky for 86400 s, shop.example/; Secure"],
        ),
    ];
    let browser = browser()?;
    for (cookie, expected) in rows {
        let plugin = Some(Plugin::Struct(json!({ "cookie": cookie })));
        let lb = LoadBalancer::start(&Setup { plugin, edit: &over_tls, ..Setup::default() });
        browser.delete_cookies()?;
        browser.open(&https(&lb, SHOP, "/"))?;
        assert_eq!(jar(&browser)?, expected, "{cookie}");
    }
    Ok(())
}
