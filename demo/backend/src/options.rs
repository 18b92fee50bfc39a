//! Reads the options of an instance from arguments, and in containers from the environment.

use std::collections::HashMap;
use std::net::SocketAddr;

use axum::http::uri::Authority;

use crate::listener::Ports;

/// The longest name in bytes that fits the headline and the row of responses on the page.
const MAX_NAME: usize = 20;

/// Each argument with its environment variable.
const OPTIONS: [(&str, &str); 5] = [
    ("--name", "NAME"),
    ("--listen", "LISTEN"),
    ("--peers", "PEERS"),
    ("--sticky-port", "PORT_STICKY"),
    ("--plain-port", "PORT_PLAIN"),
];

/// The options of an instance.
#[derive(Debug, PartialEq)]
pub(crate) struct Options {
    /// The name of the instance on the page and in `x-instance`.
    pub(crate) name: String,
    /// The address to listen on. With port 0 the system chooses a port.
    pub(crate) listen: SocketAddr,
    /// The names and addresses of the other instances.
    pub(crate) peers: Vec<(String, Authority)>,
    /// The ports under which a browser reaches Envoy.
    pub(crate) ports: Ports,
}

impl Options {
    /// Reads the arguments. An option without an argument comes from the environment, which configures containers.
    ///
    /// # Errors
    ///
    /// Returns the first problem as a sentence without its full stop.
    pub(crate) fn read(
        args: impl IntoIterator<Item = String>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let mut given = given(args)?;
        let mut value = |option: &'static str| {
            let variable = OPTIONS.iter().find(|(name, _)| *name == option)?.1;
            given.remove(option).or_else(|| environment(variable))
        };
        let name = parse_name(value("--name").ok_or("the name of the instance is missing")?)?;
        let listen = value("--listen").ok_or("the address to listen on is missing")?;
        Ok(Self {
            listen: listen.parse().map_err(|_| {
                format!("{listen:?} is not an IP address with a port, such as 127.0.0.1:8080 or [::1]:0")
            })?,
            peers: parse_peers(&value("--peers").unwrap_or_default(), &name)?,
            ports: Ports {
                sticky: parse_port("--sticky-port", value("--sticky-port"), 10000)?,
                plain: parse_port("--plain-port", value("--plain-port"), 10001)?,
            },
            name,
        })
    }
}

/// The values of the arguments, by name.
fn given(args: impl IntoIterator<Item = String>) -> Result<HashMap<&'static str, String>, String> {
    let mut given = HashMap::new();
    let mut args = args.into_iter();
    while let Some(argument) = args.next() {
        let Some((option, _)) = OPTIONS.iter().find(|(option, _)| *option == argument) else {
            return Err(format!("the argument {argument:?} is unknown"));
        };
        let Some(value) = args.next() else {
            return Err(format!("the argument {argument:?} needs a value after it"));
        };
        given.insert(*option, value);
    }
    Ok(given)
}

/// Accepts only names that need no escaping in a header, a path, HTML or a script.
fn parse_name(name: String) -> Result<String, String> {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if plain && (1..=MAX_NAME).contains(&name.len()) {
        Ok(name)
    } else {
        Err(format!("the name {name:?} is not 1 to {MAX_NAME} characters from a-z, A-Z, 0-9 and the hyphen"))
    }
}

fn parse_peers(list: &str, own: &str) -> Result<Vec<(String, Authority)>, String> {
    let mut peers: Vec<(String, Authority)> = Vec::new();
    for peer in list.split(',').map(str::trim).filter(|peer| !peer.is_empty()) {
        let address = peer.split_once('=').and_then(|(name, address)| Some((name, address.parse::<Authority>().ok()?)));
        let Some((name, address)) = address.filter(|(_, address)| address.port_u16().is_some_and(|port| port != 0))
        else {
            return Err(format!("the peer {peer:?} is not NAME=HOST:PORT, such as b=backend-b:8080"));
        };
        let name = parse_name(name.to_owned())?;
        if name == own || peers.iter().any(|(known, _)| *known == name) {
            return Err(format!("the peer {peer:?} has the name of another instance: each needs its own"));
        }
        peers.push((name, address));
    }
    Ok(peers)
}

