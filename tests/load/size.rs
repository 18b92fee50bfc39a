//! The size of a run.

use std::env;

/// The size of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    /// The number of open connections. All of them are used.
    pub(crate) connections: usize,
    /// The number of sessions, each with its own cookie jar.
    pub(crate) sessions: usize,
    pub(crate) requests: u64,
}

/// The default size. Two processors need less than a minute for it.
const SCALED_DOWN: Size = Size { connections: 2_000, sessions: 50_000, requests: 250_000 };

impl Size {
    /// The size in `LOAD_CONNECTIONS`, `LOAD_SESSIONS` and `LOAD_REQUESTS`.
    pub(crate) fn from_environment() -> Self {
        Self::read(|name| env::var(name).ok()).unwrap_or_else(|error| panic!("{error}"))
    }

    fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let number = |name: &str, otherwise: u64| match variable(name) {
            None => Ok(otherwise),
            Some(text) => {
                text.replace('_', "").parse().map_err(|_| format!("{name} is {text:?}: it should be a number"))
            }
        };
        let Self { connections, sessions, requests } = SCALED_DOWN;
        let count = |name, otherwise| number(name, otherwise as u64).map(|count| usize::try_from(count).unwrap());
        let size = Self {
            connections: count("LOAD_CONNECTIONS", connections)?,
            sessions: count("LOAD_SESSIONS", sessions)?,
            requests: number("LOAD_REQUESTS", requests)?,
        };
        let Self { connections, sessions, requests } = size;
        if connections == 0 || sessions < 2 * connections {
            return Err(format!(
                "{sessions} sessions on {connections} connections: at least two on each, so that none goes round twice while another \
                 is under way"
            ));
        }
        if requests < 3 * sessions as u64 {
            return Err(format!(
                "{requests} requests of {sessions} sessions: at least three of each, so that every one returns"
            ));
        }
        Ok(size)
    }
}

#[test]
fn sizes_come_from_the_environment_and_must_fit_together() {
    let read = |text: &'static str| {
        let words: Vec<&str> = text.split(' ').collect();
        Size::read(|name| words.iter().find_map(|word| Some(word.strip_prefix(name)?.strip_prefix('=')?.to_owned())))
    };
    assert_eq!(read(""), Ok(SCALED_DOWN));
    let full = Size { connections: 10_000, sessions: 1_000_000, requests: 10_000_000 };
    assert_eq!(read("LOAD_CONNECTIONS=10000 LOAD_SESSIONS=1_000_000 LOAD_REQUESTS=10000000"), Ok(full));
    assert_eq!(read("LOAD_REQUESTS=many").unwrap_err(), "LOAD_REQUESTS is \"many\": it should be a number");
    assert!(read("LOAD_CONNECTIONS=40000").unwrap_err().contains("at least two on each"));
    assert!(read("LOAD_REQUESTS=100000").unwrap_err().contains("every one returns"));
}
