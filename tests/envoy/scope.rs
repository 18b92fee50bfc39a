//! The scopes of bindings: a session of one policy, or of one part of the routes, is of no use in another.

use std::collections::BTreeSet;

use local_envoy::{Config, Plugin};
use serde_json::{Value, json};

use stickiness::outcome::Outcome;

use harness::{Client, LoadBalancer, Setup, counted, fetch, group_of, plugin, routes, setting, wait_until};

use crate::pool::{self, Pooled};
use crate::steps::add_route;

/// The targets of the subsets `public` and `admin`.
pub(crate) const TARGETS: [&str; 4] = ["public-1", "public-2", "admin-1", "admin-2"];

fn subset(name: &str) -> Value {
    json!({ "filter_metadata": { "envoy.lb": { "part": name } } })
}

/// Makes subsets of the targets of `web`. Without `metadata_match` a route leads to all of them.
pub(crate) fn make_subsets(config: &mut Config) {
    let web = config.cluster("web").unwrap();
    web["lb_subset_config"] = json!({ "fallback_policy": "ANY_ENDPOINT", "subset_selectors": [{ "keys": ["part"] }] });
    let endpoints = web["load_assignment"]["endpoints"][0]["lb_endpoints"].as_array_mut().unwrap();
    for (endpoint, target) in endpoints.iter_mut().zip(TARGETS) {
        endpoint["metadata"] = subset(target.split_once('-').unwrap().0);
    }
}

/// Makes subsets. The route `/admin` leads to one of them and `/` to the other, with this metadata for the filter.
fn split(config: &mut Config, admin: &Value, public: &Value) {
    make_subsets(config);
    add_route(config, "/", public)["route"]["metadata_match"] = subset("public");
    add_route(config, "/admin", admin)["route"]["metadata_match"] = subset("admin");
}

#[track_caller]
fn with_subsets(plugin: Value, admin: &Value, public: &Value) -> LoadBalancer {
    LoadBalancer::start(&Setup {
        plugin: Some(Plugin::Struct(plugin)),
        targets: &TARGETS,
        edit: &|config| split(config, admin, public),
        ..Setup::default()
    })
}

/// The targets that answer four requests with these cookies.
#[track_caller]
fn answering(lb: &LoadBalancer, path: &str, cookies: &str) -> BTreeSet<String> {
    let line = format!("cookie: {cookies}");
    (0..4).map(|_| fetch(lb.sticky, path, &[line.as_bytes()]).body).collect()
}

fn are_all_of(answering: &BTreeSet<String>, subset: &str) -> bool {
    answering.len() == 2 && answering.iter().all(|target| target.starts_with(subset))
}

#[test]
fn without_a_scope_a_pin_leads_out_of_the_subset_of_its_route() {
    let lb = with_subsets(json!({}), &json!({}), &json!({}));
    for (from, to) in [("/admin", "/"), ("/", "/admin")] {
        let response = fetch(lb.sticky, from, &[]);
        let cookie = format!("AWSALB={}", response.cookie("AWSALB").unwrap());
        assert_eq!(answering(&lb, to, &cookie), BTreeSet::from([response.body]), "{from}");
    }
}

#[test]
fn a_scope_keeps_a_session_in_the_subset_of_its_route() {
    let lb = with_subsets(json!({ "policies": {} }), &json!({ "scope": "admin" }), &json!({ "scope": "public" }));
    for (from, to, other) in [("/admin", "/", "public"), ("/", "/admin", "admin")] {
        let response = fetch(lb.sticky, from, &[]);
        let cookie = format!("AWSALB={}", response.cookie("AWSALB").unwrap());
        let wrong_group = lb.counted(Outcome::WrongGroup);
        assert!(are_all_of(&answering(&lb, to, &cookie), other), "{from}");
        assert_eq!(lb.counted(Outcome::WrongGroup), wrong_group + 4);
        assert_eq!(answering(&lb, from, &cookie), BTreeSet::from([response.body]), "{from}");
    }
}

