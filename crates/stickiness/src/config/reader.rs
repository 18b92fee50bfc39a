//! Where in a document a value stands, so that an error can say so.
//!
//! AWS prints numbers and booleans as strings, so `"86400"` is 86400 where a number is asked for.

use serde::Deserialize;
use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::ConfigError;
use super::tree::Tree;

/// Values under these keys are never shown in an error.
pub(super) const SECRET: &[&str] = &["keys", "secret"];

/// The longest misspelt name of a key that is shown where secrets stand, in bytes.
const LONGEST_NAME: usize = 16;

/// Reads a document.
pub(super) fn read<'de, T: Deserialize<'de>>(document: &Tree) -> Result<T, ConfigError> {
    T::deserialize(Reader { tree: document, is_secret: false })
}

/// A value of the document.
#[derive(Clone, Copy)]
struct Reader<'a> {
    tree: &'a Tree,
    is_secret: bool,
}

impl<'a> Reader<'a> {
    fn is_not(self, what: &str) -> ConfigError {
        if self.is_secret {
            return ConfigError::new(format_args!("the value (a secret, not shown) is not {what}"));
        }
        let value = match self.tree {
            Tree::Null => de::Unexpected::Unit,
            Tree::Bool(value) => de::Unexpected::Bool(*value),
            Tree::Number(value) => de::Unexpected::Float(*value),
            Tree::Text(value) => de::Unexpected::Str(value),
            Tree::List(_) => de::Unexpected::Seq,
            Tree::Object(_) => de::Unexpected::Map,
        };
        de::Error::invalid_type(value, &what)
    }

    fn text(self) -> Result<&'a str, ConfigError> {
        match self.tree {
            Tree::Text(text) => Ok(text),
            _ => Err(self.is_not("a string")),
        }
    }
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = ConfigError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ConfigError> {
        match self.tree {
            Tree::Null => visitor.visit_unit(),
            Tree::Bool(value) => visitor.visit_bool(*value),
            Tree::Number(value) => visit_number(*value, visitor),
            Tree::Text(value) => visitor.visit_str(value),
            Tree::List(_) => self.deserialize_seq(visitor),
            Tree::Object(_) => self.deserialize_map(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ConfigError> {
        match self.tree {
            Tree::Bool(value) => visitor.visit_bool(*value),
            Tree::Text(text) if text == "true" => visitor.visit_bool(true),
            Tree::Text(text) if text == "false" => visitor.visit_bool(false),
            _ => Err(self.is_not("true or false")),
        }
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ConfigError> {
        match self.tree {
            Tree::Text(text) if let Some(number) = whole_number(text) => visitor.visit_u64(number),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ConfigError> {
        visitor.visit_str(self.text()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ConfigError> {
        self.deserialize_str(visitor)
    }

    /// A null is a value like any other, and a wrong one: what a template has left empty is not to mean the default.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ConfigError> {
        visitor.visit_some(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ConfigError> {
        let Tree::List(elements) = self.tree else {
            return Err(self.is_not("a list"));
        };
        visitor.visit_seq(Elements { left: elements.iter(), next_index: 0, is_secret: self.is_secret })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ConfigError> {
        let Tree::Object(entries) = self.tree else {
            return Err(self.is_not("an object"));
        };
        visitor.visit_map(Entries { left: entries.iter(), current: None, is_secret: self.is_secret })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ConfigError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ConfigError> {
        let Tree::Text(text) = self.tree else {
            return Err(self.is_not(&format!("one of {}", variants.join(", "))));
        };
        let variant: StrDeserializer<'_, ConfigError> = text.as_str().into_deserializer();
        visitor.visit_enum(variant)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 u8 u16 u32 f32 f64 char bytes byte_buf unit unit_struct newtype_struct tuple tuple_struct
        identifier ignored_any
    }
}

/// A number as AWS prints it: digits, and no more of them than it needs.
fn whole_number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

/// Whole numbers are visited as such: a `Struct` holds 86400 as 86400.0.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    reason = "a number that the cast changes is visited as it is"
)]
fn visit_number<'de, V: Visitor<'de>>(number: f64, visitor: V) -> Result<V::Value, ConfigError> {
    let whole = number as u64;
    if whole as f64 == number { visitor.visit_u64(whole) } else { visitor.visit_f64(number) }
}

struct Entries<'a> {
    left: std::slice::Iter<'a, (String, Tree)>,
    current: Option<&'a (String, Tree)>,
    is_secret: bool,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = ConfigError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ConfigError> {
        self.current = self.left.next();
        let Some((key, _)) = self.current else {
            return Ok(None);
        };
        let name: StrDeserializer<'_, ConfigError> = key.as_str().into_deserializer();
        // Whoever forgets the names writes the secret where a name belongs, and no secret is so short.
        let may_be_secret = self.is_secret && key.len() > LONGEST_NAME;
        seed.deserialize(name).map(Some).map_err(|error| if may_be_secret { error.without(key) } else { error })
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ConfigError> {
        let Some((key, tree)) = self.current else {
            return Err(ConfigError::new("a value was read before its key"));
        };
        let is_secret = self.is_secret || SECRET.contains(&key.as_str());
        seed.deserialize(Reader { tree, is_secret }).map_err(|error| error.under(key))
    }
}

struct Elements<'a> {
    left: std::slice::Iter<'a, Tree>,
    next_index: usize,
    is_secret: bool,
}

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = ConfigError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, ConfigError> {
        let Some(tree) = self.left.next() else {
            return Ok(None);
        };
        let index = self.next_index;
        self.next_index = index.saturating_add(1);
        seed.deserialize(Reader { tree, is_secret: self.is_secret })
            .map(Some)
            .map_err(|error| error.under(&format!("[{index}]")))
    }
}
