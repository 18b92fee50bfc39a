//! The cost of loading a configuration of many target groups, in instructions.
//!
//! Every worker loads every configuration that is pushed, and serves nobody meanwhile. So the cost may grow with the size of
//! the configuration, and not with its square (envoyproxy/envoy#1445).

use std::fmt::Write;
use std::sync::OnceLock;

use wasm_host::{Host, Module, Vm};

const MANY: usize = 10_000;

fn module() -> &'static Module {
    static MODULE: OnceLock<Module> = OnceLock::new();
    MODULE.get_or_init(|| Vm::metered_module(&std::fs::read(super::filter()).unwrap()).unwrap())
}

/// The instructions that loading this configuration costs, and the line of the log if it is refused.
fn load(configuration: &str) -> (u64, Option<String>) {
    let mut vm = Vm::load(module(), Host::default());
    vm.initialize().unwrap();
    let plugin = vm.create(0).unwrap();
    let before = vm.fuel();
    let accepted = vm.configure(plugin, configuration).unwrap();
    (vm.fuel() - before, (!accepted).then(|| vm.host().log.join("\n")))
}

/// Twice the configuration costs at most 2.3 times as much. A sort by name makes it more than twice.
#[track_caller]
fn grows_with(what: &str, configuration: impl Fn(usize) -> String) {
    let [once, twice] = [MANY, 2 * MANY].map(|count| {
        let (cost, refused) = load(&configuration(count));
        assert_eq!(refused, None, "{count} {what}");
        cost
    });
    let [few, times] = [once / u64::try_from(MANY).unwrap(), 10 * twice / once];
    println!("{what}: {few} instructions each, {times} tenths for twice as many");
    assert!(times <= 23, "{what}: {once} instructions, and {twice} for twice as many");
}

/// As a service mesh names its clusters. They begin alike, and the generator has not sorted them.
fn name(number: usize, count: usize) -> String {
    let number = number * 7919 % count;
    format!("outbound|80||service-{number:06}.namespace-{}.svc.cluster.local", number % 97)
}

/// The parts, for each number up to `count`, with commas between them.
fn list(count: usize, part: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut list, number| {
        let comma = if number == 0 { "" } else { ", " };
        write!(list, "{comma}{}", part(number)).unwrap();
        list
    })
}

/// A configuration with these blocks under each of many names in the object `key`.
fn named(key: &str, block: &str) -> impl Fn(usize) -> String {
    move |count| {
        format!(r#"{{"{key}": {{{}}}}}"#, list(count, |number| format!(r#""{}": {block}"#, name(number, count))))
    }
}

const NESTED: &str = r#"{"stickiness": {"lb_cookie": {"duration_seconds": 60}}}"#;

#[test]
fn the_cost_of_target_groups_grows_with_their_number_nested_dotted_or_pasted() {
    grows_with("nested target groups", named("target_groups", NESTED));
    let dotted = r#"{"stickiness.enabled": "true", "stickiness.type": "lb_cookie", "stickiness.lb_cookie.duration_seconds": "60"}"#;
    grows_with("dotted target groups", named("target_groups", dotted));
    let pasted = r#"{"Attributes": [{"Key": "stickiness.enabled", "Value": "true"}, {"Key": "stickiness.type", "Value": "lb_cookie"}]}"#;
    grows_with("pasted target groups", named("target_groups", pasted));
    grows_with("target groups under dotted keys", |count| {
        let group = |number| format!(r#""target_groups.{}": {NESTED}"#, name(number, count));
        format!("{{{}}}", list(count, group))
    });
}

#[test]
fn the_cost_of_names_that_begin_alike_grows_with_their_number() {
    let start = "a".repeat(250);
    grows_with("long names", |count| {
        let group = |number: usize| format!(r#""{start}{:06}": {{}}"#, number * 7919 % count);
        format!(r#"{{"target_groups": {{{}}}}}"#, list(count, group))
    });
}

#[test]
fn the_cost_of_policies_grows_with_their_number() {
    grows_with("policies", named("policies", r#"{"cookie": {"path": "/cart", "renew": "sliding"}}"#));
}

#[test]
fn the_cost_of_cookie_names_grows_with_their_number() {
    grows_with("target groups with cookie names of their own", |count| {
        let group = |number| format!(r#""{}": {{"cookie": {{"name": "STICKY{number}"}}}}"#, name(number, count));
        format!(r#"{{"target_groups": {{{}}}}}"#, list(count, group))
    });
    grows_with("target groups that follow an application each", |count| {
        let group = |number| {
            let stickiness = format!(r#"{{"type": "app_cookie", "app_cookie": {{"cookie_name": "SESSION{number}"}}}}"#);
            format!(r#""{}": {{"stickiness": {stickiness}}}"#, name(number, count))
        };
        format!(r#"{{"target_groups": {{{}}}}}"#, list(count, group))
    });
}

#[test]
fn the_cost_of_rules_grows_with_their_number() {
    grows_with("rules", |count| {
        let rule = |number| {
            let [one, other] = [number, (number + 1) % count].map(|number| name(number, count));
            format!(
                r#"{{"target_groups": ["{one}", "{other}"], "target_group_stickiness": {{"duration_seconds": 60}}}}"#
            )
        };
        let groups = list(count, |number| format!(r#""{}": {{}}"#, name(number, count)));
        format!(r#"{{"rules": [{}], "target_groups": {{{groups}}}}}"#, list(count, rule))
    });
}

/// The cost of telling an error grows in the same way, and of several errors the same one is told as of few.
#[test]
fn the_cost_of_what_is_refused_grows_with_its_size() {
    let refused = |configuration: &dyn Fn(usize) -> String, message: &str| {
        let [once, twice] = [MANY, 2 * MANY].map(|count| {
            let (cost, refused) = load(&configuration(count));
            assert!(refused.as_ref().is_some_and(|refused| refused.contains(message)), "{refused:?}");
            cost
        });
        assert!(10 * twice <= 23 * once, "{message}: {once} instructions, and {twice} for twice as many");
    };
    let key = r#"{"id": "a", "secret": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}"#;
    refused(&|count| format!(r#"{{"keys": [{}]}}"#, list(count, |_| key.to_owned())), "keys are too many");
    refused(
        &|count| format!("{{{}}}", list(count, |number| format!(r#""a{number}.b": 1"#))),
        "a0: there is no such key",
    );
    let twice = |count| {
        format!(r#"{{"target_groups": {{{}, "x": {{}}, "x": {{}}}}}}"#, list(count, |n| format!(r#""{n}": {{}}"#)))
    };
    refused(&twice, "target_groups.x: is given twice");
    // The first in the order of the names, wherever it stands.
    let app = named("target_groups", r#"{"stickiness": {"type": "app_cookie"}}"#);
    refused(&app, "service-000000.namespace-0.svc.cluster.local\".stickiness.app_cookie.cookie_name: You must set");
    let attributes = |count| list(count, |number| format!(r#"{{"Key": "slow_start.{number}", "Value": "0"}}"#));
    let pasted = |count| format!(r#"{{"target_groups": {{"web": {{"Attributes": [{}, {{}}]}}}}}}"#, attributes(count));
    refused(&pasted, "Key: is required");
}
