//! The forms in which the bytes of a configuration come. Each is used whole or refused.

use super::*;

const BYTE_ORDER_MARK: &str = "\u{feff}";

/// A field of a message whose content has a length: its number, and the content.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    prost::encode_length_delimiter(content.len(), &mut bytes).unwrap();
    [&bytes, content].concat()
}

#[track_caller]
fn bytes_refused(bytes: &[u8], message: &str) {
    assert_eq!(Config::parse(bytes).unwrap_err().to_string(), format!("the configuration is {message}"), "{bytes:x?}");
}

const OTHER_TYPE: &str = "neither JSON nor a whole google.protobuf.Struct; give JSON as google.protobuf.StringValue, or give a \
                          google.protobuf.Struct";

#[test]
fn a_value_or_a_typed_struct_with_an_object_means_what_the_object_means() {
    let object = as_struct(NESTED);
    let typed = |url: &[u8]| [url, &field(2, &object)].concat();
    let url = field(1, b"type.googleapis.com/google.protobuf.Struct");
    for bytes in [as_value(NESTED).encode_to_vec(), typed(&[]), typed(&url)] {
        assert_eq!(seconds(&Config::parse(&bytes).unwrap().config, "web"), Some(60), "{bytes:x?}");
    }
    let wrong = as_value(&NESTED.replace("60", "0")).encode_to_vec();
    let error = Config::parse(&wrong).unwrap_err().to_string();
    assert_eq!(error, "target_groups.web.stickiness.lb_cookie.duration_seconds: 0 is not between 1 and 604800");
}

#[test]
fn a_message_that_holds_no_object_is_refused_by_its_name() {
    let value = |json| as_value(json).encode_to_vec();
    for json in ["null", "true", "1", "[]", "[{}]"] {
        bytes_refused(&value(json), "a google.protobuf.Value without an object");
    }
    bytes_refused(
        &value("\"{}\""),
        "a google.protobuf.Value with a string; give the text as google.protobuf.StringValue",
    );
    let list = ListValue { values: vec![as_value(NESTED)] }.encode_to_vec();
    bytes_refused(&list, "a google.protobuf.ListValue, not an object");
}

#[test]
fn a_message_of_another_type_is_refused() {
    let string = field(1, NESTED.replace(['\n', ' '], "").as_bytes());
    let of_a_text = [field(1, b"type.googleapis.com/google.protobuf.StringValue"), field(2, &string)].concat();
    for bytes in [
        // A StringValue inside an Any.
        of_a_text,
        // A VmConfig, a Duration of 18 s, a DoubleValue, an UInt32Value.
        [field(1, b"vm"), field(2, b"envoy.wasm.runtime.v8")].concat(),
        vec![0x08, 0x12],
        [vec![0x09], 18.0_f64.to_le_bytes().to_vec()].concat(),
        // Only fields that a Struct does not have.
        field(9, b"\x12"),
        vec![0x12, 0x00, 0x12, 0x00],
        vec![0x12],
        vec![0x00],
    ] {
        let error = Config::parse(&bytes).unwrap_err().to_string();
        let expected = ["a google.protobuf.Value without an object", OTHER_TYPE];
        assert!(
            expected.iter().any(|expected| error == format!("the configuration is {expected}")),
            "{bytes:x?}: {error}"
        );
    }
}

#[test]
fn no_field_is_passed_over_wherever_it_stands() {
    let entry =
        |key: &[u8], value: &[u8], more: &[u8]| field(1, &[field(1, key), field(2, value), more.to_vec()].concat());
    let empty = field(5, b"");
    assert!(Config::parse(&entry(b"target_groups", &empty, b"")).is_ok());
    let more = [field(7, b""), vec![0x38, 0x00], field(2, &empty), field(1, b"cookie"), b"\xa3\x01\xa4\x01".to_vec()];
    for more in &more {
        bytes_refused(&entry(b"target_groups", &empty, more), OTHER_TYPE);
        bytes_refused(&entry(b"target_groups", &[empty.clone(), more.clone()].concat(), b""), OTHER_TYPE);
        bytes_refused(&[entry(b"target_groups", &empty, b""), more.clone()].concat(), OTHER_TYPE);
    }
    // A key that is not text, and objects within objects without an end.
    bytes_refused(&entry(b"\xff", &empty, b""), OTHER_TYPE);
    let deep = (0..200).fold(Struct::default(), |inner, _| Struct {
        fields: [("a".to_owned(), Value { kind: Some(Kind::StructValue(inner)) })].into(),
    });
    bytes_refused(&deep.encode_to_vec(), OTHER_TYPE);
}

