//! The error type of this crate.

use std::fmt;

/// One sentence for a person: the failed action, its place and value, and the allowed values.
///
/// `Debug` prints the same sentence, so that `unwrap` in a test shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Error(String);

/// The result type of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error with this sentence.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}
