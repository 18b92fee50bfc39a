//! Values that the filter never issued, or issued for another purpose. They do not pin, and all get the same answer.
//!
//! A value is bound to its key, its kind and its target group. It is not bound to a host name, a listener or a client: the
//! holder of a value may use it wherever its target group is.

use data_encoding::{BASE64_NOPAD, HEXUPPER};
use local_envoy::{Config, Plugin};
use serde_json::{Value, json};

use stickiness::outcome::Outcome;
use stickiness::trust::key_ring::CookieKind;

use harness::{
    Client, Connection, KEY, LoadBalancer, OTHER_KEY, Response, Setup, add_group, counted, fetch, forge, forge_as,
    forge_with, wait_until,
};

/// The answer to a client that sends this value as the duration-based cookie.
#[track_caller]
fn answer_to(connection: &mut Connection, value: &[u8]) -> Response {
    connection.fetch("/", &[&[b"cookie: AWSALB=".as_slice(), value].concat()])
}

/// The parts of an answer that depend neither on the target, nor on the second, nor on the nonce. A forger learns nothing from
/// the other parts.
fn shape(answer: &Response) -> Vec<String> {
    let cut = |name: &str, value: &str| match name {
        "set-cookie" => {
            let (pair, attributes) = value.split_once(';').unwrap();
            let attributes = attributes.split(';').filter(|attribute| !attribute.starts_with(" Expires"));
            format!("{} characters;{}", pair.len(), attributes.collect::<String>())
        }
        "date" | "x-envoy-upstream-service-time" => String::new(),
        _ => value.to_owned(),
    };
    let headers = answer.headers.iter().map(|(name, value)| format!("{name}: {}", cut(name, value)));
    std::iter::once(answer.status.to_string()).chain(headers).collect()
}

/// Sends all of these values. They all get the same answer, and are counted as malformed, except for `unknown_keys` of them,
/// which are counted as of an unknown key.
#[track_caller]
fn none_pins(lb: &LoadBalancer, values: &[Vec<u8>], unknown_keys: u64) {
    let count = |outcome| lb.counted(outcome);
    let before = [Outcome::Malformed, Outcome::UnknownKey].map(count);
    let mut connection = Connection::open(lb.sticky);
    let shapes: Vec<_> = values.iter().map(|value| shape(&answer_to(&mut connection, value))).collect();
    for (value, shape) in values.iter().zip(&shapes) {
        assert_eq!(*shape, shapes[0], "{}", String::from_utf8_lossy(value));
    }
    let sent = u64::try_from(values.len()).unwrap();
    // A busy worker reports its counts a moment later.
    wait_until("every value to be counted by what is wrong with it", || {
        let after = [Outcome::Malformed, Outcome::UnknownKey].map(count);
        [after[0] - before[0], after[1] - before[1]] == [sent - unknown_keys, unknown_keys]
    });
    assert_eq!([Outcome::Pinned, Outcome::Moved, Outcome::Expired, Outcome::WrongGroup].map(count), [0; 4]);
}

fn good(lb: &LoadBalancer) -> String {
    forge("web", &lb.targets[1].name_in_envoy(), 0)
}

#[test]
fn a_value_that_is_cut_anywhere_does_not_pin() {
    let lb = LoadBalancer::shipped();
    let value = good(&lb);
    let cut = (0..value.len()).map(|length| value.as_bytes()[..length].to_vec());
    none_pins(&lb, &cut.collect::<Vec<_>>(), 0);
}

#[test]
fn a_value_with_any_bit_of_what_was_sealed_flipped_does_not_pin() {
    let lb = LoadBalancer::shipped();
    let sealed = BASE64_NOPAD.decode(good(&lb).as_bytes()).unwrap();
    let flip = |bit: usize| {
        let mut sealed = sealed.clone();
        sealed[bit / 8] ^= 1 << (bit % 8);
        BASE64_NOPAD.encode(&sealed).into_bytes()
    };
    // The name of the key takes four of the bytes.
    none_pins(&lb, &(0..sealed.len() * 8).map(flip).collect::<Vec<_>>(), 32);
}

