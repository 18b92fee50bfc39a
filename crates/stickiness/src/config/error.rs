//! What is wrong with a configuration, in a line that a person can act on.

use std::fmt::{self, Display};

use super::tree::Tree;

/// The longest piece of a value that an error shows, in characters.
const SHOWN: usize = 60;

/// What stands for a word that may be a secret.
const NOT_SHOWN: &str = "(not shown)";

/// What is wrong with a configuration: where, which value, and what is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(Box<Place>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    path: Vec<String>,
    problem: String,
}

impl ConfigError {
    pub(super) fn new(problem: impl Into<String>) -> Self {
        Self(Box::new(Place { path: Vec::new(), problem: problem.into() }))
    }

    /// A value, as it is shown, is not what it should be.
    pub(super) fn is_not(value: &str, what: &str) -> Self {
        Self::new(format!("{value} is not {what}"))
    }

    pub(super) fn unknown_word(word: &str, allowed: &[&str]) -> Self {
        let allowed_here = allowed.join(", ");
        Self::new(format!("{} is not one of {allowed_here}{}", shown_text(word), near_miss(word, allowed)))
    }

    pub(super) fn unknown_key(key: &str, allowed: &[&str]) -> Self {
        let allowed_here = allowed.join(", ");
        Self::new(format!("there is no such key; allowed here: {allowed_here}{}", near_miss(key, allowed))).under(key)
    }

    pub(super) fn given_twice(key: &str) -> Self {
        Self::new("is given twice").under(key)
    }

    /// The same problem, seen from the object or list that holds `segment`.
    pub(super) fn under(mut self, segment: &str) -> Self {
        self.0.path.insert(0, segment.to_owned());
        self
    }

    /// The same problem, without this word of the document, which may be a secret.
    pub(super) fn without(mut self, word: &str) -> Self {
        for segment in self.0.path.iter_mut().filter(|segment| *segment == word) {
            NOT_SHOWN.clone_into(segment);
        }
        self
    }

    /// The same problem, seen from the top, at this path from it.
    pub(super) fn at(self, path: &[&str]) -> Self {
        path.iter().rev().fold(self, |error, segment| error.under(segment))
    }
}

impl Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.path.iter().enumerate() {
            let is_index = is_index(segment);
            if position > 0 && !is_index {
                f.write_str(".")?;
            }
            let is_plain = segment.chars().all(|c| c.is_ascii_alphanumeric() || "_-*|".contains(c));
            if is_index || segment == NOT_SHOWN || (is_plain && !segment.is_empty()) {
                f.write_str(segment)?;
            } else {
                write!(f, "{:?}", shorten(segment))?;
            }
        }
        if !self.0.path.is_empty() {
            f.write_str(": ")?;
        }
        f.write_str(&self.0.problem)
    }
}

impl std::error::Error for ConfigError {}

/// Whether it is a position in a list: a key may begin with a bracket too, and then go on with anything.
fn is_index(segment: &str) -> bool {
    let digits = segment.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn near_miss(value: &str, allowed: &[&str]) -> String {
    let is_near = |distance: usize, candidate: &str| {
        distance <= candidate.len().div_ceil(3) || (value.len() > 2 && candidate.starts_with(value))
    };
    allowed
        .iter()
        .map(|candidate| {
            (strsim::osa_distance(&value.to_ascii_lowercase(), &candidate.to_ascii_lowercase()), candidate)
        })
        .filter(|(distance, candidate)| is_near(*distance, candidate))
        .min()
        .map(|(_, candidate)| format!("; did you mean {candidate}?"))
        .unwrap_or_default()
}

/// A value as an error shows it.
pub(super) fn shown(value: &Tree) -> String {
    match value {
        Tree::Null => "null".to_owned(),
        Tree::Bool(value) => value.to_string(),
        // Written out, a number may have 300 digits.
        Tree::Number(value) => shorten(&value.to_string()),
        Tree::Text(value) => shown_text(value),
        Tree::List(_) => "a list".to_owned(),
        Tree::Object(_) => "an object".to_owned(),
    }
}

pub(super) fn shown_text(text: &str) -> String {
    format!("{:?}", shorten(text))
}

fn shorten(text: &str) -> String {
    let mut shortened: String = text.chars().take(SHOWN).collect();
    if shortened.len() < text.len() {
        shortened.push('…');
    }
    shortened
}