fn parse_port(option: &str, value: Option<String>, otherwise: u16) -> Result<u16, String> {
    let Some(value) = value else { return Ok(otherwise) };
    match value.parse() {
        Ok(port) if port != 0 => Ok(port),
        _ => Err(format!("{option} is {value:?}, not a port from 1 to 65535")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(args: &[&str], environment: &[(&str, &str)]) -> Result<Options, String> {
        Options::read(args.iter().map(ToString::to_string), |name| {
            environment.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_string())
        })
    }

    #[test]
    fn arguments_go_before_the_environment() {
        let options = read(&["--name", "b"], &[("NAME", "a"), ("LISTEN", "[::1]:0")]).unwrap();
        assert_eq!((options.name.as_str(), options.listen), ("b", "[::1]:0".parse().unwrap()));
    }

    #[test]
    fn every_argument_has_a_variable_for_containers() {
        let arguments = [
            ("--name", "a"),
            ("--listen", "127.0.0.1:80"),
            ("--peers", "b=backend-b:8080,c=[::1]:81"),
            ("--sticky-port", "20000"),
            ("--plain-port", "20001"),
        ];
        let by_argument = read(&arguments.map(|(name, value)| [name, value]).concat(), &[]).unwrap();
        let variables = OPTIONS.map(|(_, variable)| variable).into_iter();
        let variables: Vec<_> = variables.zip(arguments.map(|(_, value)| value)).collect();
        assert_eq!(read(&[], &variables).unwrap(), by_argument);
        assert_eq!(by_argument.peers[1], ("c".to_owned(), "[::1]:81".parse().unwrap()));
        assert_eq!(by_argument.ports, Ports { sticky: 20000, plain: 20001 });
    }

    #[test]
    fn without_peers_and_ports_an_instance_is_alone_behind_the_ports_of_the_shipped_configuration() {
        for peers in [None, Some(("PEERS", ""))] {
            let environment: Vec<_> = peers.into_iter().chain([("NAME", "a"), ("LISTEN", "[::1]:0")]).collect();
            let options = read(&[], &environment).unwrap();
            assert_eq!((options.peers, options.ports), (Vec::new(), Ports { sticky: 10000, plain: 10001 }));
        }
    }

    #[test]
    fn wrong_arguments_are_named_in_the_problem() {
        let valid = ["--name", "a", "--listen", "127.0.0.1:0"];
        for (args, named) in [
            (&["--nmae", "a"][..], r#""--nmae" is unknown"#),
            (&["--name"], r#""--name" needs a value"#),
            (&["--listen", "127.0.0.1:0"], "name of the instance is missing"),
            (&["--name", "a"], "address to listen on is missing"),
            (&["--name", "ä", "--listen", "127.0.0.1:0"], r#"the name "ä""#),
            (&["--name", "a", "--listen", "localhost"], r#""localhost" is not an IP address"#),
            (&[&valid[..], &["--peers", "b"]].concat(), r#"the peer "b" is not NAME=HOST:PORT"#),
            (&[&valid[..], &["--peers", "b=host"]].concat(), r#"the peer "b=host" is not NAME=HOST:PORT"#),
            (&[&valid[..], &["--peers", "b c=host:1"]].concat(), r#"the name "b c""#),
            (&[&valid[..], &["--peers", "a=host:1"]].concat(), "has the name of another instance"),
            (&[&valid[..], &["--peers", "b=host:1,b=host:2"]].concat(), r#""b=host:2" has the name of another"#),
            (&[&valid[..], &["--plain-port", "0"]].concat(), r#"--plain-port is "0", not a port"#),
            (&[&valid[..], &["--sticky-port", "x"]].concat(), r#"--sticky-port is "x", not a port"#),
        ] {
            let problem = read(args, &[]).unwrap_err();
            assert!(problem.contains(named), "{problem}");
        }
    }
}
