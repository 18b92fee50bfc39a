//! The instances that answer the requests of one client.

use std::collections::BTreeMap;

use harness::Client;
use local_demo::Compose;

use crate::running::demo;

/// The instance that answers a client with a cookie jar.
#[track_caller]
fn instance(client: &mut Client, port: u16) -> String {
    let answer = client.get(([127, 0, 0, 1], port).into(), "/whoami");
    answer.all("x-instance").next().unwrap().to_owned()
}

/// The number of answers of each instance to ten requests.
#[track_caller]
fn ten_requests(port: u16) -> Vec<usize> {
    let mut client = Client::default();
    let mut answers = BTreeMap::new();
    for _ in 0..10 {
        *answers.entry(instance(&mut client, port)).or_default() += 1;
    }
    answers.into_values().collect()
}

/// A client whose session belongs to this instance.
#[track_caller]
fn client_of(name: &str, port: u16) -> Client {
    // The instances take turns, so every second client gets this one.
    let mut clients = (0..10).map(|_| Client::default());
    clients.find_map(|mut client| (instance(&mut client, port) == name).then_some(client)).unwrap()
}

/// A stopped instance. It is started again on drop, also after a failure, because the other tests need it.
struct Stopped<'a> {
    demo: &'a Compose,
    name: &'a str,
}

impl<'a> Stopped<'a> {
    fn new(demo: &'a Compose, name: &'a str) -> Self {
        let stopped = Self { demo, name };
        demo.stop(name).unwrap();
        stopped
    }
}

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        let started = self.demo.start_again(self.name);
        if !std::thread::panicking() {
            started.unwrap();
        }
    }
}

#[test]
fn ten_requests_with_a_jar_come_from_one_instance_on_the_sticky_port() {
    assert_eq!(ten_requests(demo().ports().sticky), [10]);
}

#[test]
fn ten_requests_with_a_jar_come_from_both_instances_on_the_plain_port() {
    assert_eq!(ten_requests(demo().ports().plain), [5, 5]);
}

#[test]
fn a_session_moves_when_its_instance_is_stopped_and_stays_there_when_that_one_is_back() {
    let demo = demo();
    let port = demo.ports().sticky;
    let mut client = client_of("a", port);
    assert_eq!(instance(&mut client, port), "a");

    let stopped = Stopped::new(&demo, "a");
    assert_eq!(instance(&mut client, port), "b");

    drop(stopped);
    let answers: Vec<_> = (0..5).map(|_| instance(&mut client, port)).collect();
    assert_eq!(answers, ["b"; 5]);
    // New clients get the instance that is back.
    client_of("a", port);
}

#[test]
fn instances_that_come_back_with_each_others_addresses_are_pinned_and_take_turns_as_before() {
    let demo = demo();
    let before = demo.addresses().unwrap();
    let (of_a, of_b) = (&before["backend-a"], &before["backend-b"]);
    // Docker gives the lower address to the first container that starts.
    let (first, second) = if of_a < of_b { ("b", "a") } else { ("a", "b") };
    let (stopped_first, stopped_second) = (Stopped::new(&demo, first), Stopped::new(&demo, second));
    drop(stopped_first);
    drop(stopped_second);
    let after = demo.addresses().unwrap();
    assert_eq!((&after["backend-a"], &after["backend-b"]), (of_b, of_a));
    assert_eq!(ten_requests(demo.ports().plain), [5, 5]);
    for name in ["a", "b"] {
        let mut client = client_of(name, demo.ports().sticky);
        let answers: Vec<_> = (0..5).map(|_| instance(&mut client, demo.ports().sticky)).collect();
        assert_eq!(answers, [name; 5]);
    }
}
