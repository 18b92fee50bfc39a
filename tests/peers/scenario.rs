//! What is a scenario made of? `scenarios.yaml` holds them all.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::Value;

/// Whose test suite a scenario is told after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(crate) enum Origin {
    #[serde(rename = "nginx")]
    Nginx,
    #[serde(rename = "HAProxy")]
    Haproxy,
    #[serde(rename = "Gateway API")]
    GatewayApi,
    #[serde(rename = "Envoy Gateway")]
    EnvoyGateway,
}

/// Names what the scenarios share, and lists them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "shared")]
    _shared: Value,
    scenarios: Vec<Scenario>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    pub(crate) id: String,
    pub(crate) origin: Origin,
    /// Where in its suite.
    pub(crate) source: String,
    /// What should be so.
    pub(crate) says: String,
    pub(crate) setup: Value,
    /// What is changed in the setup, each time for a run of its own.
    #[serde(default)]
    pub(crate) variants: Vec<Value>,
    pub(crate) steps: Vec<Step>,
    /// When two cookies are the same. Whatever the scenario asks for, the cell says which of the two held.
    #[serde(default)]
    pub(crate) equality: Equality,
    pub(crate) ours: Ours,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Equality {
    SameBytes,
    #[default]
    SameBackend,
}

/// What becomes of a scenario with our filter.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ours {
    /// Passes with AWS's defaults.
    Passes,
    /// Passes with an option, and not without it.
    With(Options),
    /// AWS's design is otherwise, in these words; passes with an option, and not without it.
    ByDesign { design: String, options: Options },
    /// Does not pass, for this reason.
    Fails(String),
}

/// What is changed in the configuration beside what the setup says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    /// In the words of the documentation.
    pub(crate) option: String,
    /// In the filter's own configuration.
    #[serde(default)]
    pub(crate) plugin: Value,
    /// In Envoy's clusters.
    #[serde(default)]
    pub(crate) cluster: Value,
    /// Envoy's routes that come before those of the setup.
    #[serde(default)]
    pub(crate) routes: Vec<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// Clients, each with a cookie that the proxy gave with an answer of this backend.
    Pin(BTreeMap<String, String>),
    /// The proxy takes over a changed setup.
    Reload(Value),
    /// A second proxy, with the setup changed, to which steps with `at_second` go.
    Second(Value),
    /// What backends do from now on.
    Switch(BTreeMap<String, Behaviour>),
    /// For so many milliseconds.
    Wait(u64),
    Send(Box<Send>),
}

/// What a backend does instead of answering with 200.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Behaviour {
    /// Answers with this status.
    Status(u16),
    /// Refuses connections.
    Refuse,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word of the file")]
pub(crate) struct Send {
    /// Without one, each request comes from a client that was never here.
    pub(crate) client: Option<String>,
    pub(crate) times: Option<u32>,
    /// Milliseconds between two of them.
    pub(crate) pause: Option<u64>,
    /// All are under way at a time.
    pub(crate) at_once: bool,
    pub(crate) at_second: bool,
    pub(crate) post: bool,
    pub(crate) path: Option<String>,
    pub(crate) headers: Vec<String>,
    /// Sent in place of the value of each cookie that the proxy gave.
    pub(crate) spoilt: Option<String>,
    /// Cookies to be sent before and after those of the client, each in a field of its own.
    pub(crate) cookies_before: Vec<String>,
    pub(crate) cookies_after: Vec<String>,
    /// All in one field.
    pub(crate) one_field: bool,
    pub http2: bool,
    pub(crate) keeps: Keeps,
    /// The client keeps this header of the answer and sends it.
    pub(crate) session_header: Option<String>,
    /// Sends a cookie that the proxy might have given so many seconds ago, or will, where the number is negative.
    pub(crate) dated: Option<Dated>,
    /// What the backend is to answer.
    pub(crate) answer: Answer,
    pub(crate) expect: Expect,
}

/// Which cookies of an answer a client keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Keeps {
    #[default]
    All,
    /// Those that the proxy gives, and not the application's.
    Proxys,
    Nothing,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Dated {
    pub(crate) backend: String,
    pub(crate) seconds: i64,
}

