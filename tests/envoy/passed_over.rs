//! No configuration is passed over: the filter uses it whole, or refuses it.

use local_envoy::{Config, Plugin, Validation, validate};
use serde_json::{Value, json};

use harness::{Setup, envoy_binary, fetch, sticky_config};

use crate::pool;

/// A message as an Envoy configuration writes it.
fn message(of_type: &str, content: Value) -> Value {
    let Value::Object(mut fields) = content else { panic!("{content} is no message") };
    fields.insert("@type".to_owned(), format!("type.googleapis.com/{of_type}").into());
    Value::Object(fields)
}

/// One of the types that JSON writes as `value`.
fn wrapped(of_type: &str, value: &Value) -> Value {
    message(of_type, json!({ "value": value }))
}

fn lasting(seconds: u32) -> Value {
    json!({ "target_groups": { "web": { "stickiness": { "lb_cookie": { "duration_seconds": seconds } } } } })
}

/// The number of seconds that the cookies last with this configuration is 60.
#[track_caller]
fn lasts_a_minute(plugin: Plugin<'_>) {
    let lb = pool::start(&Setup { plugin: Some(plugin), ..Setup::default() });
    let left = fetch(lb.sticky, "/", &[]).expires_in();
    assert!((50..=60).contains(&left), "{left}");
}

fn judge(plugin: Plugin<'_>) -> Validation {
    validate(envoy_binary(), &sticky_config(&[], &Setup { plugin: Some(plugin), ..Setup::default() }), &[]).unwrap()
}

/// The configuration is refused, and the filter logs exactly one line, with this message.
#[track_caller]
fn refused(plugin: &Plugin<'_>, expected: &str) {
    let answer = judge(plugin.clone());
    assert!(!answer.accepted, "{plugin:?} is accepted");
    let lines: Vec<&str> = answer.log.lines().filter(|line| line.contains("wasm log")).collect();
    assert_eq!(lines.len(), 1, "{plugin:?}: {}", answer.log);
    assert!(lines[0].ends_with(&format!(": {expected}")), "{plugin:?}: {}", answer.log);
}

/// envoyproxy/envoy#10782, #13670. A reader of protobuf takes these for an empty object.
#[test]
fn an_object_in_a_value_or_a_typed_struct_is_used() {
    let url = "type.googleapis.com/google.protobuf.Struct";
    let with_url = |url: &str| json!({ "type_url": url, "value": lasting(60) });
    for configuration in [
        wrapped("google.protobuf.Value", &lasting(60)),
        message("xds.type.v3.TypedStruct", with_url("")),
        message("xds.type.v3.TypedStruct", with_url(url)),
        message("udpa.type.v1.TypedStruct", with_url("")),
        message("udpa.type.v1.TypedStruct", with_url(url)),
    ] {
        lasts_a_minute(Plugin::Message(configuration));
    }
    refused(
        &Plugin::Message(wrapped("google.protobuf.Value", &lasting(0))),
        "target_groups.web.stickiness.lb_cookie.duration_seconds: 0 is not between 1 and 604800",
    );
}

#[test]
fn a_message_of_another_type_is_refused_with_the_types_to_use() {
    let other = "the configuration is neither JSON nor a whole google.protobuf.Struct; give JSON as \
                 google.protobuf.StringValue, or give a google.protobuf.Struct";
    let of_value = "the configuration is a google.protobuf.Value without an object";
    for (configuration, expected) in [
        (message("envoy.extensions.wasm.v3.VmConfig", json!({ "vm_id": "a", "runtime": "b" })), other),
        (message("envoy.config.core.v3.Metadata", json!({ "filter_metadata": { "a": lasting(60) } })), other),
        (
            wrapped("google.protobuf.ListValue", &json!([lasting(60)])),
            "the configuration is a google.protobuf.ListValue, not an object",
        ),
        (wrapped("google.protobuf.Value", &Value::Null), of_value),
        (wrapped("google.protobuf.Value", &json!([lasting(60)])), of_value),
        (
            wrapped("google.protobuf.Value", &lasting(60).to_string().into()),
            "the configuration is a google.protobuf.Value with a string; give the text as google.protobuf.StringValue",
        ),
    ] {
        refused(&Plugin::Message(configuration), expected);
    }
    for configuration in [
        wrapped("google.protobuf.Duration", &"18s".into()),
        wrapped("google.protobuf.BoolValue", &true.into()),
        wrapped("google.protobuf.UInt32Value", &18.into()),
        wrapped("google.protobuf.DoubleValue", &86_400.0.into()),
        wrapped("google.protobuf.Any", &wrapped("google.protobuf.StringValue", &lasting(60).to_string().into())),
    ] {
        let answer = judge(Plugin::Message(configuration.clone()));
        assert!(!answer.accepted && answer.log.contains("the configuration is "), "{configuration}: {}", answer.log);
    }
}

