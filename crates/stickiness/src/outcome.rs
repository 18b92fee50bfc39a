//! The outcome of a request to a sticky target group, in one word.

/// The outcome of a request. Every request to a sticky target group has exactly one.
///
/// The order goes from the outcome farthest from a pin to the pin. If a request has several cookies, the greatest of their
/// outcomes is reported.
///
/// ```
/// use stickiness::outcome::Outcome;
///
/// assert!(Outcome::Expired > Outcome::Malformed);
/// assert_eq!(Outcome::Pinned.word(), "pinned");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// The request has no stickiness cookie.
    NoCookie,
    /// The cookie is not a value that this load balancer sealed.
    Malformed,
    /// The cookie was sealed with a key that is not in the ring.
    UnknownKey,
    /// The cookie belongs to another target group.
    WrongGroup,
    /// The cookie is older than the duration that is configured now, or its time lies more than a day ahead.
    Expired,
    /// A cookie named a target, and another one answered.
    Moved,
    /// A cookie named the target, and no other target answered.
    Pinned,
}

impl Outcome {
    /// All outcomes.
    pub const ALL: [Self; 7] =
        [Self::NoCookie, Self::Malformed, Self::UnknownKey, Self::WrongGroup, Self::Expired, Self::Moved, Self::Pinned];

    /// The word in the counter's name and in the access log.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pinned => "pinned",
            Self::NoCookie => "no_cookie",
            Self::Malformed => "malformed",
            Self::Expired => "expired",
            Self::UnknownKey => "unknown_key",
            Self::WrongGroup => "wrong_group",
            Self::Moved => "moved",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_do_not_change_because_dashboards_use_them() {
        let words = Outcome::ALL.map(Outcome::word);
        assert_eq!(words, ["no_cookie", "malformed", "unknown_key", "wrong_group", "expired", "moved", "pinned"]);
    }
}