#[test]
fn a_value_with_any_bit_of_its_characters_flipped_does_not_pin() {
    let lb = LoadBalancer::shipped();
    let value = good(&lb).into_bytes();
    let flip = |bit: usize| {
        let mut value = value.clone();
        value[bit / 8] ^= 1 << (bit % 8);
        value
    };
    // Envoy itself refuses control characters.
    let sendable = |value: &Vec<u8>| value.iter().all(|byte| *byte >= b' ' && *byte != 0x7f);
    let flipped: Vec<_> = (0..value.len() * 8).map(flip).filter(sendable).collect();
    assert!(flipped.len() > 800, "{}", flipped.len());
    let mut connection = Connection::open(lb.sticky);
    for value in &flipped {
        assert_eq!(answer_to(&mut connection, value).status, 200, "{}", String::from_utf8_lossy(value));
    }
    answer_to(&mut connection, &value);
    let pinned = || lb.counted(Outcome::Pinned) + lb.counted(Outcome::Moved);
    wait_until("the good value to be counted", || pinned() > 0);
    assert_eq!(pinned(), 1);
}

#[test]
fn a_value_of_a_key_that_is_not_ours_does_not_pin_even_under_the_name_of_our_key() {
    let lb = LoadBalancer::shipped();
    let target = lb.targets[1].name_in_envoy();
    let sealed = BASE64_NOPAD.decode(forge_with(OTHER_KEY, "web", &target, 0).as_bytes()).unwrap();
    let ours = BASE64_NOPAD.decode(good(&lb).as_bytes()).unwrap();
    let renamed = BASE64_NOPAD.encode(&[&ours[..5], &sealed[5..]].concat());
    none_pins(&lb, &[renamed.into_bytes(), BASE64_NOPAD.encode(&sealed).into_bytes()], 1);
}

#[test]
fn parts_of_two_good_values_do_not_make_one() {
    let lb = LoadBalancer::shipped();
    let [a, b] = [0, 1].map(|target: usize| forge("web", &lb.targets[target].name_in_envoy(), 0));
    let spliced: Vec<_> = (8..a.len()).map(|at| format!("{}{}", &a[..at], &b[at..]).into_bytes()).collect();
    let spliced: Vec<_> =
        spliced.into_iter().filter(|value| *value != a.as_bytes() && *value != b.as_bytes()).collect();
    assert!(spliced.len() > 20, "{}", spliced.len());
    none_pins(&lb, &spliced, 0);
}

/// Each kind with its cluster, its policy, and the name of its cookie.
fn kinds() -> [(CookieKind, &'static str, Value, &'static str); 5] {
    let follows = |kind: &str| json!({ "type": kind, kind: { "cookie_name": "sid" } });
    [
        (CookieKind::LbCookie, "web", json!({ "type": "lb_cookie" }), "AWSALB"),
        (CookieKind::AppCookie, "app", follows("app_cookie"), "AWSALBAPP-0"),
        (CookieKind::TargetGroup, "ruled", json!({ "enabled": false }), "AWSALBTG"),
        (CookieKind::ClassicLbCookie, "classic", json!({ "type": "classic_lb_cookie" }), "AWSELB"),
        (CookieKind::ClassicAppCookie, "classic-app", follows("classic_app_cookie"), "AWSELB"),
    ]
}

fn all_kinds() -> LoadBalancer {
    let policies = kinds().map(|(_, cluster, stickiness, _)| (cluster.to_owned(), json!({ "stickiness": stickiness })));
    let rule = json!({ "target_groups": ["ruled"], "target_group_stickiness": { "duration_seconds": 60 } });
    let plugin = json!({ "target_groups": Value::Object(policies.into_iter().collect()), "rules": [rule] });
    let edit = |config: &mut Config| kinds()[1..].iter().for_each(|(_, cluster, ..)| add_group(config, cluster));
    LoadBalancer::start(&Setup { plugin: Some(Plugin::Struct(plugin)), edit: &edit, ..Setup::default() })
}