/// What a backend is to answer. `{backend}` stands for its name, `{cookie}` for the name of the client's cookie of the proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Answer {
    pub(crate) set_cookies: Vec<String>,
    pub(crate) headers: BTreeMap<String, String>,
    /// Milliseconds from the head to the end of the body.
    pub(crate) slow: Option<u64>,
    /// The body does not end before all requests of the step have an answer.
    pub(crate) held: bool,
}

/// What the answers have to be. Each is 200 unless a status is given.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Expect {
    pub(crate) status: Option<OneOrMore<u16>>,
    /// Comes from one of these.
    pub(crate) from: Option<OneOrMore<String>>,
    /// Does not come from this one, at least once.
    pub(crate) not_always: Option<String>,
    /// From where the client's answer before came, at the same path.
    pub(crate) stays: bool,
    /// Not from where this client's answer before came, at the same path.
    pub(crate) apart_from: Option<String>,
    /// All from one backend.
    pub(crate) from_one: bool,
    /// How many come from each backend.
    pub(crate) shares: Option<BTreeMap<String, u32>>,
    /// How many more or fewer it may be.
    pub(crate) within: u32,
    /// How many have these statuses.
    pub(crate) statuses: Option<BTreeMap<String, u32>>,
    /// How often each backend was asked.
    pub(crate) asked: Option<BTreeMap<String, u32>>,
    /// This backend is asked at least once.
    pub(crate) asks: Option<String>,
    /// All over one connection to the backend.
    pub(crate) one_connection: bool,
    pub(crate) cookie: Option<CookieIs>,
    /// The attributes of each cookie of the proxy are just these; the value `*` is any.
    pub(crate) attributes: Option<BTreeMap<String, String>>,
    /// These attributes are there, whatever else is.
    pub(crate) attribute_is: BTreeMap<String, String>,
    /// The browser is told so many seconds, whether by `Expires`, by `Max-Age` or by both.
    pub(crate) expires_in: Option<u64>,
    /// No cookie of the proxy has any of these.
    pub(crate) no_attributes: Vec<String>,
    /// A response header contains one of these.
    pub(crate) header: BTreeMap<String, OneOrMore<String>>,
    /// A response header is just this.
    pub(crate) header_is: BTreeMap<String, String>,
    /// The `Cookie` field that the backend gets, `""` for none. `{cookie}` stands for what the client has of the proxy.
    pub(crate) backend_gets: Option<String>,
    /// The client is given this line.
    pub(crate) given: Option<String>,
    /// The client is not given this line, but one that contains it.
    pub(crate) given_more_than: Option<String>,
    /// No cookie that the proxy gave has a name that one of this client has.
    pub(crate) other_name_than: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CookieIs {
    /// The proxy gives none.
    Absent,
    Given,
    /// It leads to the backend that answered.
    OfTheAnswering,
    /// It is the same as the one that was sent.
    Again,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum OneOrMore<T> {
    One(T),
    More(Vec<T>),
}

impl<T> OneOrMore<T> {
    pub(crate) fn all(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::More(more) => more,
        }
    }
}

/// All of them.
pub(crate) fn scenarios() -> &'static [Scenario] {
    static SCENARIOS: OnceLock<Vec<Scenario>> = OnceLock::new();
    SCENARIOS.get_or_init(|| {
        let file: File =
            serde_saphyr::from_str(include_str!("scenarios.yaml")).unwrap_or_else(|error| panic!("{error}"));
        file.scenarios
    })
}

impl Scenario {
    /// The setups of its runs.
    pub(crate) fn setups(&self) -> Vec<Value> {
        if self.variants.is_empty() {
            return vec![self.setup.clone()];
        }
        let changed = |variant| {
            let mut setup = self.setup.clone();
            crate::setup::merge(&mut setup, variant);
            setup
        };
        self.variants.iter().map(changed).collect()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nginx => "nginx",
            Self::Haproxy => "HAProxy",
            Self::GatewayApi => "Gateway API",
            Self::EnvoyGateway => "Envoy Gateway",
        })
    }
}
