//! The format of `scenarios.yaml`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::Value;

/// The project whose test suite a scenario comes from.
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

/// The file: the anchors that scenarios share, and the scenarios.
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
    /// The file or test in the suite of its origin.
    pub(crate) source: String,
    /// The expectation in one sentence.
    pub(crate) says: String,
    pub(crate) pools: Value,
    /// Merge patches for the pools. Each makes a run of its own.
    #[serde(default)]
    pub(crate) variants: Vec<Value>,
    pub(crate) steps: Vec<Step>,
    /// The equality that compared cookies must have. The page shows which one they had.
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

/// The expected outcome of a scenario with our filter.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ours {
    /// Passes with AWS's defaults.
    Passes,
    /// Fails with the defaults, and passes with an option.
    With(Options),
    /// Fails with the defaults because of AWS's design, which `design` states, and passes with an option.
    ByDesign { design: String, options: Options },
    /// Fails, for this reason.
    Fails(String),
}

/// Changes to the configuration of our filter or of Envoy.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    /// The name of the option in the documentation.
    pub(crate) option: String,
    /// A patch for the configuration of the filter.
    #[serde(default)]
    pub(crate) plugin: Value,
    /// A patch for Envoy's clusters.
    #[serde(default)]
    pub(crate) cluster: Value,
    /// Routes of Envoy before those of the pools.
    #[serde(default)]
    pub(crate) routes: Vec<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// Makes clients, each with a cookie of this backend.
    Pin(BTreeMap<String, String>),
    /// Reloads the proxy with changed pools.
    Reload(Value),
    /// Starts a second proxy with changed pools. Steps with `at_second` go to it.
    Second(Value),
    /// Changes the behaviour of backends.
    Switch(BTreeMap<String, Behaviour>),
    /// Waits, in milliseconds.
    Wait(u64),
    Send(Box<Send>),
}

/// The behaviour of a backend instead of answering with 200.
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
    /// The name of the client. Without it, each request comes from a new client.
    pub(crate) client: Option<String>,
    pub(crate) times: Option<u32>,
    /// Milliseconds between two requests.
    pub(crate) pause: Option<u64>,
    /// All requests are in flight at the same time.
    pub(crate) at_once: bool,
    pub(crate) at_second: bool,
    pub(crate) post: bool,
    pub(crate) path: Option<String>,
    pub(crate) headers: Vec<String>,
    /// Replaces the value of each cookie that the proxy set.
    pub(crate) spoilt: Option<String>,
    /// Cookies before and after the client's own, each in a field of its own.
    pub(crate) cookies_before: Vec<String>,
    pub(crate) cookies_after: Vec<String>,
    /// All cookies in one field.
    pub(crate) one_field: bool,
    pub http2: bool,
    pub(crate) keeps: Keeps,
    /// The client keeps this response header and sends it back.
    pub(crate) session_header: Option<String>,
    /// Sends a cookie that the proxy would have set so many seconds ago; a negative number means the future.
    pub(crate) dated: Option<Dated>,
    /// The answer that the backend gives.
    pub(crate) answer: Answer,
    pub(crate) expect: Expect,
}

/// The cookies of a response that a client keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Keeps {
    #[default]
    All,
    /// Those that the proxy set, and not the application's.
    Proxys,
    Nothing,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Dated {
    pub(crate) backend: String,
    pub(crate) seconds: i64,
}

/// The answer of a backend. `{backend}` stands for its name, `{cookie}` for the name of the cookie that the proxy gave the
/// client.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Answer {
    pub(crate) set_cookies: Vec<String>,
    pub(crate) headers: BTreeMap<String, String>,
    /// Milliseconds from the head to the end of the body.
    pub(crate) slow: Option<u64>,
    /// The body ends only when all requests of the step have an answer.
    pub(crate) held: bool,
}

/// The expectations about the responses of a step. Each status is 200 unless another one is given.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Expect {
    pub(crate) status: Option<OneOrMore<u16>>,
    /// Each response comes from one of these.
    pub(crate) from: Option<OneOrMore<String>>,
    /// At least one response does not come from this one.
    pub(crate) not_always: Option<String>,
    /// Each response comes from the backend of the client's last answer at the same path.
    pub(crate) stays: bool,
    /// No response comes from the backend of this client's last answer at the same path.
    pub(crate) apart_from: Option<String>,
    /// All responses come from one backend.
    pub(crate) from_one: bool,
    /// The number of responses from each backend.
    pub(crate) shares: Option<BTreeMap<String, u32>>,
    /// The deviation that `shares` allows.
    pub(crate) within: u32,
    /// The number of responses with each status.
    pub(crate) statuses: Option<BTreeMap<String, u32>>,
    /// The number of requests that each backend receives.
    pub(crate) asked: Option<BTreeMap<String, u32>>,
    /// This backend receives at least one request.
    pub(crate) asks: Option<String>,
    /// All requests reach the backend over one connection.
    pub(crate) one_connection: bool,
    pub(crate) cookie: Option<CookieIs>,
    /// The exact attributes of each cookie of the proxy. The value `*` stands for any.
    pub(crate) attributes: Option<BTreeMap<String, String>>,
    /// Attributes that each cookie of the proxy has, beside any others.
    pub(crate) attribute_is: BTreeMap<String, String>,
    /// The lifetime in seconds, in `Expires`, in `Max-Age` or in both.
    pub(crate) expires_in: Option<u64>,
    /// Attributes that no cookie of the proxy has.
    pub(crate) no_attributes: Vec<String>,
    /// Each of these response headers contains one of the values.
    pub(crate) header: BTreeMap<String, OneOrMore<String>>,
    /// Each of these response headers has exactly this value.
    pub(crate) header_is: BTreeMap<String, String>,
    /// The `Cookie` field that the backend receives, `""` for none. `{cookie}` stands for the client's cookies of the proxy.
    pub(crate) backend_gets: Option<String>,
    /// The client receives this `Set-Cookie` line.
    pub(crate) given: Option<String>,
    /// The client does not receive this line, but one that contains it.
    pub(crate) given_more_than: Option<String>,
    /// The cookies of the proxy have other names than those of this client.
    pub(crate) other_name_than: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CookieIs {
    /// The proxy sets none.
    Absent,
    Given,
    /// The cookie leads to the backend that answered.
    OfTheAnswering,
    /// The cookie is the same as the one that was sent.
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

/// All scenarios.
pub(crate) fn scenarios() -> &'static [Scenario] {
    static SCENARIOS: OnceLock<Vec<Scenario>> = OnceLock::new();
    SCENARIOS.get_or_init(|| {
        let file: File =
            serde_saphyr::from_str(include_str!("scenarios.yaml")).unwrap_or_else(|error| panic!("{error}"));
        file.scenarios
    })
}

impl Scenario {
    /// The pools of each of its runs.
    pub(crate) fn all_pools(&self) -> Vec<Value> {
        if self.variants.is_empty() {
            return vec![self.pools.clone()];
        }
        let changed = |variant| {
            let mut pools = self.pools.clone();
            crate::pools::merge(&mut pools, variant);
            pools
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
