//! What the caller decides about an instance: arguments, and for containers the environment.

use std::net::SocketAddr;

/// The longest name that still fits the page's headline and its row of answers, in bytes.
const MAX_NAME: usize = 20;

/// What the caller decides about an instance.
#[derive(Debug, PartialEq)]
pub(crate) struct Options {
    /// How the instance calls itself on the page and in `x-instance`.
    pub(crate) name: String,
    /// Where it listens; port 0 lets the system choose.
    pub(crate) listen: SocketAddr,
}

impl Options {
    /// Reads the arguments, and from the environment what they leave open: containers are configured there.
    ///
    /// # Errors
    ///
    /// The first problem, as a sentence without its full stop.
    pub(crate) fn read(
        args: impl IntoIterator<Item = String>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let (mut name, mut listen) = (None, None);
        let mut args = args.into_iter();
        while let Some(option) = args.next() {
            let slot = match option.as_str() {
                "--name" => &mut name,
                "--listen" => &mut listen,
                _ => return Err(format!("the argument {option:?} is unknown")),
            };
            let Some(value) = args.next() else {
                return Err(format!("the argument {option:?} needs a value after it"));
            };
            *slot = Some(value);
        }
        let name = name.or_else(|| environment("NAME")).ok_or("the name of the instance is missing")?;
        let listen = listen.or_else(|| environment("LISTEN")).ok_or("the address to listen on is missing")?;
        Ok(Self {
            name: parse_name(name)?,
            listen: listen.parse().map_err(|_| {
                format!("{listen:?} is not an IP address with a port, such as 127.0.0.1:8080 or [::1]:0")
            })?,
        })
    }
}

/// Takes only names that need no escaping in a header, in HTML and in a script.
fn parse_name(name: String) -> Result<String, String> {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if plain && (1..=MAX_NAME).contains(&name.len()) {
        Ok(name)
    } else {
        Err(format!("the name {name:?} is not 1 to {MAX_NAME} characters from a-z, A-Z, 0-9 and the hyphen"))
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
        assert_eq!(options, Options { name: "b".to_owned(), listen: "[::1]:0".parse().unwrap() });
    }

    #[test]
    fn wrong_arguments_are_named_in_the_problem() {
        for (args, named) in [
            (&["--nmae", "a"][..], r#""--nmae" is unknown"#),
            (&["--name"], r#""--name" needs a value"#),
            (&["--listen", "127.0.0.1:0"], "name of the instance is missing"),
            (&["--name", "a"], "address to listen on is missing"),
            (&["--name", "ä", "--listen", "127.0.0.1:0"], r#"the name "ä""#),
            (&["--name", "a", "--listen", "localhost"], r#""localhost" is not an IP address"#),
        ] {
            let problem = read(args, &[]).unwrap_err();
            assert!(problem.contains(named), "{problem}");
        }
    }
}
