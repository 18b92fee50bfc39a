use super::*;

#[test]
fn a_ring_of_keys_is_read() {
    let json = r#"{"keys": [{"id": "2026-11", "secret": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}]}"#;
    assert!(Config::parse(json.as_bytes()).unwrap().key_ring.is_some());
}

#[test]
fn wrong_keys_are_refused_and_never_shown() {
    refused(r#"{"keys": []}"#, "keys: there is no key; leave it out for a random key");
    refused(r#"{"keys": "a:s3cr3t"}"#, "keys: the value (a secret, not shown) is not a list");
    refused(r#"{"keys": ["a:s3cr3t"]}"#, "keys[0]: the value (a secret, not shown) is not an object");
    refused(r#"{"keys": [{"id": "a"}]}"#, "keys[0].secret: is required");
    refused(
        r#"{"keys": [{"id": "a", "secret": 12345}]}"#,
        "keys[0].secret: the value (a secret, not shown) is not a string",
    );
    refused(
        r#"{"keys": [{"id": "a", "secret": "s3cr3t"}]}"#,
        "keys[0].secret: the secret is not base64; it is 32 bytes in base64, as `openssl rand -base64 32` prints them",
    );
    refused(
        r#"{"keys": [{"id": "a", "secert": "s3cr3t"}]}"#,
        "keys[0].secert: there is no such key; allowed here: id, secret; did you mean secret?",
    );
    let twice = r#"{"id": "a", "secret": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}"#;
    refused(&format!(r#"{{"keys": [{twice}, {twice}]}}"#), "keys: keys 1 and 2 have the same id");
    let secret = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    refused(
        &format!(r#"{{"keys": [{{"{secret}": "a"}}]}}"#),
        "keys[0].(not shown): there is no such key; allowed here: id, secret",
    );
}

#[test]
fn a_secret_in_the_place_of_a_name_is_not_shown_even_when_it_is_given_twice() {
    let secret = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    for keys in [format!(r#"{{"{secret}": 1, "{secret}": 2}}"#), format!(r#"[{{"{secret}": 1, "{secret}": 2}}]"#)] {
        let error = Config::parse(format!(r#"{{"keys": {keys}}}"#).as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with("keys") && !error.contains(secret), "{error}");
    }
    refused(r#"{"keys": [{"id": "a", "id": "b"}]}"#, "keys[0].id: is given twice");
}
