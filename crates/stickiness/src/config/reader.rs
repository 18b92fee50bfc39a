//! Reads a tree into blocks and values, and adds to each error the place in the document.
//!
//! AWS prints numbers and booleans as strings, so `"86400"` is 86400 where a number is asked for.
//!
//! The walk through objects and lists takes trait objects, so that it is in the module once and not once for each type:
//! Envoy compiles the module at every start.

use std::fmt::Display;
use std::ops::RangeInclusive;

use super::error::{ConfigError, Segment};
use super::tree::Tree;

/// Values under these keys are never shown in an error.
pub(super) const SECRET: &[&str] = &["keys", "secret"];

/// The longest unknown key that is shown where secrets stand, in bytes. A misspelt key fits, a secret does not.
const LONGEST_NAME: usize = 16;

/// Reads one value of a document.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    tree: &'a Tree,
    /// Errors must not show the value of a secret.
    is_secret: bool,
}

/// A type that can be read from a value.
pub(super) trait Read: Sized {
    fn read(value: Reader<'_>) -> Result<Self, ConfigError>;
}

/// A struct that can be read from an object. [`block`] implements it.
pub(super) trait Block {
    /// All keys, as an error lists them.
    fn keys(&self) -> &'static [&'static str];

    /// The keys that must be given.
    fn required(&self) -> &'static [&'static str];

    /// Reads the value of one of the keys into its field.
    fn take(&mut self, key: &str, value: Reader<'_>) -> Result<(), ConfigError>;
}

/// Implements [`Block`] for a struct. It lists each key, the field that the value is read into and, where the type of the
/// field is not enough, the function that reads it.
macro_rules! block {
    ($type:ty {
        $($key:literal => $field:ident $(by $read:path)?),+ $(; required: $($required:literal),+)?
    }) => {
        impl $crate::config::reader::Block for $type {
            fn keys(&self) -> &'static [&'static str] {
                &[$($key),+]
            }

            fn required(&self) -> &'static [&'static str] {
                &[$($($required),+)?]
            }

            fn take(
                &mut self,
                key: &str,
                value: $crate::config::reader::Reader<'_>,
            ) -> Result<(), $crate::config::error::ConfigError> {
                match key {
                    $($key => self.$field = $crate::config::reader::block!(@read value $($read)?),)+
                    _ => {}
                }
                Ok(())
            }
        }
    };
    (@read $value:ident) => { $crate::config::reader::Read::read($value)? };
    (@read $value:ident $read:path) => { $read($value)?.into() };
}
pub(super) use block;

/// Reads a document.
pub(super) fn read<T: Read>(document: &Tree) -> Result<T, ConfigError> {
    T::read(Reader { tree: document, is_secret: false })
}

impl<'a> Reader<'a> {
    /// The error that says that the value is not `what`.
    pub(super) fn is_not(self, what: &str) -> ConfigError {
        if self.is_secret {
            return ConfigError::new(format!("the value (a secret, not shown) is not {what}"));
        }
        ConfigError::is_not(&self.tree.shown(), what)
    }

    /// The error that says that the value is none of these words.
    pub(super) fn is_none_of(self, words: &[&str]) -> ConfigError {
        match self.tree {
            Tree::Text(word) if !self.is_secret => ConfigError::unknown_word(word, words),
            _ => self.is_not(&format!("one of {}", words.join(", "))),
        }
    }

