//! The listener over TLS, and a client that trusts whatever it shows.

use std::net::SocketAddr;

use local_envoy::Config;
use serde_json::json;

use crate::client::Response;

/// A certificate for this machine and for every name under `.example`, and its key.
pub struct Certificate(rcgen::CertifiedKey<rcgen::KeyPair>);

impl Certificate {
    /// One that nobody trusts yet.
    pub fn generate() -> Self {
        let names = ["localhost".to_owned(), "*.example".to_owned()];
        Self(rcgen::generate_simple_self_signed(names).unwrap())
    }

    /// As clients read it that are told to trust it.
    pub fn pem(&self) -> String {
        self.0.cert.pem()
    }

    /// Its key, for a server of the test's own.
    pub fn key_pem(&self) -> String {
        self.0.signing_key.serialize_pem()
    }

    /// Lets the sticky listener show it, and speak HTTP/2 over TLS with clients that prefer it.
    pub fn over_http2(&self, config: &mut Config) {
        self.over_tls_on(config, "sticky");
        let tls = &mut config.listener("sticky").unwrap()["filter_chains"][0]["transport_socket"]["typed_config"];
        tls["common_tls_context"]["alpn_protocols"] = json!(["h2", "http/1.1"]);
    }

    fn over_tls_on(&self, config: &mut Config, listener: &str) {
        let chain = json!({ "inline_string": self.pem() });
        let key = json!({ "inline_string": self.0.signing_key.serialize_pem() });
        config.listener(listener).unwrap()["filter_chains"][0]["transport_socket"] = json!({
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                "common_tls_context": { "tls_certificates": [{ "certificate_chain": chain, "private_key": key }] }
            }
        });
    }
}

/// Lets the sticky listener speak TLS, with a certificate of its own.
pub fn over_tls(config: &mut Config) {
    over_tls_on(config, "sticky");
}

/// Lets a listener speak TLS, with a certificate of its own.
pub fn over_tls_on(config: &mut Config, listener: &str) {
    Certificate::generate().over_tls_on(config, listener);
}

/// As [`over_tls`], and lets clients that can speak HTTP/2.
pub fn over_http2(config: &mut Config) {
    Certificate::generate().over_http2(config);
}

/// Sends a request with these headers over TLS.
#[track_caller]
pub fn fetch_over_tls(server: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Response {
    let tls = ureq::tls::TlsConfig::builder().disable_verification(true).build();
    let agent = ureq::Agent::config_builder().tls_config(tls).http_status_as_error(false).max_redirects(0).build();
    let request = ureq::Agent::from(agent).get(format!("https://localhost:{}{path}", server.port()));
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let mut response = request.call().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers = response.headers().iter().map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect();
    Response { status: response.status().as_u16(), headers, body: response.body_mut().read_to_string().unwrap() }
}
