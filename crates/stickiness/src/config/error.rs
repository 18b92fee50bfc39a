//! Describes errors of a configuration, each in one line that a person can act on.

use std::fmt::{self, Display, Write};

use super::context::Place;

/// The longest piece of a value that an error shows, in characters.
const LONGEST_SHOWN: usize = 60;

/// An error in a configuration: the place, the value there, and what is allowed instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(Box<Parts>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Parts {
    /// From the value up to the document: each caller adds the segment that it knows.
    path_upwards: Vec<Segment>,
    problem: String,
}

/// One step from the document to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// A key of an object.
    Key(String),
    /// A position in a list.
    Index(usize),
    /// A key of an object that is not shown, because it may be a secret.
    Hidden,
}

impl ConfigError {
    /// A problem of the value itself. The callers add the path to it.
    pub(super) fn new(problem: impl Into<String>) -> Self {
        Self(Box::new(Parts { path_upwards: Vec::new(), problem: problem.into() }))
    }

    /// The value, which is written here as the error shows it, is not what it should be.
    pub(super) fn is_not(value: &str, what: &str) -> Self {
        Self::new(format!("{value} is not {what}"))
    }

    pub(super) fn unknown_word(word: &str, allowed: &[&str]) -> Self {
        let allowed_here = allowed.join(", ");
        Self::new(format!("{} is not one of {allowed_here}{}", quote(word), near_miss(word, allowed)))
    }

    /// The caller adds the key to the path, or [`Segment::Hidden`].
    pub(super) fn unknown_key(key: &str, allowed: &[&str]) -> Self {
        let allowed_here = allowed.join(", ");
        Self::new(format!("there is no such key; allowed here: {allowed_here}{}", near_miss(key, allowed)))
    }

    pub(super) fn given_twice(key: &str) -> Self {
        Self::new("is given twice").under(key)
    }

    /// The same problem, seen from the object or list that holds `segment`.
    pub(super) fn under(mut self, segment: impl Into<Segment>) -> Self {
        self.0.path_upwards.push(segment.into());
        self
    }

    /// The same problem, seen from the document. `place` leads from there to where the problem was seen from.
    pub(super) fn at(mut self, place: Place<'_>) -> Self {
        self.0.path_upwards.extend(place.upwards());
        self
    }
}

impl Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { path_upwards, problem } = &*self.0;
        for (position, segment) in path_upwards.iter().rev().enumerate() {
            if position > 0 && !matches!(segment, Segment::Index(_)) {
                f.write_char('.')?;
            }
            segment.fmt(f)?;
        }
        if !path_upwards.is_empty() {
            f.write_str(": ")?;
        }
        f.write_str(problem)
    }
}

impl std::error::Error for ConfigError {}

impl Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain = |key: &str| {
            !key.is_empty()
                && key.chars().all(|character| character.is_ascii_alphanumeric() || "_-*|".contains(character))
        };
        match self {
            Self::Key(key) if is_plain(key) => f.write_str(key),
            Self::Key(key) => f.write_str(&quote(key)),
            Self::Index(index) => write!(f, "[{index}]"),
            Self::Hidden => f.write_str("(not shown)"),
        }
    }
}

impl From<&str> for Segment {
    fn from(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}

impl From<usize> for Segment {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// Asks for the allowed word that is most like `word`; empty when no word is.
pub(super) fn near_miss(word: &str, allowed: &[&str]) -> String {
    let is_near = |distance: usize, candidate: &str| {
        distance <= candidate.len().div_ceil(3) || (word.len() > 2 && candidate.starts_with(word))
    };
    allowed
        .iter()
        .map(|candidate| (strsim::osa_distance(&word.to_ascii_lowercase(), &candidate.to_ascii_lowercase()), candidate))
        .filter(|(distance, candidate)| is_near(*distance, candidate))
        .min()
        .map(|(_, candidate)| format!("; did you mean {candidate}?"))
        .unwrap_or_default()
}

/// A text as an error shows it: in quotes, with control characters escaped, and shortened.
pub(super) fn quote(text: &str) -> String {
    format!("{:?}", shorten(text))
}

pub(super) fn shorten(text: &str) -> String {
    let mut shortened: String = text.chars().take(LONGEST_SHOWN).collect();
    if shortened.len() < text.len() {
        shortened.push('…');
    }
    shortened
}
