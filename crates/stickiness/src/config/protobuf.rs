//! Reads the protobuf messages in which an Envoy configuration may give the plugin's configuration.
//!
//! Envoy hands over the text of a `google.protobuf.StringValue` or `BytesValue`, and every other message serialized, without
//! the name of its type. A reader of protobuf skips the fields that it does not know, so that every message can be read as an
//! empty object. A configuration that is passed over in this way would make every cluster sticky, with keys that nobody chose.
//! Therefore a message counts only if all its bytes are read: if it has as many when it is written again.

use prost::{Message, Oneof};

use super::error::ConfigError;
use super::tree::Tree;
use crate::by_name::in_order;

/// `google.protobuf.Struct`, with its map as it is on the wire: a list, so that a key that stands there twice is not lost.
#[derive(Clone, PartialEq, Message)]
struct Struct {
    #[prost(message, repeated, tag = "1")]
    fields: Vec<Field>,
}

#[derive(Clone, PartialEq, Message)]
struct Field {
    #[prost(string, optional, tag = "1")]
    key: Option<String>,
    #[prost(message, optional, tag = "2")]
    value: Option<Value>,
}

/// `google.protobuf.Value`.
#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(oneof = "Kind", tags = "1, 2, 3, 4, 5, 6")]
    kind: Option<Kind>,
}

#[derive(Clone, PartialEq, Oneof)]
enum Kind {
    #[prost(uint64, tag = "1")]
    Null(u64),
    #[prost(double, tag = "2")]
    Number(f64),
    #[prost(string, tag = "3")]
    Text(String),
    #[prost(bool, tag = "4")]
    Bool(bool),
    #[prost(message, tag = "5")]
    Object(Struct),
    #[prost(message, tag = "6")]
    List(ListValue),
}

/// `google.protobuf.ListValue`.
#[derive(Clone, PartialEq, Message)]
struct ListValue {
    #[prost(message, repeated, tag = "1")]
    values: Vec<Value>,
}

/// `xds.type.v3.TypedStruct` and `udpa.type.v1.TypedStruct`. The type is not needed: the content says what it is.
#[derive(Clone, PartialEq, Message)]
struct TypedStruct {
    #[prost(string, optional, tag = "1")]
    type_url: Option<String>,
    #[prost(message, optional, tag = "2")]
    value: Option<Struct>,
}

/// Returns true if the bytes may be one of these messages. Each contains a control character, which JSON allows nowhere.
pub(super) fn may_be_a_message(bytes: &[u8]) -> bool {
    bytes.iter().any(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace())
}

/// Reads a configuration that is a message.
pub(super) fn read(bytes: &[u8]) -> Result<Tree, ConfigError> {
    if let Some(object) = whole::<Struct>(bytes) {
        return Ok(object.into());
    }
    if let Some(TypedStruct { value: Some(object), .. }) = whole(bytes) {
        return Ok(object.into());
    }
    let what = match whole::<Value>(bytes).map(|value| value.kind) {
        Some(Some(Kind::Object(object))) => return Ok(object.into()),
        Some(Some(Kind::Text(_))) => {
            "a google.protobuf.Value with a string; give the text as google.protobuf.StringValue"
        }
        Some(_) => "a google.protobuf.Value without an object",
        None if whole::<ListValue>(bytes).is_some() => "a google.protobuf.ListValue, not an object",
        None => {
            "neither JSON nor a whole google.protobuf.Struct; give JSON as google.protobuf.StringValue, or give a \
             google.protobuf.Struct"
        }
    };
    Err(ConfigError::new(format!("the configuration is {what}")))
}

/// The message, if it has all the bytes.
fn whole<M: Message + Default>(bytes: &[u8]) -> Option<M> {
    M::decode(bytes).ok().filter(|message| message.encoded_len() == bytes.len())
}

impl From<Struct> for Tree {
    /// The entries are in the order of their keys. Envoy writes them in any order, and of several errors the same one is to be
    /// told every time.
    fn from(Struct { mut fields }: Struct) -> Self {
        let keys: Vec<&str> = fields.iter().map(Field::key).collect();
        let order = in_order(&keys);
        let fields = order.into_iter().filter_map(|place| fields.get_mut(place).map(std::mem::take));
        let entry = |field: Field| (field.key.unwrap_or_default(), field.value.unwrap_or_default().into());
        Self::Object(fields.map(entry).collect())
    }
}

impl From<Value> for Tree {
    fn from(value: Value) -> Self {
        match value.kind {
            None | Some(Kind::Null(_)) => Self::Null,
            Some(Kind::Bool(value)) => Self::Bool(value),
            Some(Kind::Number(value)) => Self::Number(value),
            Some(Kind::Text(value)) => Self::Text(value),
            Some(Kind::List(list)) => Self::List(list.values.into_iter().map(Self::from).collect()),
            Some(Kind::Object(object)) => object.into(),
        }
    }
}
