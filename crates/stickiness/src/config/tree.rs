//! Reads the two forms of a configuration, JSON text and a protobuf message, into one shape.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::error::{ConfigError, quote, shorten};
use super::protobuf;

/// U+FEFF in UTF-8, which some editors write at the start of a file.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

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
    /// Reads JSON text or a serialized message. Envoy hands over the text of a `StringValue`, and any other message serialized.
    /// No bytes at all are an empty object.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, ConfigError> {
        let mut text = bytes;
        // "implementations that parse JSON texts MAY ignore the presence of a byte order mark" (RFC 8259 §8.1)
        while let Some(rest) = text.strip_prefix(BYTE_ORDER_MARK) {
            text = rest;
        }
        if text.trim_ascii().is_empty() {
            return Ok(Self::Object(Vec::new()));
        }
        serde_json::from_slice(text).or_else(|error| {
            if protobuf::may_be_a_message(bytes) {
                return protobuf::read(bytes);
            }
            // The text is not shown: it may contain a secret.
            let hint = not_ascii(text, &error).map(|found| format!("; U+{:04X} stands there", u32::from(found)));
            let hint = hint.unwrap_or_default();
            let problem = "the configuration is neither JSON nor a google.protobuf.Struct";
            Err(ConfigError::new(format!("{problem}: {error}{hint}")))
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

/// The character at which the error was found, if it is not ASCII. Nobody sees a space of zero width or that a quotation mark is
/// a curly one.
fn not_ascii(text: &[u8], error: &serde_json::Error) -> Option<char> {
    let text = std::str::from_utf8(text).ok()?;
    let line = text.split('\n').nth(error.line().checked_sub(1)?)?;
    let (_, found) = line.char_indices().take_while(|(place, _)| *place < error.column()).last()?;
    (!found.is_ascii()).then_some(found)
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
