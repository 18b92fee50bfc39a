//! Reads one configuration in four forms: JSON, `google.protobuf.Struct`, dotted keys, and strings for numbers and flags.
//!
//! JSON and `Struct` give the same configuration or the same error. The dotted form is accepted when JSON is, and means the same.
//! The form with strings is accepted when JSON is, and means the same.

#![no_main]

use arbitrary::Unstructured;
use fuzzing::configuration::{check_error, check_limits, say_the_same};
use fuzzing::document::document;
use fuzzing::forms::{as_strings, as_struct, dotted};
use libfuzzer_sys::{Corpus, fuzz_target};
use serde_json::Value;
use stickiness::config::Config;

fuzz_target!(|input: &[u8]| -> Corpus {
    let Ok(document) = document(&mut Unstructured::new(input)) else { return Corpus::Reject };
    let parse = |document: &Value| Config::parse(document.to_string().as_bytes());
    let json = parse(&document);
    let from_struct = Config::parse(&as_struct(&document).expect("a configuration is an object"));
    let from_dotted = parse(&dotted(&document));
    match (&json, &from_struct, &from_dotted) {
        (Ok(json), Ok(from_struct), Ok(from_dotted)) => {
            check_limits(json);
            assert!(say_the_same(json, from_struct), "{document} as a Struct");
            assert!(say_the_same(json, from_dotted), "{document} with dots");
            let with_strings = parse(&as_strings(&document)).expect("strings do where numbers and flags do");
            assert!(say_the_same(json, &with_strings), "{document} with strings");
        }
        (Err(json), Err(from_struct), Err(from_dotted)) => {
            assert_eq!(json.to_string(), from_struct.to_string(), "{document}");
            check_error(json, Some(&document));
            check_error(from_dotted, Some(&document));
        }
        _ => panic!("{document}: one form is refused and another is not"),
    }
    Corpus::Keep
});
