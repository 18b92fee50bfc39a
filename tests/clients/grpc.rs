//! gRPC. Its clients keep no cookies by themselves; a client that passes them on has a session, for every kind of call.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use local_envoy::{Config, Envoy};
use serde_json::json;

use stickiness::outcome::Outcome;

use harness::{Setup, counted, http_2_to_targets, start_envoy, wait_for_no_connection, wait_until};

use crate::packages::python;
use crate::program::Conversation;

/// A gRPC server that answers with its name.
struct Server {
    name: &'static str,
    address: SocketAddr,
    program: Conversation,
}

impl Server {
    #[track_caller]
    fn start(name: &'static str, address: &str) -> Self {
        let program = Conversation::start(python("grpc/server.py").args([name, address]));
        let port = program.next().parse().unwrap();
        Self { name, address: SocketAddr::from(([127, 0, 0, 1], port)), program }
    }
}

/// A running Envoy and its servers, `a` and `b`.
struct LoadBalancer {
    envoy: Envoy,
    servers: [Server; 2],
}

/// Changes the shipped configuration for gRPC.
fn for_grpc(config: &mut Config) {
    http_2_to_targets(config);
    let check = config.at("/static_resources/clusters/0/health_checks/0").unwrap().as_object_mut().unwrap();
    check.remove("http_health_check");
    check.insert("grpc_health_check".to_owned(), json!({}));
    // A stream may last longer than Envoy's default timeout of 15 s.
    let manager = config.connection_manager("sticky").unwrap();
    for route in manager["route_config"]["virtual_hosts"][0]["routes"].as_array_mut().unwrap() {
        route["route"]["timeout"] = json!("0s");
    }
}

impl LoadBalancer {
    #[track_caller]
    fn start() -> Self {
        let servers = ["a", "b"].map(|name| Server::start(name, "127.0.0.1:0"));
        let addresses = servers.each_ref().map(|server| server.address);
        let envoy = start_envoy(&addresses, &Setup { edit: &for_grpc, ..Setup::default() });
        let lb = Self { envoy, servers };
        lb.wait_for_both();
        lb
    }

    /// A client that passes its cookies on.
    #[track_caller]
    fn client(&self) -> Client {
        self.client_with(&[])
    }

    /// A client that forgets its cookies.
    #[track_caller]
    fn forgetful_client(&self) -> Client {
        self.client_with(&["--forget"])
    }

    #[track_caller]
    fn client_with(&self, options: &[&str]) -> Client {
        let address = self.envoy.address("sticky").unwrap().to_string();
        Client(Conversation::start(python("grpc/client.py").arg(address).args(options)))
    }

    /// Waits until Envoy knows that both servers are healthy, and its one worker sends requests to both.
    #[track_caller]
    fn wait_for_both(&self) {
        let mut client = self.forgetful_client();
        wait_until("both servers to answer", || {
            let healthy = self.envoy.admin().healthy_hosts("web").is_ok_and(|healthy| healthy == 2);
            healthy && client.who(2) == ["a", "b"].map(str::to_owned).into()
        });
    }

    /// Kills a server, and waits until Envoy knows that its connections to it are gone.
    #[track_caller]
    fn kill(&self, name: &str) {
        let server = self.servers.iter().find(|server| server.name == name).unwrap();
        server.program.end();
        wait_for_no_connection(&self.envoy, "web", server.address);
    }

    /// Brings a server back on its old port.
    #[track_caller]
    fn revive(&mut self, name: &str) {
        let server = self.servers.iter_mut().find(|server| server.name == name).unwrap();
        *server = Server::start(server.name, &server.address.to_string());
        self.wait_for_both();
    }

    fn counted(&self, outcome: Outcome) -> u64 {
        counted(&self.envoy, "web", outcome.word())
    }
}

/// A client that calls a method and prints the result.
struct Client(Conversation);

impl Client {
    /// The name of the server; and the status, its message and the trailers, separated by bars.
    #[track_caller]
    fn call(&mut self, method: &str) -> (String, String) {
        let line = self.0.ask(method);
        let (answers, end) = line.split_once('|').unwrap();
        (answers.to_owned(), end.to_owned())
    }

    /// The servers that answer so many calls.
    #[track_caller]
    fn who(&mut self, calls: usize) -> BTreeSet<String> {
        (0..calls).map(|_| self.call("who").0).collect()
    }
}

#[test]
fn ten_calls_of_a_client_that_hands_its_cookies_on_reach_one_server() {
    let lb = LoadBalancer::start();
    assert_eq!(lb.client().who(10).len(), 1);
    assert_eq!(lb.counted(Outcome::Pinned), 9);
}

#[test]
fn calls_without_cookies_are_spread() {
    let lb = LoadBalancer::start();
    let mut client = lb.forgetful_client();
    for (method, answers) in [("who", ["a", "b"]), ("repeat", ["a,a,a", "b,b,b"]), ("talk", ["a,a", "b,b"])] {
        let servers: BTreeSet<String> = (0..2).map(|_| client.call(method).0).collect();
        assert_eq!(servers, answers.map(str::to_owned).into());
    }
    assert_eq!(lb.counted(Outcome::Pinned), 0);
}

#[test]
fn streams_in_one_and_in_both_directions_reach_the_server_of_the_session() {
    let lb = LoadBalancer::start();
    let mut client = lb.client();
    let home = client.call("who").0;
    for _ in 0..3 {
        assert_eq!(client.call("repeat").0, [home.as_str(); 3].join(","));
        assert_eq!(client.call("talk").0, [home.as_str(); 2].join(","));
    }
    assert_eq!(lb.counted(Outcome::Pinned), 6);
}

#[test]
fn a_stream_can_be_the_first_call_of_a_session() {
    let lb = LoadBalancer::start();
    for method in ["repeat", "talk"] {
        let mut client = lb.client();
        let answers = client.call(method).0;
        let home = answers.split(',').next().unwrap().to_owned();
        assert_eq!(client.who(4), [home].into(), "{method}");
    }
}

#[test]
fn a_call_that_is_refused_at_once_brings_its_cookies_in_the_trailing_metadata() {
    let lb = LoadBalancer::start();
    let mut client = lb.client();
    let (_, end) = client.call("refuse");
    for name in ["AWSALB", "AWSALBCORS"] {
        assert!(end.contains(&format!("|set-cookie={name}=")), "{end}");
    }
    let home = end.split('|').find_map(|part| part.strip_prefix("served-by=")).unwrap();
    assert_eq!(client.who(4), [home.to_owned()].into());
}

#[test]
fn the_status_its_message_and_the_trailers_arrive_as_the_server_sent_them() {
    let lb = LoadBalancer::start();
    let mut client = lb.client();
    let home = client.call("who").0;
    for method in ["who", "repeat", "talk"] {
        assert_eq!(client.call(method).1, format!("OK||served-by={home}"), "{method}");
    }
    let refused = client.call("refuse").1;
    let expected = format!("FAILED_PRECONDITION|{home} refuses: 100 % and ü|served-by={home}|");
    assert!(refused.starts_with(&expected), "{refused}");
}

#[test]
fn the_session_of_a_server_that_died_moves_without_an_error_and_for_good() {
    let mut lb = LoadBalancer::start();
    let mut client = lb.client();
    let home = client.call("who").0;
    lb.kill(&home);
    let (moved, end) = client.call("who");
    assert!(moved != home && end == format!("OK||served-by={moved}"), "{moved}|{end}");
    lb.revive(&home);
    assert_eq!(client.who(4), [moved].into());
    assert_eq!(lb.counted(Outcome::Moved), 1);
}
