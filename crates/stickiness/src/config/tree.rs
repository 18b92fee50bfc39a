//! Reads the two forms of a configuration, JSON text and `google.protobuf.Struct`, into one shape.

use std::fmt;

use prost::Message;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::error::{ConfigError, quote, shorten};

/// A value of a document. An object keeps its order, and every key, even one that is given twice.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Tree {
    #[default]
    Null,
    Bool(bool),
    /// A `Struct` holds doubles. Every number that a configuration allows is exact in one.
    Number(f64),
    Text(String),
    List(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

impl Tree {
    /// Reads JSON text or a serialized `Struct`. Envoy hands over the text of a `StringValue`, and any other message
    /// serialized. No bytes at all are an empty object.
    ///
    /// The two forms cannot be confused: a `Struct` that is not empty contains the byte 0x12 (field 2 of its entries),
    /// which JSON allows nowhere.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, ConfigError> {
        if bytes.trim_ascii().is_empty() {
            return Ok(Self::Object(Vec::new()));
        }
        serde_json::from_slice(bytes).or_else(|error| {
            if bytes.contains(&0x12)
                && let Ok(decoded) = prost_types::Struct::decode(bytes)
            {
                return Ok(decoded.into());
            }
            // The text is not shown: it may contain a secret.
            Err(ConfigError::new(format!("the configuration is neither JSON nor a google.protobuf.Struct: {error}")))
        })
    }

    /// The value as an error shows it.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(value) => value.to_string(),
            // A number may have 300 digits.
            Self::Number(value) => shorten(&value.to_string()),
            Self::Text(value) => quote(value),
            Self::List(_) => "a list".to_owned(),
            Self::Object(_) => "an object".to_owned(),
        }
    }
}

impl From<prost_types::Struct> for Tree {
    fn from(object: prost_types::Struct) -> Self {
        let entries = object.fields.into_iter();
        Self::Object(entries.map(|(key, value)| (key, value.into())).collect())
    }
}

impl From<prost_types::Value> for Tree {
    fn from(value: prost_types::Value) -> Self {
        use prost_types::value::Kind;
        match value.kind {
            None | Some(Kind::NullValue(_)) => Self::Null,
            Some(Kind::BoolValue(value)) => Self::Bool(value),
            Some(Kind::NumberValue(value)) => Self::Number(value),
            Some(Kind::StringValue(value)) => Self::Text(value),
            Some(Kind::ListValue(list)) => Self::List(list.values.into_iter().map(Self::from).collect()),
            Some(Kind::StructValue(object)) => object.into(),
        }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(value))
    }

    #[expect(clippy::cast_precision_loss, reason = "such numbers are out of every allowed range")]
    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Number(value as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "such numbers are out of every allowed range")]
    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tree, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Tree::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Tree, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = object.next_entry()? {
            entries.push(entry);
        }
        Ok(Tree::Object(entries))
    }
}
