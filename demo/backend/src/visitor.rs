//! What an instance makes of the session cookie of a request.

use crate::login::Login;

/// What an instance makes of the session cookie of a request.
#[derive(Debug, PartialEq)]
pub(crate) enum Visitor {
    /// There is no such cookie.
    New,
    /// The cookie is of a session that this instance does not have.
    Unknown,
    /// The session is here, perhaps with a login.
    Known(Option<Login>),
}

impl Visitor {
    /// Who is logged in.
    pub(crate) fn user(&self) -> Option<&str> {
        match self {
            Self::Known(Some(login)) => Some(&login.user),
            _ => None,
        }
    }

    /// How the page's script calls what became of the session.
    pub(crate) fn session(&self) -> &'static str {
        match self {
            Self::New => "none",
            Self::Unknown => "unknown",
            Self::Known(_) => "known",
        }
    }
}