/// A value of one kind in the alphabet of another.
fn respelled(value: &str, from: CookieKind, to: CookieKind) -> String {
    let is_classic = |kind| matches!(kind, CookieKind::ClassicLbCookie | CookieKind::ClassicAppCookie);
    let sealed =
        if is_classic(from) { HEXUPPER.decode(value.as_bytes()) } else { BASE64_NOPAD.decode(value.as_bytes()) };
    let sealed = sealed.unwrap();
    if is_classic(to) { HEXUPPER.encode(&sealed) } else { BASE64_NOPAD.encode(&sealed) }
}

#[test]
fn a_value_of_one_kind_is_of_no_use_as_any_other() {
    let lb = all_kinds();
    let target = lb.targets[1].name_in_envoy();
    for (of, ..) in kinds() {
        for (used_as, cluster, _, name) in kinds() {
            let value = respelled(&forge_as(of, KEY, &[(cluster, &target, 0)]), of, used_as);
            let outcome = if of == used_as { Outcome::Pinned } else { Outcome::Malformed };
            let before = counted(&lb.envoy, cluster, outcome.word());
            let path = if cluster == "web" { "/".to_owned() } else { format!("/{cluster}/") };
            let line = format!("cookie: sid=1; {name}={value}");
            for _ in 0..2 {
                assert_eq!(fetch(lb.sticky, &path, &[line.as_bytes()]).status, 200);
            }
            // A pin that was renewed, or whose target did not answer, would be counted as another outcome.
            assert_eq!(counted(&lb.envoy, cluster, outcome.word()), before + 2, "{of:?} as {used_as:?}");
        }
    }
}

#[test]
fn a_value_of_one_target_group_is_of_no_use_in_another_whatever_its_kind() {
    let lb = all_kinds();
    let target = lb.targets[1].name_in_envoy();
    for (kind, cluster, _, name) in kinds() {
        let value = forge_as(kind, KEY, &[("elsewhere", &target, 0)]);
        let path = if cluster == "web" { "/".to_owned() } else { format!("/{cluster}/") };
        let line = format!("cookie: sid=1; {name}={value}");
        let bodies = [0; 2].map(|_| fetch(lb.sticky, &path, &[line.as_bytes()]).body);
        assert_ne!(bodies[0], bodies[1], "{kind:?}");
        assert_eq!(counted(&lb.envoy, cluster, "wrong_group"), 2, "{kind:?}");
    }
}

#[test]
fn a_value_names_no_host_and_no_client_and_works_wherever_its_target_group_is() {
    let other_host = |config: &mut Config| {
        let hosts =
            config.connection_manager("sticky").unwrap()["route_config"]["virtual_hosts"].as_array_mut().unwrap();
        let mut other = hosts[0].clone();
        other["name"] = json!("other");
        other["domains"] = json!(["other.example"]);
        hosts.push(other);
        let mut listener = config.listener("sticky").unwrap().clone();
        listener["name"] = json!("another");
        config.at("/static_resources/listeners").unwrap().as_array_mut().unwrap().push(listener);
    };
    let lb = LoadBalancer::start(&Setup { edit: &other_host, ..Setup::default() });
    let mut client = Client::default();
    let home = client.get(lb.sticky, "/").body;
    let cookie = format!("AWSALB={}", client.jar["AWSALB"]);
    for _ in 0..4 {
        let request = format!("GET / HTTP/1.1\r\nhost: other.example\r\ncookie: {cookie}\r\n\r\n");
        assert_eq!(Connection::open(lb.sticky).send(request.as_bytes()).body, home);
        let line = format!("cookie: {cookie}");
        assert_eq!(fetch(lb.envoy.address("another").unwrap(), "/", &[line.as_bytes()]).body, home);
    }
    assert_eq!(lb.counted(Outcome::Pinned), 8);
}
