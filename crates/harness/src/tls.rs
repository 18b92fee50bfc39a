//! TLS for a listener, and a client that accepts any certificate.

use std::net::SocketAddr;

use local_envoy::Config;
use serde_json::json;

use crate::Response;

/// A certificate and its key, for `localhost` and every name under `.example`.
pub struct Certificate(rcgen::CertifiedKey<rcgen::KeyPair>);

impl Certificate {
    /// Makes a self-signed certificate.
    pub fn generate() -> Self {
        let names = ["localhost".to_owned(), "*.example".to_owned()];
        Self(rcgen::generate_simple_self_signed(names).unwrap())
    }

    /// The certificate, for clients that shall trust it.
    pub fn pem(&self) -> String {
        self.0.cert.pem()
    }

    /// The key, for a server of the test.
    pub fn key_pem(&self) -> String {
        self.0.signing_key.serialize_pem()
    }

    /// Makes the sticky listener speak TLS with this certificate, and HTTP/2 with clients that can.
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

/// Makes the sticky listener speak TLS with a new certificate.
pub fn over_tls(config: &mut Config) {
    over_tls_on(config, "sticky");
}

/// Makes a listener speak TLS with a new certificate.
pub fn over_tls_on(config: &mut Config, listener: &str) {
    Certificate::generate().over_tls_on(config, listener);
}

/// As [`over_tls`], and HTTP/2 with clients that can.
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