#[test]
fn a_key_that_stands_twice_in_a_struct_is_refused_as_in_json() {
    let entry = field(1, &[field(1, b"cookie"), field(2, &field(5, b""))].concat());
    let error = Config::parse(&entry.repeat(2)).unwrap_err().to_string();
    assert_eq!(error, "cookie: is given twice");
}

#[test]
fn of_several_errors_in_a_struct_the_same_one_is_told_in_any_order_of_its_entries() {
    let entry = |key: &[u8]| field(1, &[field(1, key), field(2, &field(3, b"x"))].concat());
    let (a, b) = (entry(b"cookie"), entry(b"upstream"));
    for bytes in [[a.clone(), b.clone()].concat(), [b, a].concat()] {
        assert_eq!(Config::parse(&bytes).unwrap_err().to_string(), "cookie: \"x\" is not an object");
    }
}

#[test]
fn numbers_that_json_cannot_write_are_refused_with_their_place() {
    for (number, shown) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (f64::NEG_INFINITY, "-inf")] {
        let number = Value { kind: Some(Kind::NumberValue(number)) };
        let object = |key: &str, value| Value {
            kind: Some(Kind::StructValue(Struct { fields: [(key.to_owned(), value)].into() })),
        };
        let cookie = object("cookie", object("renew_after_percent", number));
        let error = Config::parse(&cookie.encode_to_vec()).unwrap_err().to_string();
        assert_eq!(error, format!("cookie.renew_after_percent: {shown} is not a whole number between 1 and 99"));
    }
}

#[test]
fn a_byte_order_mark_is_skipped() {
    for text in [format!("{BYTE_ORDER_MARK}{NESTED}"), format!("{BYTE_ORDER_MARK}{BYTE_ORDER_MARK}\r\n{NESTED}\n")] {
        assert_eq!(seconds(&parse(&text), "web"), Some(60));
    }
    assert!(parse(BYTE_ORDER_MARK).policy("web").is_some());
    refused(
        &format!("{BYTE_ORDER_MARK}{{\"a\": }}"),
        "the configuration is neither JSON nor a google.protobuf.Struct: expected value at line 1 column 7",
    );
}

#[test]
fn a_character_that_nobody_sees_or_tells_from_another_is_named() {
    let problem = "the configuration is neither JSON nor a google.protobuf.Struct";
    for (text, error) in [
        ("\u{a0}{}", "expected value at line 1 column 1; U+00A0 stands there"),
        ("{\u{feff}}", "key must be a string at line 1 column 2; U+FEFF stands there"),
        ("{\u{201c}keys\u{201d}: []}", "key must be a string at line 1 column 2; U+201C stands there"),
        ("{\"keys\":\n \u{200b}[]}", "expected value at line 2 column 2; U+200B stands there"),
        ("{}\u{2060}", "trailing characters at line 1 column 3; U+2060 stands there"),
        ("\u{e9}", "expected value at line 1 column 1; U+00E9 stands there"),
        ("{\"\u{e9}\": }", "expected value at line 1 column 8"),
    ] {
        refused(text, &format!("{problem}: {error}"));
    }
}

#[test]
fn text_after_the_object_and_comments_are_refused() {
    for text in ["{} {}", "{},", "{} // end", "/* */ {}", "{\"keys\": [],}", "{}\0", "target_groups: {}"] {
        assert!(Config::parse(text.as_bytes()).is_err(), "{text:?}");
    }
}
