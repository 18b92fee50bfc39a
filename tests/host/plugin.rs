//! A plugin with a configuration, and the sessions of its clients.

use std::sync::OnceLock;

use wasm_host::{Error, Fault, Headers, Host, Module, Vm};

const TARGET: &[u8] = b"10.0.0.1:8080";

const KEYS: &str = r#""keys": [{"id": "a", "secret": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}]"#;

/// The map `policy: of the route` as bytes of the ABI.
const POLICY_OF_THE_ROUTE: &[u8] = b"\x01\0\0\0\x06\0\0\0\x0c\0\0\0policy\0of the route\0";

/// Configurations that together make every call of the host that the filter knows.
pub(super) fn configurations() -> [String; 4] {
    let sticky = |kind: &str| {
        let stickiness = format!(r#"{{"type": "{kind}", "{kind}": {{"cookie_name": "sid"}}}}"#);
        format!(r#"{{"target_groups": {{"web": {{"stickiness": {stickiness}}}}}, {KEYS}}}"#)
    };
    let rule = r#"{"target_groups": ["web", "green"], "target_group_stickiness": {"duration_seconds": 60}, "on_empty_group": "repick"}"#;
    [
        // With a random key.
        "{}".to_owned(),
        // With requests of its own, and routes that choose.
        format!(r#"{{"rules": [{rule}], "policies": {{"of the route": {{}}}}, {KEYS}}}"#),
        sticky("app_cookie"),
        sticky("classic_app_cookie"),
    ]
}

/// The filter.
pub(super) fn module() -> &'static Module {
    static MODULE: OnceLock<Module> = OnceLock::new();
    MODULE.get_or_init(|| Vm::module(&std::fs::read(super::filter()).unwrap()).unwrap())
}

/// A plugin in a VM of its own.
pub(super) struct Plugin {
    pub(super) vm: Vm,
    pub(super) context: i32,
    pub(super) configuration: String,
}

impl Plugin {
    /// Before its first callback, on a host whose targets answer.
    pub(super) fn load(configuration: &str) -> Self {
        let mut host = Host::default();
        let properties: [(&str, &[u8]); 5] = [
            ("xds.cluster_name", b"web"),
            ("response.code_details", b"via_upstream"),
            ("upstream.address", TARGET),
            ("connection.tls_version", b"TLSv1.3"),
            ("xds.route_metadata.filter_metadata.sticky_sessions", POLICY_OF_THE_ROUTE),
        ];
        host.properties = properties.map(|(path, value)| (path.to_owned(), value.to_vec())).into();
        Self { vm: Vm::load(module(), host), context: 0, configuration: configuration.to_owned() }
    }

    /// At work.
    pub(super) fn start(configuration: &str) -> Self {
        let mut plugin = Self::load(configuration);
        assert!(plugin.begin().unwrap(), "{:?}", plugin.vm.host().log);
        plugin
    }

    /// Starts it. Tells whether it accepted its configuration.
    pub(super) fn begin(&mut self) -> Result<bool, Error> {
        self.vm.initialize()?;
        self.context = self.vm.create(0)?;
        self.configure()
    }

    /// Gives it its configuration. Tells whether it accepted it.
    pub(super) fn configure(&mut self) -> Result<bool, Error> {
        self.vm.configure(self.context, &self.configuration)
    }

    /// Has the host fail from now on, or no longer.
    pub(super) fn fail(&mut self, fault: Option<&Fault>) {
        self.vm.host().fault = fault.cloned();
    }

    /// A request of a client that sends these cookies, as Envoy sends it on.
    pub(super) fn request(&mut self, stream: i32, cookies: &str) -> Result<Headers, Error> {
        let agent = b"Mozilla/5.0 Chrome/120.0".as_slice();
        self.vm
            .request(stream, &[("cookie", cookies.as_bytes()), ("user-agent", agent), ("x-sticky-session-host", b"x")])
    }

    /// The answer of a target, as the client gets it. It sets the application's cookie.
    pub(super) fn response(&mut self, stream: i32) -> Result<Headers, Error> {
        self.vm.response(stream, &[("set-cookie", b"sid=1; Path=/"), ("x-sticky-session-host", b"leak")])
    }

    /// A whole request of a client with these cookies. Returns its cookies afterwards.
    pub(super) fn serve(&mut self, cookies: &str) -> Result<String, Error> {
        let stream = self.vm.create(self.context)?;
        self.request(stream, cookies)?;
        let answer = self.response(stream)?;
        self.vm.log(stream)?;
        self.vm.delete(stream)?;
        Ok(cookies_of(&answer))
    }

    /// As [`Plugin::serve`]. Another target answers than the one that the cookies name.
    pub(super) fn serve_elsewhere(&mut self, cookies: &str) -> Result<String, Error> {
        let address = "upstream.address".to_owned();
        let before = self.vm.host().properties.insert(address.clone(), b"10.0.0.2:8080".into()).unwrap();
        let cookies = self.serve(cookies);
        self.vm.host().properties.insert(address, before);
        cookies
    }

    /// All requests of the filter's own are answered.
    pub(super) fn answer_calls(&mut self) -> Result<(), Error> {
        while !self.vm.host().outstanding.is_empty() {
            self.vm.answer_call(self.context, 1)?;
        }
        Ok(())
    }

    /// A client without a cookie is given one, and comes back to its target with it.
    #[track_caller]
    pub(super) fn assert_sticky(&mut self, when: &str) {
        let cookies = self.serve("").unwrap_or_else(|error| panic!("{when}: {error}"));
        let stream = self.vm.create(self.context).unwrap();
        let headers = self.request(stream, &cookies).unwrap_or_else(|error| panic!("{when}: {error}"));
        self.vm.delete(stream).unwrap();
        let host = headers.iter().find(|(name, _)| name == "x-sticky-session-host").map(|(_, value)| value.as_slice());
        assert_eq!(host, Some(b"MTAuMC4wLjE6ODA4MA==".as_slice()), "{when}, with {cookies}");
    }
}

/// The cookies that this answer sets, as a client sends them back.
pub(super) fn cookies_of(answer: &Headers) -> String {
    let lines = answer.iter().filter(|(name, _)| name == "set-cookie").map(|(_, line)| String::from_utf8_lossy(line));
    lines.filter_map(|line| Some(line.split(';').next()?.to_owned())).collect::<Vec<_>>().join("; ")
}
