//! Which of Envoy's listeners a request came through, and where a browser reaches them.

use axum::http::{HeaderMap, HeaderName};

/// Envoy's listener without stickiness says `plain` here.
pub(crate) const X_DEMO_LISTENER: HeaderName = HeaderName::from_static("x-demo-listener");

/// Which of Envoy's listeners a request came through.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Listener {
    /// The one with the filter, and also a request that went past Envoy.
    Sticky,
    /// The one that spreads requests over the instances.
    Plain,
}

impl Listener {
    /// The listener that these headers of a request name.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        match headers.get(X_DEMO_LISTENER) {
            Some(value) if value == "plain" => Self::Plain,
            _ => Self::Sticky,
        }
    }

    /// How the page and its script call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sticky => "sticky",
            Self::Plain => "plain",
        }
    }

    /// Its session cookie. Browsers keep one cookie jar for all ports of a host: under one name the listeners would share
    /// a session.
    pub(crate) fn session_cookie(self) -> &'static str {
        match self {
            Self::Sticky => "demo_session",
            Self::Plain => "demo_session_plain",
        }
    }
}

/// The ports under which a browser reaches the listeners.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ports {
    /// That of [`Listener::Sticky`].
    pub(crate) sticky: u16,
    /// That of [`Listener::Plain`].
    pub(crate) plain: u16,
}

impl Ports {
    /// The port of one listener.
    pub(crate) fn of(self, listener: Listener) -> u16 {
        match listener {
            Listener::Sticky => self.sticky,
            Listener::Plain => self.plain,
        }
    }
}
