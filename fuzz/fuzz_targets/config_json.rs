//! Reads a configuration from any text.

#![no_main]

use fuzzing::configuration::{check_error, check_limits, say_the_same};
use fuzzing::forms::as_struct;
use libfuzzer_sys::fuzz_target;
use stickiness::config::Config;

fuzz_target!(|text: &[u8]| {
    // serde_json keeps the last value of a key that is given twice. The configuration refuses such a key.
    let document = serde_json::from_slice(text).ok();
    match Config::parse(text) {
        Ok(parsed) => {
            check_limits(&parsed);
            if let Some(as_struct) = document.as_ref().and_then(as_struct) {
                let again = Config::parse(&as_struct).expect("what is right as JSON is right as a Struct");
                assert!(say_the_same(&parsed, &again));
            }
        }
        Err(error) => check_error(&error, None),
    }
});
