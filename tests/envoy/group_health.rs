//! With `on_empty_group: repick`, a 503 of one request is no report on the health of its target group.

use local_envoy::Config;
use serde_json::{Value, json};

use harness::{Client, WAIT, Weighted, fetch, group_of, plugin, routes, wait_until, weigh};

fn repick(config: &mut Config) {
    plugin(config)["rules"][0]["on_empty_group"] = json!("repick");
    weigh(config, 1, 1);
}

/// The filter `stateful_session` of the sticky listener.
fn stateful_session(config: &mut Config) -> &mut Value {
    let filters = config.http_filters("sticky").unwrap();
    let filter = filters.iter_mut().find(|filter| filter["name"] == "envoy.filters.http.stateful_session");
    &mut filter.unwrap()["typed_config"]
}

#[test]
fn a_route_to_an_empty_subset_takes_no_client_away_from_its_target_group() {
    let lb = Weighted::start(|config| {
        repick(config);
        config.cluster("blue").unwrap()["lb_subset_config"] = json!({
            "fallback_policy": "ANY_ENDPOINT",
            "subset_selectors": [{ "keys": ["version"], "fallback_policy": "NO_FALLBACK" }]
        });
        let v2 = json!({ "filter_metadata": { "envoy.lb": { "version": "v2" } } });
        let route = json!({ "match": { "prefix": "/v2" }, "route": { "cluster": "blue", "metadata_match": v2 } });
        routes(config).insert(0, route);
    });
    let mut clients: Vec<Client> = (0..6).map(|_| lb.client_of("blue").0).collect();
    for _ in 0..3 {
        assert_eq!(fetch(lb.sticky, "/v2", &[]).status, 503);
        let groups = clients.iter_mut().map(|client| group_of(&client.get(lb.sticky, "/").body).to_owned());
        assert_eq!(groups.collect::<Vec<_>>(), ["blue"; 6]);
    }
}

#[test]
fn a_strict_pin_to_a_dead_target_takes_no_client_away_from_its_target_group() {
    let mut lb = Weighted::start(|config| {
        repick(config);
        stateful_session(config)["strict"] = json!(true);
    });
    let [mut of_dead, mut of_living] = [(); 2].map(|()| None);
    wait_until("clients of both targets of blue", || {
        let (client, home) = lb.client_of("blue");
        *(if home == "blue-1" { &mut of_dead } else { &mut of_living }) = Some(client);
        of_dead.is_some() && of_living.is_some()
    });
    let (mut of_dead, mut of_living) = (of_dead.unwrap(), of_living.unwrap());
    lb.kill_and_wait("blue-1", 1);
    for _ in 0..3 {
        assert_eq!(of_dead.get(lb.sticky, "/").status, 503);
        assert_eq!(of_living.get(lb.sticky, "/").body, "blue-2");
    }
}

#[test]
fn a_target_group_that_is_empty_is_left_after_one_503_though_requests_to_it_are_under_way() {
    let mut lb = Weighted::start(repick);
    let (mut another, _) = lb.client_of("blue");
    let (mut client, home) = lb.client_of("blue");
    let waiting = client.begin(lb.sticky, WAIT);
    lb.target(&home).wait_for_waiting(1);
    lb.fail_group("blue");
    assert_eq!(client.get(lb.sticky, "/").status, 503);
    assert_eq!(group_of(&client.get(lb.sticky, "/").body), "green");
    lb.target(&home).release();
    // An unhealthy target still answers the requests that it has.
    assert_eq!(waiting.join().unwrap().body, home);
    for client in [&mut client, &mut another] {
        assert_eq!(group_of(&client.get(lb.sticky, "/").body), "green");
    }
}
