use std::rc::Rc;
use std::time::Duration;

use prost::Message;
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};

use super::*;
use crate::policy::{
    CookieOptions, Expires, MaxAge, OnEmptyGroup, Renew, Rule, SameSite, Secure, Stickiness, UnusedShards,
};

mod aws;
mod cookie;
mod document;
mod keys;
mod messages;
mod rule;
mod shared_cookies;
mod target_group;

fn parse(json: &str) -> Config {
    Config::parse(json.as_bytes()).unwrap().config
}

#[track_caller]
fn refused(json: &str, message: &str) {
    assert_eq!(Config::parse(json.as_bytes()).unwrap_err().to_string(), message);
}

fn seconds(config: &Config, target_group: &str) -> Option<u64> {
    match config.policy(target_group)?.stickiness {
        Stickiness::LbCookie { duration } => Some(duration.as_secs()),
        _ => None,
    }
}

/// The same configuration as the bytes of a `google.protobuf.Struct`, as Envoy hands it over.
fn as_struct(json: &str) -> Vec<u8> {
    match as_value(json).kind {
        Some(Kind::StructValue(object)) => object.encode_to_vec(),
        _ => panic!("a Struct is an object"),
    }
}

/// The same value as a `google.protobuf.Value`.
fn as_value(json: &str) -> Value {
    fn value(json: serde_json::Value) -> Value {
        use serde_json::Value as Json;
        let kind = match json {
            Json::Null => Kind::NullValue(0),
            Json::Bool(value) => Kind::BoolValue(value),
            Json::Number(value) => Kind::NumberValue(value.as_f64().unwrap()),
            Json::String(value) => Kind::StringValue(value),
            Json::Array(values) => Kind::ListValue(ListValue { values: values.into_iter().map(value).collect() }),
            Json::Object(fields) => {
                Kind::StructValue(Struct { fields: fields.into_iter().map(|(key, json)| (key, value(json))).collect() })
            }
        };
        Value { kind: Some(kind) }
    }
    value(serde_json::from_str(json).unwrap())
}

const NESTED: &str = r#"{"target_groups": {"web": {"stickiness": {
    "enabled": true, "type": "lb_cookie", "lb_cookie": {"duration_seconds": 60}}}}}"#;
