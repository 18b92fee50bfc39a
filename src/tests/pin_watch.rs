//! Clients of targets that Envoy chooses in many ways. On a real Envoy: `tests/envoy/pins_not_obeyed.rs`.

use std::rc::Rc;

use super::*;
use crate::pin_watch::PinWatch;

/// A target group, and the targets that its clients' cookies name.
struct Group {
    watch: PinWatch,
    pins: Vec<usize>,
    /// The state of a pseudo-random number.
    random: u64,
}

impl Group {
    fn of_clients(count: usize) -> Self {
        Self { watch: PinWatch::default(), pins: vec![0; count], random: 1 }
    }

    /// A number below `limit`.
    fn random(&mut self, limit: usize) -> usize {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.random >> 33).unwrap() % limit
    }

    /// So many requests of clients at random. `choose` chooses the target for a pin.
    fn serve(&mut self, requests: usize, mut choose: impl FnMut(&mut Self, usize) -> usize) {
        for _ in 0..requests {
            let client = self.random(self.pins.len());
            let pin = self.pins[client];
            let target = choose(self, pin);
            if target == pin {
                self.watch.held("web");
            } else {
                let address = |target: usize| format!("10.0.0.{target}:8080");
                self.watch.was_passed_over(&"web".into(), &Rc::from(address(pin)), &address(target), || false);
            }
            self.pins[client] = target;
        }
    }

    /// Requests while these targets are alive, of which Envoy takes the pin.
    fn serve_with(&mut self, requests: usize, alive: &[usize]) {
        self.serve(requests, |group, pin| if alive.contains(&pin) { pin } else { alive[group.random(alive.len())] });
    }
}

fn has_warned() -> bool {
    let warnings = logged(LogLevel::Warn);
    assert!(warnings.iter().all(|warning| warning.starts_with("the target group \"web\" does not keep its sessions")));
    assert!(warnings.len() <= 1);
    !warnings.is_empty()
}

#[test]
fn one_client_for_which_the_targets_take_turns_is_enough() {
    let mut group = Group::of_clients(1);
    group.serve(10, |_, pin| 1 - pin);
    assert!(!has_warned());
    group.serve(1, |_, pin| 1 - pin);
    assert!(has_warned());
    group.serve(1_000, |_, pin| 1 - pin);
    assert!(has_warned());
}

#[test]
fn any_number_of_clients_and_targets_is_noticed_if_chance_chooses() {
    for (clients, targets) in [(1, 2), (1, 10), (10, 3), (1_000, 2), (1_000, 3), (1_000, 50)] {
        host(|host| {
            host.logs.clear();
            host.shared_data.clear();
        });
        let mut group = Group::of_clients(clients);
        group.serve(500 * targets, |group, _| group.random(targets));
        assert!(has_warned(), "{clients} clients of {targets} targets");
    }
}

#[test]
fn a_target_that_dies_or_is_replaced_is_not_noticed_however_many_sessions_move() {
    let mut group = Group::of_clients(10_000);
    group.serve_with(20_000, &[0, 1]);
    for next in 1..20 {
        // One that is gone for good, and then the only one.
        group.serve_with(20_000, &[next, next + 1]);
        group.serve_with(20_000, &[next + 1]);
    }
    assert!(!has_warned());
}

#[test]
fn targets_that_restart_one_after_the_other_are_not_noticed() {
    for clients in [1, 10, 10_000] {
        let mut group = Group::of_clients(clients);
        for _ in 0..20 {
            for down in 0..5 {
                let others: Vec<usize> = (0..5).filter(|target| *target != down).collect();
                group.serve_with(500, &others);
            }
        }
    }
    assert!(!has_warned());
}

#[test]
fn two_targets_that_flap_are_not_noticed() {
    let mut group = Group::of_clients(100);
    for down in [0, 1].repeat(200) {
        group.serve_with(50, &[1 - down]);
    }
    assert!(!has_warned());
}

#[test]
fn requests_that_are_asked_again_elsewhere_are_not_noticed() {
    let mut group = Group::of_clients(100);
    group.serve(100_000, |group, pin| if group.random(10) == 0 { group.random(3) } else { pin });
    assert!(!has_warned());
}

#[test]
fn no_more_than_64_target_groups_are_watched() {
    let watch = PinWatch::default();
    for turn in 0..30 {
        for group in 0..70 {
            let [pin, target] = [turn % 2, 1 - turn % 2].map(|target| format!("10.0.0.{target}:8080"));
            watch.was_passed_over(&format!("group-{group}").into(), &Rc::from(pin), &target, || false);
        }
    }
    assert_eq!(logged(LogLevel::Warn).len(), 64);
}
