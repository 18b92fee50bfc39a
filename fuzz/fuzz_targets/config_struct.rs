//! A configuration as the bytes of a `google.protobuf.Struct`.
//!
//! Protobuf has many spellings of one message: what is accepted says the same when it is written anew.

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
            // Otherwise it was JSON, or nothing but white space.
            if bytes.contains(&0x12)
                && let Ok(document) = Struct::decode(bytes)
            {
                let again = Config::parse(&document.encode_to_vec()).expect("the same message, written anew");
                assert!(say_the_same(&parsed, &again));
            }
        }
        Err(error) => check_error(&error, None),
    }
});
