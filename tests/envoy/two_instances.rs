//! Two instances of the filter in one chain. The first one that has pinned a request decides.

use local_envoy::{Config, Plugin};
use serde_json::{Value, json};

use stickiness::outcome::Outcome;

use harness::{Client, LoadBalancer, Setup, add_group, counted, fetch, wait_until};

const WARNING: &str = "two instances of the filter in one chain are sticky for the target group";

/// A second instance after the first one, each with its configuration.
fn instances(config: &mut Config, configurations: &[Value; 2]) {
    let filters = config.http_filters("sticky").unwrap();
    let first = filters.iter().position(|filter| filter["name"] == "sticky_sessions").unwrap();
    filters.insert(first + 1, filters[first].clone());
    for (filter, (name, value)) in filters[first..].iter_mut().zip(["first", "second"].into_iter().zip(configurations))
    {
        filter["name"] = json!(name);
        let plugin = &mut filter["typed_config"]["config"];
        plugin["name"] = json!(name);
        plugin["configuration"]["value"] = value.clone();
    }
}

/// A load balancer with the clusters `web` and `api` and two instances. Their keys are the same.
#[track_caller]
fn load_balancer(configurations: &[Value; 2]) -> LoadBalancer {
    LoadBalancer::start(&Setup {
        edit: &|config| {
            add_group(config, "api");
            instances(config, configurations);
        },
        ..Setup::default()
    })
}

fn sticky_for(target_group: &str, cookie: &str) -> Value {
    json!({ "target_groups": { target_group: { "cookie": { "name": cookie } } } })
}

/// The client stays on its target, and no answer shows an address.
#[track_caller]
fn stays(lb: &LoadBalancer, client: &mut Client, path: &str) {
    let home = client.get(lb.sticky, path).body;
    for _ in 0..6 {
        let answer = client.get(lb.sticky, path);
        assert_eq!(answer.body, home, "{path}");
        assert!(answer.headers.iter().all(|(name, _)| !name.starts_with("x-sticky")), "{path}: {answer:?}");
    }
}

#[test]
fn each_pins_the_requests_to_its_target_groups() {
    for configurations in
        [[sticky_for("web", "LBW"), sticky_for("api", "LBA")], [sticky_for("api", "LBA"), sticky_for("web", "LBW")]]
    {
        let lb = load_balancer(&configurations);
        for path in ["/", "/api/"] {
            stays(&lb, &mut Client::default(), path);
        }
        for target_group in ["web", "api"] {
            let outcomes =
                [Outcome::Pinned, Outcome::Moved].map(|outcome| counted(&lb.envoy, target_group, outcome.word()));
            assert_eq!(outcomes, [6, 0], "{target_group}");
        }
        assert!(!lb.envoy.log().contains("instance"), "{}", lb.envoy.log());
        assert!(!lb.envoy.log().contains("has not seen the pin"), "{}", lb.envoy.log());
    }
}

#[test]
fn a_session_moves_once_from_a_dead_target_and_the_second_instance_hides_nothing_from_the_first() {
    let mut lb = load_balancer(&[sticky_for("web", "LBW"), sticky_for("api", "LBA")]);
    let mut client = Client::default();
    let home = client.get(lb.sticky, "/").body;
    assert_eq!(client.get(lb.sticky, "/").body, home);
    lb.kill(&home);
    stays(&lb, &mut client, "/");
    assert_eq!(lb.counted(Outcome::Moved), 1);
    assert!(!lb.envoy.log().contains("has not seen the pin"), "{}", lb.envoy.log());
}

#[test]
fn where_both_are_sticky_for_a_target_group_its_sessions_stay_and_one_warning_says_which_decides() {
    let lb = load_balancer(&[sticky_for("web", "FIRST"), sticky_for("web", "SECOND")]);
    let mut client = Client::default();
    stays(&lb, &mut client, "/");
    wait_until("a warning", || lb.envoy.log().contains(WARNING));
    assert_eq!(lb.envoy.log().matches(WARNING).count(), 1, "{}", lb.envoy.log());
    // The cookies of the second instance are from the first answer, and good for the case that the first has none.
    client.jar.retain(|name, _| name.starts_with("SECOND"));
    assert_eq!(client.jar.len(), 2);
    stays(&lb, &mut client, "/");
}

#[test]
fn two_instances_with_the_same_configuration_keep_a_session_too() {
    let lb = load_balancer(&[json!({}), json!({})]);
    stays(&lb, &mut Client::default(), "/");
    wait_until("a warning", || lb.envoy.log().contains(WARNING));
}

#[test]
fn a_client_that_sends_our_headers_chooses_nothing() {
    let lb = LoadBalancer::start(&Setup {
        edit: &|config| {
            add_group(config, "api");
            instances(config, &[sticky_for("web", "LBW"), sticky_for("api", "LBA")]);
            // The filter alone removes them.
            let manager = config.connection_manager("sticky").unwrap().as_object_mut().unwrap();
            manager.remove("early_header_mutation_extensions").unwrap();
        },
        ..Setup::default()
    });
    for path in ["/", "/api/"] {
        let header = format!("x-sticky-session-host: {}", host(&lb));
        let lines: [&[u8]; 3] = [header.as_bytes(), b"x-sticky-session-group: api", b"sticky_session: pinned"];
        let bodies = [0; 4].map(|_| fetch(lb.sticky, path, &lines).body);
        assert!(bodies.iter().any(|body| *body != bodies[0]), "{path}: {bodies:?}");
    }
}

/// The value of the header for the first target.
fn host(lb: &LoadBalancer) -> String {
    data_encoding::BASE64.encode(lb.targets[0].name_in_envoy().as_bytes())
}

#[test]
fn after_an_internal_redirect_the_filter_does_not_take_its_own_header_for_that_of_another_instance() {
    let lb = LoadBalancer::start(&Setup {
        plugin: Some(Plugin::Json("{}")),
        edit: &|config| {
            let manager = config.connection_manager("sticky").unwrap();
            let routes = manager["route_config"]["virtual_hosts"][0]["routes"].as_array_mut().unwrap();
            let mut route = routes.last().unwrap().clone();
            route["match"] = json!({ "path": "/redirect-inside" });
            route["route"]["internal_redirect_policy"] = json!({ "redirect_response_codes": [302] });
            routes.insert(0, route);
        },
        ..Setup::default()
    });
    let mut client = Client::default();
    let home = client.get(lb.sticky, "/").body;
    let before = lb.counted(Outcome::Pinned);
    for _ in 0..3 {
        let answer = client.get(lb.sticky, "/redirect-inside");
        assert_eq!((answer.status, answer.body.as_str()), (200, home.as_str()));
        assert!(answer.headers.iter().all(|(name, _)| !name.starts_with("x-sticky")), "{answer:?}");
        assert!(answer.cookie("AWSALB").is_some());
    }
    // The request before and the one after the redirect each count.
    assert_eq!(lb.counted(Outcome::Pinned), before + 6);
    assert!(!lb.envoy.log().contains("instance"), "{}", lb.envoy.log());
}
