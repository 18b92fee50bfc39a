//! Properties of envelopes of all lengths, whose cookies come in any order or in part: an envelope opens whole or not at all.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::policy::Stickiness;
use crate::testing::{KEYS, request_without_cookies};
use crate::time::Timestamp;
use crate::trust::key_text::parse_ring;
use crate::trust::scope::Scope;
use crate::trust::value_encoding::MAX_COOKIE_VALUE;
use crate::wire::cookie_header::{CookieHeader, WantedCookies};

/// The longest content whose seal fits in four cookies: 12,000 bytes less the 45 that the seal adds.
const LONGEST: usize = 11_955;

fn sealer() -> Sealer {
    Sealer::new(parse_ring(KEYS).unwrap())
}

fn sealed(content: &[u8], nonce: u8) -> String {
    sealer().seal(CookieKind::AppCookie, content, &mut || Some([nonce; 24])).unwrap()
}

/// The cookies of a value, each in a line of its own.
fn cookies(value: &str) -> Vec<String> {
    shards::split(value).enumerate().map(|(shard, part)| format!("AWSALBAPP-{shard}={part}")).collect()
}

/// The contents that open in a request with these cookies.
fn opened(cookies: &[String]) -> Vec<Vec<u8>> {
    let names = CookieNames::new(None, Some("sid"));
    let stickiness = Stickiness::AppCookie { cookie_name: "sid".to_owned(), duration: Duration::ZERO };
    let wanted = WantedCookies::new(names.wanted(&stickiness));
    let header: CookieHeader<'_> = cookies.iter().map(String::as_bytes).collect();
    let found = wanted.find(&header);
    let (sealer, request, scope) = (sealer(), request_without_cookies(), Scope::default());
    let reading = Reading { sealer: &sealer, request: &request, found: &found, target_group: "web", scope: &scope };
    let values: Vec<_> = shards::joined(&names.app_cookie, &reading).collect();
    values
        .iter()
        .filter_map(|value| sealer.open(CookieKind::AppCookie, value).ok())
        .map(|content| content.to_vec())
        .collect()
}

/// A content of this length.
fn content_of(length: impl Strategy<Value = usize>) -> impl Strategy<Value = Vec<u8>> {
    // Drawing each byte takes much longer than sealing them.
    (length, any::<u8>()).prop_map(|(length, first)| (first..=u8::MAX).chain(0..first).cycle().take(length).collect())
}

fn content() -> impl Strategy<Value = Vec<u8>> {
    // Half of them are near a border between two numbers of cookies: 3,000 bytes of content more fill another one.
    let near_a_border =
        (1_usize..=4, 0_usize..100).prop_map(|(shards, less)| (shards * 3000 - 45).saturating_sub(less));
    content_of(prop_oneof![0..=LONGEST, near_a_border])
}

fn of_several_cookies() -> impl Strategy<Value = Vec<u8>> {
    content_of(3000..=LONGEST)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_envelope_fits_in_four_cookies_of_4000_characters(content in content()) {
        let value = sealed(&content, 1);
        let lengths: Vec<usize> = shards::split(&value).map(str::len).collect();
        prop_assert_eq!(lengths.len(), value.len().div_ceil(MAX_COOKIE_VALUE));
        prop_assert!((1..=SHARDS).contains(&lengths.len()));
        let (last, full) = lengths.split_last().unwrap();
        prop_assert!((1..=MAX_COOKIE_VALUE).contains(last) && full.iter().all(|length| *length == MAX_COOKIE_VALUE));
    }

    #[test]
    fn every_envelope_opens_from_its_cookies_in_any_order(
        (content, cookies) in content().prop_flat_map(|content| {
            let cookies = cookies(&sealed(&content, 1));
            (Just(content), Just(cookies).prop_shuffle())
        })
    ) {
        prop_assert_eq!(opened(&cookies), std::slice::from_ref(&content));
        prop_assert_eq!(opened(&[cookies.join("; ")]), [content]);
    }

    #[test]
    fn with_a_cookie_missing_nothing_opens(content in content(), missing: Index) {
        let mut cookies = cookies(&sealed(&content, 1));
        cookies.remove(missing.index(cookies.len()));
        prop_assert!(opened(&cookies).is_empty());
    }

    #[test]
    fn with_a_cookie_of_another_envelope_in_its_place_nothing_opens(
        content in of_several_cookies(), other in of_several_cookies(), foreign: Index
    ) {
        let (mut cookies, other) = (cookies(&sealed(&content, 1)), cookies(&sealed(&other, 2)));
        let position = foreign.index(cookies.len().min(other.len()));
        cookies[position].clone_from(&other[position]);
        prop_assert!(opened(&cookies).is_empty());
    }

    #[test]
    fn with_a_cookie_in_the_place_of_another_nothing_opens(content in of_several_cookies(), from: Index, to: Index) {
        let mut cookies = cookies(&sealed(&content, 1));
        let [from, to] = [from, to].map(|index| index.index(cookies.len()));
        prop_assume!(from != to);
        let (_, value) = cookies[from].split_once('=').unwrap();
        cookies[to] = format!("AWSALBAPP-{to}={value}");
        prop_assert!(opened(&cookies).is_empty());
    }

    #[test]
    fn a_cookie_that_comes_twice_changes_nothing(content in content(), doubled: Index, at: Index) {
        let mut cookies = cookies(&sealed(&content, 1));
        let again = cookies[doubled.index(cookies.len())].clone();
        cookies.insert(at.index(cookies.len() + 1), again);
        let opened = opened(&cookies);
        prop_assert!(!opened.is_empty() && opened.iter().all(|opened| *opened == content));
    }
}

proptest! {
    // Bindings are left out one by one, and each time all are sealed.
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn of_more_bindings_than_four_cookies_hold_the_first_are_kept(
        names in vec(("[a-z]{1,80}", "[0-9.:]{1,40}", "[a-z]{0,20}", any::<u64>()), 2..200)
    ) {
        let bindings: Vec<Binding> = names
            .into_iter()
            .map(|(target_group, target, scope, at)| Binding {
                target_group: target_group.into(),
                target: target.into(),
                scope: Scope::new(&scope),
                issued_at: Timestamp::from_millis(at),
            })
            .collect();
        let value = seal_first_that_fit(&sealer(), &bindings, &mut || Some([1; 24])).unwrap();
        prop_assert!(value.len() <= SHARDS * MAX_COOKIE_VALUE);
        let kept = envelope::read(&sealer().open(CookieKind::AppCookie, value.as_bytes()).unwrap()).unwrap();
        prop_assert!(!kept.is_empty() && bindings.starts_with(&kept));
        // The next one would not have fitted: it has at most 154 bytes, and they come in blocks of 48.
        prop_assert!(kept.len() == bindings.len() || value.len() > SHARDS * MAX_COOKIE_VALUE - (154 + 2 * 48) * 4 / 3);
    }
}
