//! Counts the calls between Envoy and the filter for one request of each kind.

use data_encoding::BASE64;
use wasmi::{Error, Module};

use crate::{Crossing, Host, Vm};

/// The header through which `stateful_session` is told the target, and tells it back.
const OVERRIDE: &str = "x-sticky-session-host";

const HOME: &str = "10.0.0.1:8080";
const ELSEWHERE: &str = "10.0.0.2:8080";

/// Of the host's clock.
const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1000 * MILLISECOND;

/// The number of requests before the one that counts. After them the caches of the filter are filled, and it knows that its worker
/// is busy.
const BEFORE: usize = 300;

/// The same for a worker that is not.
const BEFORE_IN_QUIET: usize = 3;

/// A kind of request, to a filter with a certain configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// With a cookie of a living target, like all of these but two.
    Pinned,
    /// The same, in a second in which no request was answered yet.
    PinnedInANewSecond,
    /// The same, on a worker that has little to do.
    PinnedInQuiet,
    /// The same, over TLS.
    PinnedOverTls,
    /// With `cookie.renew: sliding`.
    PinnedSliding,
    /// With `cookie.renew: on_change`.
    PinnedOnChange,
    /// With `upstream.only_target_group`.
    PinnedOnlyTargetGroup,
    /// With both of the two before.
    PinnedAtLeastCost,
    /// With `upstream.mechanism: override_host`.
    PinnedOverrideHost,
    /// With policies, of which a route may choose one.
    PinnedWithPolicies,
    /// Without a cookie.
    New,
    /// With a cookie of a target that is gone.
    Failover,
    /// With a rule of two target groups, whose targets are pinned by the application's cookie.
    GroupAndApplication,
}

impl Scenario {
    /// Every one of them.
    pub const ALL: [Self; 13] = [
        Self::Pinned,
        Self::PinnedInANewSecond,
        Self::PinnedInQuiet,
        Self::PinnedOverTls,
        Self::PinnedSliding,
        Self::PinnedOnChange,
        Self::PinnedOnlyTargetGroup,
        Self::PinnedAtLeastCost,
        Self::PinnedOverrideHost,
        Self::PinnedWithPolicies,
        Self::New,
        Self::Failover,
        Self::GroupAndApplication,
    ];

    /// Its name for a table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pinned => "pinned",
            Self::PinnedInANewSecond => "pinned, the first of a second",
            Self::PinnedInQuiet => "pinned, on a worker with little to do",
            Self::PinnedOverTls => "pinned, over TLS",
            Self::PinnedSliding => "pinned, renew: sliding",
            Self::PinnedOnChange => "pinned, renew: on_change",
            Self::PinnedOnlyTargetGroup => "pinned, only_target_group",
            Self::PinnedAtLeastCost => "pinned, only_target_group, renew: on_change",
            Self::PinnedOverrideHost => "pinned, override_host",
            Self::PinnedWithPolicies => "pinned, with policies",
            Self::New => "new session",
            Self::Failover => "failover",
            Self::GroupAndApplication => "target group and application cookie",
        }
    }

    /// The plugin's configuration, as JSON. The target group is `web`, or with a rule `blue` and `green`.
    #[must_use]
    pub fn configuration(self) -> &'static str {
        match self {
            Self::Pinned
            | Self::PinnedInANewSecond
            | Self::PinnedInQuiet
            | Self::PinnedOverTls
            | Self::New
            | Self::Failover => r#"{"target_groups": {"web": {"stickiness": {"type": "lb_cookie"}}}}"#,
            Self::PinnedSliding => {
                r#"{"target_groups": {"web": {"stickiness": {"type": "lb_cookie"}}}, "cookie": {"renew": "sliding"}}"#
            }
            Self::PinnedOnChange => {
                r#"{"target_groups": {"web": {"stickiness": {"type": "lb_cookie"}}}, "cookie": {"renew": "on_change"}}"#
            }
            Self::PinnedOnlyTargetGroup => {
                r#"{"target_groups": {"web": {"stickiness": {"type": "lb_cookie"}}}, "upstream": {"only_target_group": "web"}}"#
            }
            Self::PinnedAtLeastCost => {
                r#"{
                    "target_groups": {"web": {"stickiness": {"type": "lb_cookie"}}},
                    "upstream": {"only_target_group": "web"}, "cookie": {"renew": "on_change"}
                }"#
            }
            Self::PinnedOverrideHost => {
                r#"{"target_groups": {"web": {"stickiness": {"type": "lb_cookie"}}}, "upstream": {"mechanism": "override_host"}}"#
            }
            Self::PinnedWithPolicies => {
                r#"{"target_groups": {"web": {"stickiness": {"type": "lb_cookie"}}}, "policies": {"other": {}}}"#
            }
            Self::GroupAndApplication => {
                r#"{
                    "rules": [{"target_groups": ["blue", "green"], "target_group_stickiness": {"duration_seconds": 3600}}],
                    "target_groups": {
                        "blue": {"stickiness": {"type": "app_cookie", "app_cookie": {"cookie_name": "session"}}},
                        "green": {"stickiness": {"type": "app_cookie", "app_cookie": {"cookie_name": "session"}}}
                    }
                }"#
            }
        }
    }

    /// The cookies that come after a first request without any, or none.
    fn returns_with_cookies(self) -> bool {
        self != Self::New
    }

    fn is_over_tls(self) -> bool {
        self == Self::PinnedOverTls
    }

    fn uses_stateful_session(self) -> bool {
        self != Self::PinnedOverrideHost
    }
}

