//! Describes a call of the host that failed.

use std::fmt;

/// The number with which the host answers a call. Every number is possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(pub u32);

impl Status {
    /// There is no such value.
    pub const NOT_FOUND: Self = Self(1);
    /// An argument of the call is wrong, or the call makes no sense at this moment.
    pub const BAD_ARGUMENT: Self = Self(2);
    /// The host has the value and no bytes for it.
    pub const SERIALIZATION_FAILURE: Self = Self(3);
    /// Another VM has stored a value meanwhile.
    pub const CAS_MISMATCH: Self = Self(8);
    /// The host failed, or the operator has forbidden the call (`capability_restriction_config` of Envoy).
    pub const INTERNAL_FAILURE: Self = Self(10);
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match *self {
            Self::NOT_FOUND => "not found",
            Self::BAD_ARGUMENT => "bad argument",
            Self::SERIALIZATION_FAILURE => "serialization failure",
            Self::CAS_MISMATCH => "compare-and-swap mismatch",
            Self::INTERNAL_FAILURE => "internal failure",
            Self(number) => return write!(f, "status {number}"),
        };
        write!(f, "status {}, {name}", self.0)
    }
}

/// A call that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostError {
    /// The function of the host.
    pub call: &'static str,
    /// Its answer.
    pub status: Status,
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.call, self.status)
    }
}

impl std::error::Error for HostError {}

/// The result of a call that answered with this status. 0 is success, in the ABI and in WASI.
pub(crate) fn status_of(call: &'static str, status: u32) -> crate::Result<()> {
    match status {
        0 => Ok(()),
        other => Err(HostError { call, status: Status(other) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_call_and_the_status() {
        let text = |status| HostError { call: "proxy_log", status }.to_string();
        assert_eq!(text(Status::BAD_ARGUMENT), "proxy_log: status 2, bad argument");
        assert_eq!(text(Status(76)), "proxy_log: status 76");
    }

    #[test]
    fn only_zero_is_success() {
        assert_eq!(status_of("proxy_log", 0), Ok(()));
        for status in [1, 12, 76, u32::MAX] {
            assert_eq!(status_of("proxy_log", status).unwrap_err().status, Status(status));
        }
    }
}
