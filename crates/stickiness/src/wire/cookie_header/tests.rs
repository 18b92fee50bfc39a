use proptest::prelude::*;

use super::*;

/// The names that the tests want: of values, of parts, and of a cookie that only has to be there.
fn wanted() -> WantedCookies {
    let sealed = ["AWSALB", "AWSALBCORS", "a-name-of-more-than-16-bytes"].map(CookieName::from);
    let (part, sid) = (CookieName::from("AWSALBAPP-1"), CookieName::from("sid"));
    let sealed = sealed.iter().map(|name| (name, Use::Values { shortest: 5 }));
    WantedCookies::new(sealed.chain([(&part, Use::Values { shortest: 0 }), (&sid, Use::Presence)]))
}

fn values(lines: &[&[u8]], name: &str) -> Vec<String> {
    let (wanted, header) = (wanted(), lines.iter().copied().collect());
    let found = wanted.find(&header);
    let values = found.values(&name.to_owned().into());
    values.map(|value| String::from_utf8_lossy(&value.decoded()).into_owned()).collect()
}

fn has(line: &[u8], name: &str) -> bool {
    let wanted = wanted();
    wanted.find(&CookieHeader::from_iter([line])).has(&name.to_owned().into())
}

#[test]
fn a_cookie_is_found_among_others() {
    assert_eq!(values(&[b"a=1; AWSALB=value; b=2"], "AWSALB"), ["value"]);
}

#[test]
fn every_cookie_of_the_name_is_found_in_every_line() {
    let lines: [&[u8]; 3] = [b"AWSALB=value1; AWSALB=value2", b"x=y", b"AWSALB=value3"];
    assert_eq!(values(&lines, "AWSALB"), ["value1", "value2", "value3"]);
}

#[test]
fn more_cookies_are_found_than_need_no_allocation() {
    let lines: Vec<String> = (10..40).map(|number| format!("AWSALB=number{number}")).collect();
    let expected: Vec<String> = (10..40).map(|number| format!("number{number}")).collect();
    assert_eq!(values(&[lines.join("; ").as_bytes()], "AWSALB"), expected);
}

#[test]
fn a_name_that_only_begins_alike_is_another_cookie() {
    assert!(values(&[b"AWSALBCORS=value; AWSALBTG=value; XAWSALB=value; AWSAL=value"], "AWSALB").is_empty());
    assert!(values(&[b"a-name-of-more-than-16-bits=value"], "a-name-of-more-than-16-bytes").is_empty());
    assert_eq!(values(&[b"a-name-of-more-than-16-bytes=value"], "a-name-of-more-than-16-bytes"), ["value"]);
}

#[test]
fn names_are_compared_by_case() {
    assert!(values(&[b"awsalb=value; AWSalb=value"], "AWSALB").is_empty());
}

#[test]
fn separators_without_spaces_and_with_many_are_understood() {
    assert_eq!(values(&[b"a=1;AWSALB=value1;;  \t AWSALB = value2  ;"], "AWSALB"), ["value1", "value2"]);
    assert_eq!(values(&[b" \tAWSALB=value"], "AWSALB"), ["value"]);
}

#[test]
fn more_white_space_than_any_client_sends_is_not_skipped() {
    let blanks = |count| " ".repeat(count);
    for (count, is_found) in [(16, true), (17, false)] {
        for line in [
            format!("{}AWSALB=value", blanks(count)),
            format!("a=b;{}AWSALB=value", blanks(count)),
            format!("AWSALB{}=value", blanks(count)),
        ] {
            assert_eq!(values(&[line.as_bytes()], "AWSALB") == ["value"], is_found, "{line}");
        }
        let line = format!("AWSALB={0}value{0}", blanks(count));
        assert_eq!(values(&[line.as_bytes()], "AWSALB") == ["value"], is_found, "{line}");
    }
}

#[test]
fn a_name_inside_of_a_value_is_no_cookie() {
    assert!(values(&[b"a=b AWSALB=value; c=\tAWSALB=value; d AWSALB=value"], "AWSALB").is_empty());
}

#[test]
fn a_quoted_value_loses_its_quotes() {
    assert_eq!(values(&[b"AWSALB=\"value\""], "AWSALB"), ["value"]);
    assert_eq!(values(&[b"AWSALB=\"value"], "AWSALB"), ["\"value"]);
}

#[test]
fn a_percent_encoded_value_is_decoded() {
    assert_eq!(values(&[b"AWSALB=a%2Bb%2fc%3D"], "AWSALB"), ["a+b/c="]);
}

#[test]
fn a_value_longer_than_any_cookie_is_not_decoded() {
    let value = "%41".repeat(4097);
    assert_eq!(values(&[format!("AWSALB={value}").as_bytes()], "AWSALB"), [value]);
    let value = "%41".repeat(4096);
    assert_eq!(values(&[format!("AWSALB={value}").as_bytes()], "AWSALB"), ["A".repeat(4096)]);
}