/// The functions of the host that the filter calls for one request, in their order.
///
/// # Errors
///
/// When the filter traps.
pub fn calls_of(filter: &Module, scenario: Scenario) -> Result<Vec<String>, Error> {
    let crossings = crossings_of(filter, scenario)?;
    Ok(crossings.iter().filter(|one| matches!(one, Crossing::Call { .. })).map(ToString::to_string).collect())
}

/// All calls between the host and the filter for one request, in their order.
///
/// It is not the first of its kind, and the clock stands still, so everything that is opened, sealed or defined once is there
/// already. Unless the scenario says otherwise, the worker is busy, and the work of its timer is not counted.
///
/// # Errors
///
/// When the filter traps.
pub fn crossings_of(filter: &Module, scenario: Scenario) -> Result<Vec<Crossing>, Error> {
    let mut plugin = Plugin::start(filter, scenario)?;
    // The application's cookie has to be there, or none of ours would be given for it.
    let mut jar = Jar::default();
    if scenario.returns_with_cookies() {
        plugin.serve(&mut jar, HOME)?;
    }
    let target = if scenario == Scenario::Failover { ELSEWHERE } else { HOME };
    let before = if scenario == Scenario::PinnedInQuiet { BEFORE_IN_QUIET } else { BEFORE };
    let last = if scenario == Scenario::PinnedInANewSecond { SECOND } else { MILLISECOND };
    // The worker is told twice that time has passed: once to find it busy, and then for the request that counts.
    for passes in [MILLISECOND, last] {
        for _ in 0..before {
            plugin.serve(&mut jar.clone(), target)?;
        }
        plugin.pass(passes)?;
    }
    if scenario != Scenario::PinnedInANewSecond {
        plugin.serve(&mut jar.clone(), target)?;
    }
    plugin.vm.host().record.clear();
    let answer = plugin.serve(&mut jar, target)?;
    let renewed = !matches!(scenario, Scenario::PinnedSliding | Scenario::PinnedOnChange | Scenario::PinnedAtLeastCost);
    assert_eq!(answer.gave_cookies, renewed, "{}: whether cookies are given", scenario.name());
    assert_eq!(
        answer.asked_for,
        scenario.returns_with_cookies().then(|| HOME.to_owned()),
        "{}: the pin",
        scenario.name()
    );
    Ok(std::mem::take(&mut plugin.vm.host().record))
}

/// The cookies of a client.
#[derive(Clone, Default)]
struct Jar(Vec<(String, String)>);

