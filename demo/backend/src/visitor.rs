//! The visitor behind a request, as the session cookie tells it.

use crate::login::Login;

/// The visitor behind a request, as the session cookie tells it.
#[derive(Debug, PartialEq)]
pub(crate) enum Visitor {
    /// The request has no session cookie.
    New,
    /// This instance does not have the session of the cookie.
    Unknown,
    /// This instance has the session, perhaps with a login.
    Known(Option<Login>),
}

impl Visitor {
    /// The name of the logged-in user.
    pub(crate) fn user(&self) -> Option<&str> {
        match self {
            Self::Known(Some(login)) => Some(&login.user),
            _ => None,
        }
    }

    /// The name of the state in the script of the page.
    pub(crate) fn session(&self) -> &'static str {
        match self {
            Self::New => "none",
            Self::Unknown => "unknown",
            Self::Known(_) => "known",
        }
    }
}
