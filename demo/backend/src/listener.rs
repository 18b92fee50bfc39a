//! The two listeners of the demo's Envoy, and their ports.

use axum::http::{HeaderMap, HeaderName};

/// The request header in which Envoy's listener without stickiness says `plain`.
pub(crate) const X_DEMO_LISTENER: HeaderName = HeaderName::from_static("x-demo-listener");

/// A listener of Envoy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Listener {
    /// The listener with the filter. Requests that bypass Envoy count as sticky.
    Sticky,
    /// The listener that spreads requests over the instances.
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

    /// The name of the listener in the page and its script.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sticky => "sticky",
            Self::Plain => "plain",
        }
    }

    /// The name of the session cookie. Browsers share cookies between all ports of a host, so with one name the listeners would share
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
    /// The port of [`Listener::Sticky`].
    pub(crate) sticky: u16,
    /// The port of [`Listener::Plain`].
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