/// It is the plugin's, in the wrong place.
#[test]
fn a_configuration_of_the_vm_is_refused() {
    let in_vm = |config: &mut Config| {
        let text = wrapped("google.protobuf.StringValue", &lasting(60).to_string().into());
        config.wasm_filters(|filter| filter["vm_config"]["configuration"] = text.clone()).unwrap();
    };
    let answer =
        validate(envoy_binary(), &sticky_config(&[], &Setup { edit: &in_vm, ..Setup::default() }), &[]).unwrap();
    let expected = "the filter does not read vm_config.configuration; write it into configuration, beside vm_config";
    assert!(!answer.accepted && answer.log.contains(expected), "{}", answer.log);
}

/// With a name that is none, the filter would never look for the target group, and keep nobody.
#[test]
fn an_only_target_group_that_names_nothing_sticky_is_refused_with_the_near_miss() {
    let only = |name: &str, web: &Value| {
        json!({ "target_groups": { "web": web }, "upstream": { "only_target_group": name } }).to_string()
    };
    for (name, web, problem) in [
        ("wbe", json!({}), "\"wbe\" is not one of target_groups, so nothing would be sticky; did you mean web?"),
        ("*", json!({}), "\"*\" is not a name"),
        (
            "web",
            json!({ "stickiness": { "enabled": false } }),
            "\"web\" is not sticky: target_groups turns its stickiness off, so nothing would be sticky",
        ),
    ] {
        refused(&Plugin::Json(&only(name, &web)), &format!("upstream.only_target_group: {problem}"));
    }
    lasts_a_minute(Plugin::Json(&only("web", &lasting(60)["target_groups"]["web"])));
}

#[test]
fn a_setting_without_effect_is_warned_of() {
    let configuration = json!({
        "target_groups": {
            "web": { "stickiness": { "app_cookie": { "cookie_name": "JSESSIONID" } } },
            "api": { "stickiness": { "type": "classic_lb_cookie" }, "cookie": { "renew": "sliding" } }
        },
        "rules": [{ "target_groups": ["web", "green"], "target_group_stickiness": { "duration_seconds": 60 } }]
    });
    let answer = judge(Plugin::Struct(configuration));
    assert!(answer.accepted, "{}", answer.log);
    for place in
        ["target_groups.web.stickiness.app_cookie", "target_groups.api.cookie.renew", "rules[0].target_groups[1]"]
    {
        let warnings = answer.log.lines().filter(|line| line.contains("[warning]") && line.contains(place));
        assert_eq!(warnings.count(), 1, "{place}: {}", answer.log);
    }
}

/// moby/moby#44777, sensu/sensu#1232: editors of some systems write a byte order mark, and nobody sees it.
#[test]
fn a_byte_order_mark_before_the_text_is_skipped() {
    let text = format!("\u{feff}{}", lasting(60));
    lasts_a_minute(Plugin::Json(&text));
    let bytes = data_encoding::BASE64.encode(text.as_bytes());
    lasts_a_minute(Plugin::Message(wrapped("google.protobuf.BytesValue", &bytes.into())));
    let invisible = "the configuration is neither JSON nor a google.protobuf.Struct: expected value at line 1 column 1; U+200B \
                     stands there";
    refused(&Plugin::Json(&format!("\u{200b}{}", lasting(60))), invisible);
}
