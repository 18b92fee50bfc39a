//! The use of the CORS twin: a page of another site shows a frame of our site or sends requests to it by script.

use std::collections::BTreeSet;

use local_browser::{Browser, Result, Settings};
use local_envoy::{Config, Plugin};
use serde_json::{Value, json};

use harness::{LoadBalancer, Setup, Target, over_tls, setting};

use crate::Passed;
use crate::visitor::{answering_target, browser, cookies_sent, https, jar};

/// The site of the load balancer.
const SHOP: &str = "shop.example";

/// Another site.
const NEWS: &str = "news.example";

/// The path of the frames.
const FRAME: &str = "/frame";

/// The path of the script's requests.
const SCRIPT: &str = "/script";

/// The number of frames or requests of the other site.
const TIMES: usize = 10;

/// A load balancer over TLS that also serves the page of the other site, and allows requests with credentials from it.
#[track_caller]
fn load_balancer(plugin: &Value) -> LoadBalancer {
    let edit = |config: &mut Config| {
        over_tls(config);
        add_news(config);
        allow_news(config);
    };
    LoadBalancer::start(&Setup { plugin: Some(Plugin::Struct(plugin.clone())), edit: &edit, ..Setup::default() })
}

/// Adds an empty page of the other site. Envoy answers it itself.
fn add_news(config: &mut Config) {
    let manager = config.connection_manager("sticky").unwrap();
    let virtual_hosts = manager["route_config"]["virtual_hosts"].as_array_mut().unwrap();
    let html = json!({ "header": { "key": "content-type", "value": "text/html" } });
    virtual_hosts.push(json!({
        "name": "news",
        "domains": [format!("{NEWS}:*")],
        "routes": [{
            "match": { "prefix": "/" },
            "direct_response": { "status": 200, "body": { "inline_string": "<!doctype html><title>News</title>" } },
            "response_headers_to_add": [html]
        }]
    }));
}

/// Adds the CORS headers that allow scripts of the other site to read our answers.
fn allow_news(config: &mut Config) {
    let kind = |message: &str| format!("type.googleapis.com/envoy.extensions.filters.http.cors.v3.{message}");
    let name = "envoy.filters.http.cors";
    let filter = json!({ "name": name, "typed_config": { "@type": kind("Cors") } });
    config.http_filters("sticky").unwrap().insert(0, filter);
    let policy = json!({
        "@type": kind("CorsPolicy"),
        "allow_origin_string_match": [{ "prefix": format!("https://{NEWS}:") }],
        "allow_credentials": true
    });
    let manager = config.connection_manager("sticky").unwrap();
    manager["route_config"]["virtual_hosts"][0]["typed_per_filter_config"] = json!({ name: policy });
}

/// A visitor of the other site.
fn reader(lb: &LoadBalancer) -> Result<Browser> {
    let browser = browser()?;
    browser.open(&https(lb, NEWS, "/"))?;
    Ok(browser)
}

/// A visitor of the other site whose browser blocks third-party cookies. Some browsers do so by default.
fn strict_reader(lb: &LoadBalancer) -> Result<Browser> {
    let browser = Browser::start(&Settings { third_party_cookies: false, ..Settings::default() })?;
    browser.open(&https(lb, NEWS, "/"))?;
    Ok(browser)
}

/// The targets that answer the requests of the other site's script.
fn targets_of_a_script(lb: &LoadBalancer, browser: &Browser, credentials: &str) -> Result<BTreeSet<String>> {
    let script = "return fetch(arguments[0], { credentials: arguments[1] })
                    .then(answer => answer.ok ? answer.text() : Promise.reject(answer.status))";
    let arguments = [json!(https(lb, SHOP, SCRIPT)), json!(credentials)];
    (0..TIMES).map(|_| Ok(browser.run_with(script, &arguments)?.as_str().unwrap_or_default().to_owned())).collect()
}

/// The targets that answer the frames on the other site.
fn targets_of_frames(lb: &LoadBalancer, browser: &Browser) -> Result<BTreeSet<String>> {
    let script = "return new Promise(shown => {
        const frame = document.createElement('iframe');
        frame.onload = () => shown(true);
        frame.src = arguments[0];
        document.body.append(frame);
    })";
    for _ in 0..TIMES {
        browser.run_with(script, &[json!(https(lb, SHOP, FRAME))])?;
    }
    // The other site cannot read the frame, so the targets tell.
    let asked = format!("GET {FRAME} ");
    let answered = |target: &Target| target.received().iter().any(|head| head.starts_with(&asked));
    Ok(lb.targets.iter().filter(|target| answered(target)).map(Target::name_in_envoy).collect())
}

