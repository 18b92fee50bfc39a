//! The login that a session stores, and the check of user names.

use serde::{Deserialize, Serialize};

/// The longest user name, in characters.
pub(crate) const MAX_USER: usize = 40;

/// The key of the [`Login`] in a session.
pub(crate) const LOGIN: &str = "login";

/// A login.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Login {
    /// The name from the form, not escaped.
    pub(crate) user: String,
}

/// Returns the name without the spaces around it, or an error message for the visitor.
pub(crate) fn check_user(input: &str) -> Result<&str, String> {
    let user = input.trim();
    let length = user.chars().count();
    if length == 0 || length > MAX_USER {
        return Err(format!("A user name has 1 to {MAX_USER} characters, this one has {length}.\n"));
    }
    if user.chars().any(char::is_control) {
        return Err("A user name is one line without control characters.\n".to_owned());
    }
    Ok(user)
}