#[test]
fn a_pin_leads_out_of_a_subset_that_a_filter_chooses_for_the_request() {
    let choose = |config: &mut Config| {
        make_subsets(config);
        let rule = json!({
            "header": "x-part",
            "on_header_present": { "metadata_namespace": "envoy.lb", "key": "part", "type": "STRING" }
        });
        let filter = json!({
            "name": "header_to_metadata",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.header_to_metadata.v3.Config",
                "request_rules": [rule]
            }
        });
        config.http_filters("sticky").unwrap().insert(0, filter);
    };
    let lb = LoadBalancer::start(&Setup { targets: &TARGETS, edit: &choose, ..Setup::default() });
    let asking = |part: &str, cookies: &str| -> BTreeSet<String> {
        let lines = [format!("x-part: {part}"), format!("cookie: {cookies}")];
        let lines = lines.each_ref().map(String::as_bytes);
        (0..4).map(|_| fetch(lb.sticky, "/", &lines).body).collect()
    };
    assert!(are_all_of(&asking("public", "none=1"), "public"));
    let response = fetch(lb.sticky, "/", &[b"x-part: admin"]);
    let cookie = format!("AWSALB={}", response.cookie("AWSALB").unwrap());
    assert!(response.body.starts_with("admin"));
    assert_eq!(asking("public", &cookie), BTreeSet::from([response.body]));
}

#[test]
fn a_cookie_that_a_client_renames_is_of_no_use_under_another_policy_even_when_its_own_duration_is_over() {
    let policies = json!({
        "admin": { "stickiness": { "lb_cookie": { "duration_seconds": 1 } }, "cookie": { "name": "ADMIN", "path": "/admin" } },
        "public": { "cookie": { "name": "PUBLIC" } }
    });
    let [admin, public] = ["admin", "public"].map(|policy| json!({ "policy": policy }));
    let lb = with_subsets(json!({ "policies": policies }), &admin, &public);
    let response = fetch(lb.sticky, "/admin", &[]);
    let value = response.cookie("ADMIN").unwrap();
    let renamed = format!("PUBLIC={value}; PUBLICCORS={value}");
    assert!(are_all_of(&answering(&lb, "/", &renamed), "public"));
    let own = format!("cookie: ADMIN={value}");
    wait_until("the duration of its own policy to be over", || {
        fetch(lb.sticky, "/admin", &[own.as_bytes()]);
        lb.counted(Outcome::Expired) > 0
    });
    assert!(are_all_of(&answering(&lb, "/", &renamed), "public"));
    assert_eq!(lb.counted(Outcome::WrongGroup), 8);

    // And the other way round.
    let response = fetch(lb.sticky, "/", &[]);
    let renamed = format!("ADMIN={}", response.cookie("PUBLIC").unwrap());
    assert!(are_all_of(&answering(&lb, "/admin", &renamed), "admin"));
}

#[test]
fn routes_with_one_scope_share_their_sessions() {
    let config = json!({ "policies": { "cart": { "scope": "" }, "pay": {} } });
    let edit = |config: &mut Config| {
        add_route(config, "/cart", &json!({ "policy": "cart" }));
        add_route(config, "/pay", &json!({ "policy": "pay", "scope": "" }));
        add_route(config, "/apart", &json!({ "policy": "pay" }));
    };
    let lb = pool::start(&Setup { plugin: Some(Plugin::Struct(config)), edit: &edit, ..Setup::default() });
    let mut client = Client::default();
    let home = client.get(lb.sticky, "/").body;
    for path in ["/cart", "/pay", "/", "/pay", "/cart"] {
        assert_eq!(client.get(lb.sticky, path).body, home, "{path}");
    }
    assert_eq!(lb.counted(Outcome::Pinned), 5);
    client.get(lb.sticky, "/apart");
    assert_eq!(lb.counted(Outcome::WrongGroup), 1);
}

/// The stickiness that follows this cookie of an application.
fn following(kind: &str, cookie_name: &str) -> Value {
    let mut stickiness = json!({ "type": kind });
    stickiness[kind] = json!({ "cookie_name": cookie_name });
    stickiness
}

