//! Reads a configuration from the bytes of a `google.protobuf.Struct`.
//!
//! Protobuf can write one message in many ways. An accepted configuration means the same after it is written again.

#![no_main]

use fuzzing::configuration::{check_error, check_limits, say_the_same};
use libfuzzer_sys::fuzz_target;
use prost::Message;
use prost_types::Struct;
use stickiness::config::Config;

fuzz_target!(|bytes: &[u8]| {
    match Config::parse(bytes) {
        Ok(parsed) => {
            check_limits(&parsed);
            // Without this byte the input is JSON or white space.
            if bytes.contains(&0x12)
                && let Ok(document) = Struct::decode(bytes)
            {
                let again = Config::parse(&document.encode_to_vec()).expect("the same message is accepted");
                assert!(say_the_same(&parsed, &again));
            }
        }
        Err(error) => check_error(&error, None),
    }
});
