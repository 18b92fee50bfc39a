//! Picks free ports that stay free until a process listens on them.

use std::collections::BTreeSet;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Mutex, PoisonError};

use local_envoy::{Error, Result};

/// The lowest port to pick. It is above the default ports of the demo, which another demo can use.
const LOWEST: u16 = 11_000;

/// The file in which Linux states the port range of outgoing connections, such as `32768 60999`.
const EPHEMERAL: &str = "/proc/sys/net/ipv4/ip_local_port_range";

/// The default start of that range on Linux. Other systems begin higher.
const LOWEST_EPHEMERAL: u16 = 32_768;

/// The ports that this process has given out. It gives no port twice, because nobody may listen on the first one yet.
static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// Returns free ports outside the range of outgoing connections. A port that the system chooses for port 0 lies inside that range,
/// so an outgoing connection can take it before a process listens on it.
///
/// # Errors
///
/// When no port is left.
pub fn free_ports<const COUNT: usize>() -> Result<[u16; COUNT]> {
    let end = fs::read_to_string(EPHEMERAL).ok().and_then(|range| lowest_of(&range)).unwrap_or(LOWEST_EPHEMERAL);
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut ports = [0; COUNT];
    for port in &mut ports {
        *port = candidates(end).find(|port| !given.contains(port) && is_free(*port)).ok_or_else(|| {
            Error::new(format!(
                "no port from {LOWEST} on is free below {end}, where the ports of outgoing connections begin"
            ))
        })?;
        given.insert(*port);
    }
    Ok(ports)
}

/// Every port of the range once, from a random start. Two processes that search at the same time start at different ports.
fn candidates(end: u16) -> impl Iterator<Item = u16> {
    let count = u64::from(end.saturating_sub(LOWEST));
    let skipped = RandomState::new().hash_one(()).checked_rem(count).and_then(|rest| usize::try_from(rest).ok());
    let skipped = skipped.unwrap_or(0);
    (LOWEST..end).skip(skipped).chain((LOWEST..end).take(skipped))
}

fn lowest_of(range: &str) -> Option<u16> {
    range.split_whitespace().next()?.parse().ok()
}

/// True if a port is free on every address, where Envoy's listeners and Docker bind.
fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_ports_can_be_listened_on_and_differ() {
        let ports: [u16; 3] = free_ports().unwrap();
        let listeners = ports.map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap());
        assert_eq!(BTreeSet::from(listeners.map(|listener| listener.local_addr().unwrap().port())).len(), 3);
    }

    #[test]
    fn a_port_is_given_once() {
        let first: [u16; 20] = free_ports().unwrap();
        let second: [u16; 20] = free_ports().unwrap();
        assert!(first.iter().all(|port| !second.contains(port)), "{first:?} {second:?}");
    }

    #[test]
    fn free_ports_lie_below_those_of_outgoing_connections() {
        let end = LOWEST + 100;
        let all: BTreeSet<u16> = candidates(end).collect();
        assert_eq!(all, (LOWEST..end).collect());
        assert_eq!(candidates(LOWEST).count(), 0);
    }

    #[test]
    fn a_port_that_somebody_listens_on_is_not_free() {
        let holder = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        assert!(!is_free(holder.local_addr().unwrap().port()));
    }

    #[test]
    fn the_range_of_outgoing_connections_is_read_as_linux_writes_it() {
        assert_eq!(lowest_of("32768\t60999\n"), Some(32_768));
        assert_eq!(lowest_of(""), None);
    }
}