impl Jar {
    fn header(&self) -> String {
        let pairs: Vec<String> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    /// Takes the cookie of a `Set-Cookie` line, whatever its attributes.
    fn take(&mut self, line: &[u8]) {
        let line = String::from_utf8_lossy(line);
        let pair = line.split(';').next().unwrap_or_default();
        if let Some((name, value)) = pair.split_once('=') {
            self.0.retain(|(present, _)| present != name);
            self.0.push((name.to_owned(), value.to_owned()));
        }
    }
}

struct Answer {
    /// The target that the filter asked Envoy for.
    asked_for: Option<String>,
    /// The filter gave the client cookies.
    gave_cookies: bool,
}

struct Plugin {
    vm: Vm,
    context: i32,
    scenario: Scenario,
}

impl Plugin {
    fn start(filter: &Module, scenario: Scenario) -> Result<Self, Error> {
        let mut host = Host::default();
        let target_group: &[u8] = if scenario == Scenario::GroupAndApplication { b"blue" } else { b"web" };
        let properties: [(&str, &[u8]); 2] =
            [("xds.cluster_name", target_group), ("response.code_details", b"via_upstream")];
        host.properties = properties.map(|(path, value)| (path.to_owned(), value.to_vec())).into();
        if scenario.is_over_tls() {
            host.properties.insert("connection.tls_version".to_owned(), b"TLSv1.3".into());
        }
        let mut vm = Vm::load(filter, host);
        vm.initialize()?;
        let context = vm.create(0)?;
        let accepted = vm.configure(context, scenario.configuration())?;
        assert!(accepted, "{:?}", vm.host().log);
        Ok(Self { vm, context, scenario })
    }

    /// Time passes, and the timer of the plugin fires if it is on.
    fn pass(&mut self, nanoseconds: u64) -> Result<(), Error> {
        let host = self.vm.host();
        host.now += nanoseconds;
        if host.tick_period > 0 { self.vm.tick(self.context) } else { Ok(()) }
    }

    /// A request of this client, which this target answers. Each callback is called that Envoy calls for it.
    fn serve(&mut self, jar: &mut Jar, target: &str) -> Result<Answer, Error> {
        let properties = &mut self.vm.host().properties;
        properties.remove("upstream.address");
        let stream = self.vm.create(self.context)?;
        let cookies = jar.header();
        let scheme: &[u8] = if self.scenario.is_over_tls() { b"https" } else { b"http" };
        let mut headers: Vec<(&str, &[u8])> =
            vec![(":authority", b"localhost"), (":path", b"/"), (":method", b"GET"), (":scheme", scheme)];
        if !cookies.is_empty() {
            headers.push(("cookie", cookies.as_bytes()));
        }
        headers.extend::<[(&str, &[u8]); 2]>([("x-forwarded-proto", scheme), ("x-request-id", b"1")]);
        let sent = self.vm.request(stream, &headers)?;
        let asked_for = sent.iter().find(|(name, _)| name == OVERRIDE).map(|(_, value)| value.clone());

        self.vm.host().properties.insert("upstream.address".to_owned(), target.into());
        let mut headers: Vec<(&str, &[u8])> =
            vec![(":status", b"200"), ("content-length", b"2"), ("content-type", b"text/plain")];
        if self.scenario == Scenario::GroupAndApplication {
            headers.push(("set-cookie", b"session=1; Path=/"));
        }
        // It tells the target when it is not the one that was asked for.
        let address = BASE64.encode(target.as_bytes()).into_bytes();
        if self.scenario.uses_stateful_session() && asked_for.as_ref() != Some(&address) {
            headers.push((OVERRIDE, &address));
        }
        let answer = self.vm.response(stream, &headers)?;
        self.vm.response_body(stream, 2)?;
        self.vm.log(stream)?;
        self.vm.delete(stream)?;
        assert!(answer.iter().all(|(name, _)| name != OVERRIDE), "the address of a target reaches the client");

        let set_cookies: Vec<_> = answer.iter().filter(|(name, _)| name == "set-cookie").collect();
        let own = headers.iter().filter(|(name, _)| *name == "set-cookie").count();
        for (_, line) in &set_cookies {
            jar.take(line);
        }
        let asked_for = asked_for.map(|value| {
            let encoded = self.scenario.uses_stateful_session();
            let target = if encoded { BASE64.decode(&value).unwrap_or_default() } else { value };
            String::from_utf8_lossy(&target).into_owned()
        });
        Ok(Answer { asked_for, gave_cookies: set_cookies.len() > own })
    }
}