/// The applications `/shop` and `/blog` of one target group, each with a policy; `/` has the policy of the target group.
fn two_applications(plugin: &Value) -> Pooled {
    let edit = |config: &mut Config| {
        add_route(config, "/shop", &json!({ "policy": "shop" }));
        add_route(config, "/blog", &json!({ "policy": "blog" }));
    };
    pool::start(&Setup { plugin: Some(Plugin::Struct(plugin.clone())), edit: &edit, ..Setup::default() })
}

/// A browser: the cookie of an application goes with the requests to its path only.
#[derive(Clone, Default)]
struct Browser {
    jar: Client,
}

/// The paths of the applications, and their cookies.
const APPLICATIONS: [(&str, &str); 3] = [("/shop", "SHOPSID"), ("/blog", "BLOGSID"), ("", "SID")];

impl Browser {
    /// Sends a request to an application. Returns the target.
    #[track_caller]
    fn ask(&mut self, lb: &LoadBalancer, application: &str, path: &str) -> String {
        let mut client = self.jar.clone();
        let own = APPLICATIONS.iter().filter(|(path, _)| *path != application).map(|(_, cookie)| *cookie);
        let held_back: Vec<(&str, Option<String>)> = own.map(|cookie| (cookie, client.jar.remove(cookie))).collect();
        let body = client.get(lb.sticky, &format!("{application}{path}")).body;
        for (cookie, value) in held_back {
            client.jar.extend(value.map(|value| (cookie.to_owned(), value)));
        }
        self.jar = client;
        body
    }

