//! The listener over TLS, and a client that trusts whatever it shows.

use std::net::SocketAddr;

use local_envoy::Config;
use serde_json::json;

use crate::client::Response;

/// A certificate for `localhost`, and its key.
pub struct Certificate(rcgen::CertifiedKey<rcgen::KeyPair>);

impl Certificate {
    /// One that nobody trusts yet.
    pub fn generate() -> Self {
        Self(rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap())
    }

    /// As clients read it that are told to trust it.
    pub fn pem(&self) -> String {
        self.0.cert.pem()
    }

    /// Lets the sticky listener show it, and speak HTTP/2 or HTTP/1.1 over TLS as the client prefers.
    pub fn over_tls(&self, config: &mut Config) {
        let chain = json!({ "inline_string": self.pem() });
        let key = json!({ "inline_string": self.0.signing_key.serialize_pem() });
        config.listener("sticky").unwrap()["filter_chains"][0]["transport_socket"] = json!({
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                "common_tls_context": {
                    "tls_certificates": [{ "certificate_chain": chain, "private_key": key }],
                    "alpn_protocols": ["h2", "http/1.1"]
                }
            }
        });
    }
}

/// Lets the sticky listener speak TLS, with a certificate of its own.
pub fn over_tls(config: &mut Config) {
    Certificate::generate().over_tls(config);
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
