//! The requests that a measurement sends.

pub(crate) mod client;
pub(crate) mod cookies;
pub(crate) mod load;

use std::path::PathBuf;

/// A request that the load generators repeat.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) path: &'static str,
    pub(crate) cookies: Cookies,
    pub(crate) protocol: Protocol,
}

/// The `Cookie` header of a request.
#[derive(Clone, Debug)]
pub(crate) enum Cookies {
    None,
    /// The same header in every request.
    Same(String),
    /// The lines of a file, one after the other.
    Lines(PathBuf),
}

impl Cookies {
    /// The same header in every request, and no header if it is empty.
    pub(crate) fn same(header: String) -> Self {
        if header.is_empty() { Self::None } else { Self::Same(header) }
    }
}

/// The version of HTTP that the client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// With keep-alive, sent by wrk.
    Http1,
    /// Without TLS and without an upgrade, sent by h2load.
    Http2,
}

impl Protocol {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Http1 => "HTTP/1.1",
            Self::Http2 => "HTTP/2",
        }
    }
}