    /// A browser with a session of each application, and their targets, which are not all the same one.
    #[track_caller]
    fn with_sessions(lb: &LoadBalancer, applications: &[(&'static str, &str)]) -> (Self, Vec<(&'static str, String)>) {
        let mut found = None;
        wait_until("sessions on different targets", || {
            let mut browser = Self::default();
            let homes = applications.iter().map(|(application, cookie)| {
                let login = setting(&[format!("{cookie}=1; Path={application}/")]);
                (*application, browser.ask(lb, application, &login))
            });
            let homes: Vec<_> = homes.collect();
            let differ = homes.iter().any(|(_, home)| *home != homes[0].1);
            found = Some((browser, homes));
            differ
        });
        found.unwrap()
    }

    /// Each session stays on its target, in whatever order its application is asked.
    #[track_caller]
    fn stays_on(&mut self, lb: &LoadBalancer, homes: &[(&str, String)]) {
        for (application, home) in [homes, homes].concat().iter().chain(homes.iter().rev()) {
            assert_eq!(self.ask(lb, application, "/"), *home, "{application}/");
        }
    }
}

#[test]
fn two_applications_of_one_target_group_keep_a_session_each() {
    let lb = two_applications(&json!({ "policies": {
        "shop": { "stickiness": following("app_cookie", "SHOPSID") },
        "blog": { "stickiness": following("app_cookie", "BLOGSID") }
    }}));
    let (mut browser, homes) = Browser::with_sessions(&lb, &APPLICATIONS[..2]);
    let (moved, pinned) = (lb.counted(Outcome::Moved), lb.counted(Outcome::Pinned));
    browser.stays_on(&lb, &homes);
    assert_eq!((lb.counted(Outcome::Moved), lb.counted(Outcome::Pinned)), (moved, pinned + 6));
}

#[test]
fn the_application_of_the_target_group_and_those_of_policies_keep_a_session_each_until_they_end_it() {
    let lb = two_applications(&json!({
        "target_groups": { "web": { "stickiness": following("app_cookie", "SID") } },
        "policies": {
            "shop": { "stickiness": following("app_cookie", "SHOPSID") },
            "blog": { "stickiness": following("app_cookie", "BLOGSID") }
        }
    }));
    let (browser, homes) = Browser::with_sessions(&lb, &APPLICATIONS);
    browser.clone().stays_on(&lb, &homes);
    for (leaving, (application, cookie)) in APPLICATIONS.into_iter().enumerate() {
        let mut browser = browser.clone();
        browser.ask(&lb, application, &setting(&[format!("{cookie}=; Path={application}/; Max-Age=0")]));
        let mut others = homes.clone();
        others.remove(leaving);
        browser.stays_on(&lb, &others);
        // The session that ended is not continued by a cookie of the application that our filter has not seen.
        browser.jar.jar.insert(cookie.to_owned(), "again".to_owned());
        let pinned = lb.counted(Outcome::Pinned);
        browser.ask(&lb, application, "/");
        assert_eq!(lb.counted(Outcome::Pinned), pinned, "{application}/");
    }
}

#[test]
fn browsers_keep_the_envelope_for_as_long_as_the_longest_session_in_it() {
    let following = |cookie_name: &str, seconds: u32| {
        json!({ "stickiness": {
            "type": "app_cookie",
            "app_cookie": { "cookie_name": cookie_name, "duration_seconds": seconds }
        }})
    };
    let lb = two_applications(&json!({
        "policies": { "shop": following("SHOPSID", 60), "blog": following("BLOGSID", 3600) }
    }));
    let mut client = Client::default();
    let mut seconds_after = |path: &str| client.get(lb.sticky, path).expires_in();
    let shop = seconds_after(&format!("/shop{}", setting(&["SHOPSID=1"])));
    assert!((50..=60).contains(&shop), "{shop}");
    seconds_after(&format!("/blog{}", setting(&["BLOGSID=1"])));
    let both = seconds_after("/shop/");
    assert!((3500..=3600).contains(&both), "{both}");
}

#[test]
fn two_classic_policies_keep_a_session_each_where_their_cookies_have_names_of_their_own() {
    let lb = two_applications(&json!({ "policies": {
        "shop": { "stickiness": following("classic_app_cookie", "SHOPSID"), "cookie": { "name": "LBSHOP" } },
        "blog": { "stickiness": following("classic_app_cookie", "BLOGSID"), "cookie": { "name": "LBBLOG" } }
    }}));
    let (mut browser, homes) = Browser::with_sessions(&lb, &APPLICATIONS[..2]);
    browser.stays_on(&lb, &homes);
}

#[test]
fn policies_whose_cookies_replace_each_other_are_warned_of() {
    let lb = LoadBalancer::start(&Setup {
        plugin: Some(Plugin::Struct(json!({ "policies": {
            "shop": { "stickiness": following("classic_app_cookie", "SHOPSID") },
            "blog": { "stickiness": following("classic_app_cookie", "BLOGSID") },
            "long": {}
        }}))),
        ..Setup::default()
    });
    for (policy, cookie, other) in [("shop", "AWSELB", r#"the scope "blog""#), ("long", "AWSALB", "the target groups")]
    {
        let warning =
            format!("policies.{policy}: in a browser its cookie {cookie} and that of {other} replace each other");
        assert_eq!(lb.envoy.log().matches(&warning).count(), 1, "{warning}\n{}", lb.envoy.log());
    }
}

#[test]
fn the_group_that_a_client_has_under_one_scope_is_not_kept_under_another() {
    let lb = pool::weighted(|config| {
        plugin(config)["policies"] = json!({});
        // After the routes of the groups, which a pinned request must match first.
        let routes = routes(config);
        let mut admin = routes.last().unwrap().clone();
        admin["match"] = json!({ "prefix": "/admin" });
        admin["metadata"] = json!({ "filter_metadata": { "sticky_sessions": { "scope": "admin" } } });
        routes.insert(routes.len() - 1, admin);
    });
    let (mut client, home) = lb.client_of("green");
    let mut of_admin = None;
    wait_until("a client of blue", || {
        let mut client = Client::default();
        let home = client.get(lb.sticky, "/admin").body;
        of_admin = (group_of(&home) == "blue").then_some((client, home));
        of_admin.is_some()
    });
    let (mut of_admin, admin_home) = of_admin.unwrap();
    for _ in 0..4 {
        assert_eq!(client.get(lb.sticky, "/").body, home);
        assert_eq!(of_admin.get(lb.sticky, "/admin").body, admin_home);
    }
    let wrong_group = || ["blue", "green"].map(|group| counted(&lb.envoy, group, "wrong_group")).iter().sum::<u64>();
    let before = wrong_group();
    client.get(lb.sticky, "/admin");
    of_admin.get(lb.sticky, "/");
    assert_eq!(wrong_group(), before + 2);
}
