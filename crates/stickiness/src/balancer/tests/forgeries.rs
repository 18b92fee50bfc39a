use std::fmt::Write as _;

use crate::outcome::Outcome;
use crate::testing::{Fixture, KEYS, NOON};
use crate::trust::key_ring::CookieKind;
use crate::trust::value_encoding;

/// As many cookies of the name as fit into 60 KiB, a common limit of proxies for the headers of a request. Each is the shortest
/// value that has to be decrypted before it is known to be forged.
fn forgeries() -> String {
    let ring = crate::trust::key_text::parse_ring(KEYS).unwrap();
    let sealed = value_encoding::seal(&ring, CookieKind::AppCookie, b"", &[1; 24]).unwrap();
    let mut header = String::new();
    while header.len() + sealed.len() + 9 < 60 * 1024 {
        write!(header, "AWSALB={sealed}; ").unwrap();
    }
    header
}

#[test]
fn a_header_full_of_forgeries_is_one_malformed_request() {
    let header = forgeries();
    assert!(header.matches("AWSALB=").count() > 850);
    let session = Fixture::new("{}").receive("web", &header, NOON).unwrap();
    assert_eq!((session.pin(), session.outcome()), (None, Outcome::Malformed));
}
