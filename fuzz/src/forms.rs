//! Writes one configuration in its other forms.

use prost::Message;
use prost_types::value::Kind;
use serde_json::{Map, Value, json};

/// The document as the bytes of a `google.protobuf.Struct`, as Envoy passes it. `None` when it is no object.
#[must_use]
pub fn as_struct(document: &Value) -> Option<Vec<u8>> {
    fn value(json: &Value) -> prost_types::Value {
        let kind = match json {
            Value::Null => Kind::NullValue(0),
            Value::Bool(value) => Kind::BoolValue(*value),
            Value::Number(value) => Kind::NumberValue(value.as_f64().unwrap_or_default()),
            Value::String(value) => Kind::StringValue(value.clone()),
            Value::Array(values) => {
                Kind::ListValue(prost_types::ListValue { values: values.iter().map(value).collect() })
            }
            Value::Object(fields) => Kind::StructValue(prost_types::Struct {
                fields: fields.iter().map(|(key, json)| (key.clone(), value(json))).collect(),
            }),
        };
        prost_types::Value { kind: Some(kind) }
    }
    match value(document).kind {
        Some(Kind::StructValue(object)) => Some(object.encode_to_vec()),
        _ => None,
    }
}

/// The document with dotted keys instead of nested objects.
#[must_use]
pub fn dotted(document: &Value) -> Value {
    let Value::Object(entries) = document else { return document.clone() };
    let mut dotted = Map::new();
    for (key, value) in entries {
        match (key.as_str(), value) {
            ("target_groups" | "policies", Value::Object(by_name)) => {
                let by_name = by_name.iter().map(|(name, group)| (name.clone(), flat(group)));
                dotted.insert(key.clone(), Value::Object(by_name.collect()));
            }
            ("rules", Value::Array(rules)) => {
                dotted.insert(key.clone(), rules.iter().map(flat).collect());
            }
            ("keys", _) => {
                dotted.insert(key.clone(), value.clone());
            }
            _ => flatten(key, value, &mut dotted),
        }
    }
    Value::Object(dotted)
}

fn flat(value: &Value) -> Value {
    let Value::Object(entries) = value else { return value.clone() };
    let mut dotted = Map::new();
    for (key, value) in entries {
        flatten(key, value, &mut dotted);
    }
    Value::Object(dotted)
}

fn flatten(key: &str, value: &Value, into: &mut Map<String, Value>) {
    match value {
        // The form that AWS prints has no dotted form.
        Value::Object(entries) if !entries.is_empty() && !key.starts_with(|first: char| first.is_ascii_uppercase()) => {
            for (inner, value) in entries {
                flatten(&format!("{key}.{inner}"), value, into);
            }
        }
        _ => {
            into.insert(key.to_owned(), value.clone());
        }
    }
}

/// The document with strings for whole numbers and flags, as AWS prints them.
#[must_use]
pub fn as_strings(document: &Value) -> Value {
    match document {
        Value::Bool(value) => json!(value.to_string()),
        Value::Number(value) if value.is_u64() => json!(value.to_string()),
        Value::Array(values) => values.iter().map(as_strings).collect(),
        Value::Object(entries) => {
            entries.iter().map(|(key, value)| (key.clone(), as_strings(value))).collect::<Map<_, _>>().into()
        }
        other => other.clone(),
    }
}