    pub(super) fn text(self) -> Result<&'a str, ConfigError> {
        self.as_text().ok_or_else(|| self.is_not("a string"))
    }

    /// The string, if the value is one.
    pub(super) fn as_text(self) -> Option<&'a str> {
        match self.tree {
            Tree::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn truth(self) -> Result<bool, ConfigError> {
        match self.tree {
            Tree::Bool(value) => Ok(*value),
            Tree::Text(text) if text == "true" => Ok(true),
            Tree::Text(text) if text == "false" => Ok(false),
            _ => Err(self.is_not("true or false")),
        }
    }

    pub(super) fn whole_number<N>(self, range: RangeInclusive<N>) -> Result<N, ConfigError>
    where
        N: TryFrom<u64> + PartialOrd + Display,
    {
        let allowed = || format!("between {} and {}", range.start(), range.end());
        let number = match self.tree {
            Tree::Number(number) => whole(*number),
            Tree::Text(text) => whole_in(text),
            _ => None,
        };
        match number {
            None => Err(self.is_not(&format!("a whole number {}", allowed()))),
            Some(number) => N::try_from(number)
                .ok()
                .filter(|number| range.contains(number))
                .ok_or_else(|| ConfigError::is_not(&number.to_string(), &allowed())),
        }
    }

    /// Calls `take` with each value of a list.
    pub(super) fn elements(
        self,
        take: &mut dyn FnMut(Reader<'a>) -> Result<(), ConfigError>,
    ) -> Result<(), ConfigError> {
        let Tree::List(elements) = self.tree else {
            return Err(self.is_not("a list"));
        };
        for (index, tree) in elements.iter().enumerate() {
            take(Reader { tree, ..self }).map_err(|error| error.under(index))?;
        }
        Ok(())
    }

    /// Calls `take` with each key and value of an object.
    pub(super) fn entries(
        self,
        take: &mut dyn FnMut(&'a str, Reader<'a>) -> Result<(), ConfigError>,
    ) -> Result<(), ConfigError> {
        for (key, tree) in self.object()? {
            take(key, self.below(key, tree)).map_err(|error| error.under(key.as_str()))?;
        }
        Ok(())
    }

    /// Reads an object into a block.
    fn fill(self, block: &mut dyn Block) -> Result<(), ConfigError> {
        let allowed = block.keys();
        let mut given: Vec<&str> = Vec::new();
        for (key, tree) in self.object()? {
            if !allowed.contains(&key.as_str()) {
                // `{"<secret>": …}` is a typical mistake where `id` and `secret` belong.
                let may_be_secret = self.is_secret && key.len() > LONGEST_NAME;
                let segment = if may_be_secret { Segment::Hidden } else { key.as_str().into() };
                return Err(ConfigError::unknown_key(key, allowed).under(segment));
            }
            if given.contains(&key.as_str()) {
                return Err(ConfigError::given_twice(key));
            }
            given.push(key);
            block.take(key, self.below(key, tree)).map_err(|error| error.under(key.as_str()))?;
        }
        match block.required().iter().find(|key| !given.contains(key)) {
            Some(missing) => Err(ConfigError::new("is required").under(*missing)),
            None => Ok(()),
        }
    }

    fn object(self) -> Result<&'a [(String, Tree)], ConfigError> {
        match self.tree {
            Tree::Object(entries) => Ok(entries),
            _ => Err(self.is_not("an object")),
        }
    }

    /// The reader of the value under this key of the object.
    fn below(self, key: &str, tree: &'a Tree) -> Self {
        Reader { tree, is_secret: self.is_secret || SECRET.contains(&key) }
    }
}

impl<T: Block + Default> Read for T {
    fn read(value: Reader<'_>) -> Result<Self, ConfigError> {
        let mut block = Self::default();
        value.fill(&mut block)?;
        Ok(block)
    }
}

impl Read for bool {
    fn read(value: Reader<'_>) -> Result<Self, ConfigError> {
        value.truth()
    }
}

impl Read for String {
    fn read(value: Reader<'_>) -> Result<Self, ConfigError> {
        value.text().map(str::to_owned)
    }
}

impl Read for Tree {
    fn read(value: Reader<'_>) -> Result<Self, ConfigError> {
        Ok(value.tree.clone())
    }
}

/// A null is refused like any wrong value: a value that a template has left empty must not mean the default.
impl<T: Read> Read for Option<T> {
    fn read(value: Reader<'_>) -> Result<Self, ConfigError> {
        T::read(value).map(Some)
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(value: Reader<'_>) -> Result<Self, ConfigError> {
        let mut list = Self::new();
        value.elements(&mut |element| {
            list.push(T::read(element)?);
            Ok(())
        })?;
        Ok(list)
    }
}

/// A number as AWS prints it: digits without a sign and without leading zeros.
fn whole_in(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

/// A whole number: a `Struct` holds 86400 as 86400.0.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    reason = "a number that the cast changes is not whole"
)]
fn whole(number: f64) -> Option<u64> {
    let whole = number as u64;
    (whole as f64 == number).then_some(whole)
}
