//! What became of a request to a sticky target group, in one word.

/// What became of a request. Every request to a sticky target group has exactly one.
///
/// They are ordered from the farthest from a pin to the pin itself: of several cookies, the nearest tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// No stickiness cookie came.
    NoCookie,
    /// The cookie is not a value that this load balancer ever sealed.
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
    fn the_words_are_those_that_dashboards_were_built_on() {
        let words = Outcome::ALL.map(Outcome::word);
        assert_eq!(words, ["no_cookie", "malformed", "unknown_key", "wrong_group", "expired", "moved", "pinned"]);
    }
}