#[test]
fn a_removed_cookie_is_absent() {
    let line = b"AWSALB=_remove_; AWSALB=remove; AWSALB=\"_remove_\"; AWSALB=%5Fremove%5F; AWSALBAPP-1=_remove_";
    assert!(values(&[line], "AWSALB").is_empty());
    assert!(values(&[line], "AWSALBAPP-1").is_empty());
    assert_eq!(values(&[b"AWSALB=_remove_; AWSALB=x"], "AWSALB"), ["x"]);
}

#[test]
fn a_cookie_is_there_with_any_value() {
    for line in [b"sid=\xff".as_slice(), b"sid=", b"a; sid=_remove_; b", b"sid =x; sid=y"] {
        assert!(has(line, "sid"), "{line:?}");
    }
    for line in [b"sid".as_slice(), b"sid;=", b"Sid=1", b"a=sid=1", b"si=1", b"sid2=1", b""] {
        assert!(!has(line, "sid"), "{line:?}");
    }
}

#[test]
fn of_values_that_are_too_short_to_be_good_one_is_found() {
    assert_eq!(values(&[b"AWSALB=1; AWSALB=22; AWSALB=value; AWSALB=4; AWSALBCORS=3"], "AWSALB"), ["1", "value"]);
    assert_eq!(values(&[b"AWSALBAPP-1=1; AWSALBAPP-1=2"], "AWSALBAPP-1"), ["1", "2"]);
}

#[test]
fn broken_bytes_of_a_foreign_cookie_disturb_nothing() {
    assert_eq!(values(&[b"a=\xff\xfe; \xc3; AWSALB=value"], "AWSALB"), ["value"]);
}

#[test]
fn a_name_without_a_value_is_no_cookie() {
    assert!(values(&[b"AWSALB; AWSALB"], "AWSALB").is_empty());
    assert_eq!(values(&[b"AWSALB="], "AWSALB"), [""]);
}

#[test]
fn lines_beyond_the_limit_are_not_read() {
    let filler = vec![b'x'; MAX_BYTES];
    assert!(values(&[&filler, b"AWSALB=value"], "AWSALB").is_empty());
    assert_eq!(values(&[b"AWSALB=value", &filler], "AWSALB"), ["value"]);
}

#[test]
fn a_cookie_is_found_behind_any_number_of_foreign_ones_and_behind_some_that_begin_alike() {
    for (before, is_found) in [
        ("b=1; ".repeat(10_000), true),
        (";".repeat(100_000), true),
        ("A=1; ".repeat(MAX_PLACES - 1), true),
        ("AWSALB=x; ".repeat(MAX_PLACES / 2), true),
        ("A=1; ".repeat(MAX_PLACES), false),
        ("AWSALB; ".repeat(MAX_PLACES), false),
        ("x A".repeat(MAX_PLACES), false),
        ("AWSALB=x; ".repeat(MAX_PLACES / 2 + 1), false),
    ] {
        let line = format!("{before}; AWSALB=value");
        assert_eq!(values(&[line.as_bytes()], "AWSALB").contains(&"value".to_owned()), is_found, "{before:.20}");
    }
}

#[test]
fn a_configuration_without_cookies_finds_none() {
    let wanted = WantedCookies::default();
    assert!(wanted.find(&CookieHeader::from_iter([b"a=b; =; ;".as_slice()])).is_empty());
}

/// The values of the wanted names, by the grammar alone.
fn by_hand(line: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let blank = |byte: &&u8| is_blank(**byte);
    let trimmed = |bytes: &[u8]| {
        let start = bytes.iter().take_while(blank).count();
        let end = bytes[start..].iter().rev().take_while(blank).count();
        bytes[start..bytes.len() - end].to_vec()
    };
    let pairs = line.split(|byte| *byte == b';').filter_map(|pair| {
        let equals = pair.iter().position(|byte| *byte == b'=')?;
        Some((trimmed(&pair[..equals]), trimmed(&pair[equals + 1..])))
    });
    pairs.collect()
}

proptest! {
    #[test]
    fn what_is_found_is_what_the_grammar_says(pieces in proptest::collection::vec(
        prop_oneof![
            Just("AWSALBAPP-1"), Just("AWSALB"), Just("sid"), Just("A"), Just("="), Just(";"), Just("; "), Just(" "), Just("\t"),
            Just("value"), Just("foreign-cookie=of-some-length")
        ],
        0..40,
    )) {
        let line = pieces.concat().into_bytes();
        let expected: Vec<String> = by_hand(&line)
            .into_iter()
            .filter(|(name, _)| name == b"AWSALBAPP-1")
            .map(|(_, value)| String::from_utf8(value).unwrap())
            .collect();
        prop_assert_eq!(values(&[&line], "AWSALBAPP-1"), expected);
        prop_assert_eq!(has(&line, "sid"), by_hand(&line).iter().any(|(name, _)| name == b"sid"));
    }
}
