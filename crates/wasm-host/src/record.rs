//! A record of the calls between the host and the filter.

use std::fmt;

/// A call from one to the other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Crossing {
    /// The host calls this function of the filter.
    Callback(String),
    /// The filter calls this function of the host.
    Call {
        /// Its name.
        function: String,
        /// The path of the property or the name of the header; empty for other calls.
        of: String,
    },
}

impl fmt::Display for Crossing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Callback(name) => f.write_str(name),
            Self::Call { function, of } if of.is_empty() => f.write_str(function),
            Self::Call { function, of } => write!(f, "{function} {of}"),
        }
    }
}
