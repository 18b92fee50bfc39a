use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::outcome::Outcome;
use crate::seal::Kind;
use crate::sealed_cookie;
use crate::testing::{KEYS, NOON, Site};

/// As many cookies of the name as Envoy's default limit of 60 KiB for the headers of a request lets through, each the
/// shortest value that has to be decrypted before it is known to be forged.
fn forgeries() -> String {
    let ring = crate::keys::parse_ring(KEYS).unwrap();
    let sealed = sealed_cookie::seal(&ring, Kind::AppCookie, b"", &[1; 24]).unwrap();
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
    let session = Site::new("{}").receive("web", &header, NOON).unwrap();
    assert_eq!((session.pin(), session.outcome()), (None, Outcome::Malformed));
}

#[test]
#[ignore = "a measurement: cargo test --release -p stickiness --lib cost -- --ignored --nocapture"]
fn the_time_of_a_header_full_of_forgeries() {
    let (site, header) = (Site::new("{}"), forgeries());
    let mut times: Vec<Duration> = (0..301)
        .map(|_| {
            let start = Instant::now();
            black_box(site.receive("web", black_box(&header), NOON));
            start.elapsed()
        })
        .collect();
    times.sort();
    println!("{} forgeries in {} bytes: median {:?}", header.matches("AWSALB=").count(), header.len(), times[150]);
}
