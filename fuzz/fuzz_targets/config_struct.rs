//! Reads a configuration from the bytes of a `google.protobuf.Struct`.
//!
//! A `Struct` that is accepted means the same after it is written again, and has as many bytes: nothing of it was passed over.

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
            // The others are JSON, white space, or an object in another message.
            if let Ok(document) = Struct::decode(bytes)
                && document.encoded_len() == bytes.len()
            {
                let again = Config::parse(&document.encode_to_vec()).expect("the same message is accepted");
                assert!(say_the_same(&parsed, &again));
            }
        }
        Err(error) => check_error(&error, None),
    }
});
