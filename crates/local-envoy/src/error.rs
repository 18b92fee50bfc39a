//! How does this crate say what went wrong?

use std::fmt;

/// One sentence for a person: what failed, where, with which value, and what is allowed instead.
///
/// `Debug` prints the sentence too, so that `unwrap` in a test shows it as it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Error(String);

/// What this crate's functions return.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error that says `sentence`.
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