#[test]
fn ten_frames_on_another_site_come_from_one_instance_by_the_twin_alone() -> Passed {
    let lb = load_balancer(&json!({}));
    let browser = reader(&lb)?;
    assert_eq!(targets_of_frames(&lb, &browser)?.len(), 1);
    let sent = cookies_sent(&lb, FRAME);
    assert_eq!(sent.len(), TIMES);
    assert!(sent[1..].iter().all(|names| names == &["AWSALBCORS"]), "{sent:?}");
    assert_eq!(jar(&browser)?, ["AWSALBCORS for 86400 s, shop.example/; SameSite=None; Secure"]);
    assert!(lb.received().iter().any(|head| head.contains("sec-fetch-site: cross-site")));
    Ok(())
}

#[test]
fn ten_requests_of_another_sites_script_come_from_one_instance_by_the_twin_alone() -> Passed {
    let lb = load_balancer(&json!({}));
    let browser = reader(&lb)?;
    assert_eq!(targets_of_a_script(&lb, &browser, "include")?.len(), 1);
    let sent = cookies_sent(&lb, SCRIPT);
    assert_eq!(sent.len(), TIMES);
    assert!(sent[1..].iter().all(|names| names == &["AWSALBCORS"]), "{sent:?}");
    Ok(())
}

#[test]
fn a_visit_by_hand_carries_both_and_goes_where_the_other_site_was_answered_from() -> Passed {
    let lb = load_balancer(&json!({}));
    let browser = reader(&lb)?;
    let before = targets_of_a_script(&lb, &browser, "include")?;
    for path in ["/visit", "/visit-again"] {
        browser.open(&https(&lb, SHOP, path))?;
        assert_eq!(BTreeSet::from([answering_target(&browser)?]), before);
    }
    assert_eq!(cookies_sent(&lb, "/visit"), [["AWSALBCORS"]]);
    assert_eq!(cookies_sent(&lb, "/visit-again"), [["AWSALB", "AWSALBCORS"]]);
    Ok(())
}

#[test]
fn without_the_twin_the_session_of_another_site_does_not_stick() -> Passed {
    let lb = load_balancer(&json!({ "cookie": { "twin": false } }));
    let browser = reader(&lb)?;
    assert_eq!(targets_of_frames(&lb, &browser)?.len(), 2);
    assert_eq!(targets_of_a_script(&lb, &browser, "include")?.len(), 2);
    let none = vec![Vec::<String>::new(); TIMES];
    assert_eq!((cookies_sent(&lb, FRAME), cookies_sent(&lb, SCRIPT)), (none.clone(), none));
    Ok(())
}

#[test]
fn where_the_browser_blocks_third_parties_only_a_partitioned_twin_sticks() -> Passed {
    for (partitioned, instances) in [(false, 2), (true, 1)] {
        let lb = load_balancer(&json!({ "cookie": { "partitioned": partitioned } }));
        let browser = strict_reader(&lb)?;
        assert_eq!(targets_of_frames(&lb, &browser)?.len(), instances, "partitioned: {partitioned}");
    }
    Ok(())
}

#[test]
fn a_script_that_asks_without_credentials_carries_no_cookie_and_does_not_stick() -> Passed {
    let lb = load_balancer(&json!({}));
    let browser = reader(&lb)?;
    browser.open(&https(&lb, SHOP, "/visit"))?;
    browser.open(&https(&lb, NEWS, "/"))?;
    assert_eq!(targets_of_a_script(&lb, &browser, "omit")?.len(), 2);
    assert_eq!(cookies_sent(&lb, SCRIPT), vec![Vec::<String>::new(); TIMES]);
    Ok(())
}

#[test]
fn the_cookie_that_follows_the_applications_own_is_carried_from_another_site() -> Passed {
    let stickiness = json!({ "type": "app_cookie", "app_cookie": { "cookie_name": "JSESSIONID" } });
    let lb = load_balancer(&json!({ "target_groups": { "web": { "stickiness": stickiness } } }));
    let browser = reader(&lb)?;
    let login = https(&lb, SHOP, &setting(&["JSESSIONID=1; Path=/; SameSite=None; Secure"]));
    browser.run_with("return fetch(arguments[0], { credentials: 'include' }).then(() => true)", &[json!(login)])?;
    assert_eq!(
        jar(&browser)?,
        [
            "AWSALBAPP-0 for 86400 s, shop.example/; SameSite=None; Secure",
            "JSESSIONID for the session, shop.example/; SameSite=None; Secure"
        ]
    );
    assert_eq!(targets_of_a_script(&lb, &browser, "include")?.len(), 1);
    assert_eq!(targets_of_frames(&lb, &browser)?.len(), 1);
    assert_eq!(cookies_sent(&lb, FRAME), [["AWSALBAPP-0", "JSESSIONID"]; TIMES]);
    Ok(())
}
