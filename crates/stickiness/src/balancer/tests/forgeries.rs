use std::fmt::Write as _;

use crate::outcome::Outcome;
use crate::testing::{Client, Fixture, KEYS, NOON, WEB_A};
use crate::trust::key_ring::CookieKind;
use crate::trust::value_encoding;

/// As many cookies of the name as fit into 60 KiB, a common limit of proxies for the headers of a request. Each is the shortest
/// value that has to be decrypted before it is known to be forged.
fn forgeries() -> String {
    let ring = crate::trust::key_text::parse_ring(KEYS).unwrap();
    let sealed = value_encoding::seal(&ring, CookieKind::AppCookie, &[0; 48], &[1; 24]).unwrap();
    let mut header = String::new();
    while header.len() + sealed.len() + 9 < 60 * 1024 {
        write!(header, "AWSALB={sealed}; ").unwrap();
    }
    header
}

#[test]
fn a_header_full_of_forgeries_is_one_malformed_request() {
    let header = forgeries();
    assert!(header.matches("AWSALB=").count() > 450);
    let session = Fixture::new("{}").receive("web", &header, NOON).unwrap();
    assert_eq!((session.pin(), session.outcome()), (None, Outcome::Malformed));
}

/// A cookie that looks sealed and does not open.
fn forgery(number: u8) -> String {
    let ring = crate::trust::key_text::parse_ring(KEYS).unwrap();
    let sealed = value_encoding::seal(&ring, CookieKind::AppCookie, &[0; 48], &[number; 24]).unwrap();
    format!("AWSALB={sealed}; ")
}

#[test]
fn of_many_cookies_of_a_name_sixteen_are_opened() {
    let fixture = Fixture::new("{}");
    let mut client = Client::default();
    client.ask(&fixture, WEB_A);
    let pin = |forgeries| {
        let cookies: String = (0..forgeries).map(forgery).collect();
        let session = fixture.receive("web", &format!("{cookies}AWSALB={}", client.jar["AWSALB"]), NOON).unwrap();
        (session.pin().is_some(), session.outcome())
    };
    assert_eq!([15, 16].map(pin), [(true, Outcome::Pinned), (false, Outcome::Malformed)]);
}

#[test]
fn a_cookie_that_is_longer_than_all_that_are_opened_is_malformed() {
    let cookies = format!("AWSALB={}", "A".repeat(59_000));
    assert_eq!(Fixture::new("{}").receive("web", &cookies, NOON).unwrap().outcome(), Outcome::Malformed);
}

#[test]
fn a_cookie_that_comes_many_times_counts_once() {
    let fixture = Fixture::new("{}");
    let mut client = Client::default();
    client.ask(&fixture, WEB_A);
    let cookies = format!("{}AWSALB={}", forgery(1).repeat(30), client.jar["AWSALB"]);
    assert_eq!(fixture.receive("web", &cookies, NOON).unwrap().outcome(), Outcome::Pinned);
}
