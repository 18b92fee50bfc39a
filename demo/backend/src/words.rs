//! The words of the page in both of its languages.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// The whole file, for the script of the page.
pub(crate) const WORDS_JSON: &str = include_str!("page/words.json");

static WORDS: LazyLock<BTreeMap<String, Word>> = LazyLock::new(|| serde_json::from_str(WORDS_JSON).unwrap_or_default());

/// One sentence in each language.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Word {
    en: String,
    ko: String,
}

/// A language of the page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Language {
    English,
    Korean,
}

impl Language {
    /// The language for this `Accept-Language`. It is Korean if Korean is the first choice, as in `navigator.language`.
    pub(crate) fn preferred(accepted: &str) -> Self {
        let first = accepted.split([',', ';']).next().unwrap_or_default().trim();
        let korean = first.split('-').next().is_some_and(|language| language.eq_ignore_ascii_case("ko"));
        if korean { Self::Korean } else { Self::English }
    }

    /// The value of the attribute `lang`.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Korean => "ko",
        }
    }

    /// A sentence with the values in the places of `{name}`. It is not escaped.
    pub(crate) fn say(self, key: &str, values: &[(&str, &str)]) -> Option<String> {
        let word = WORDS.get(key)?;
        let sentence = match self {
            Self::English => &word.en,
            Self::Korean => &word.ko,
        };
        Some(values.iter().fold(sentence.clone(), |said, (name, value)| said.replace(&format!("{{{name}}}"), value)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::page::{SCRIPT, SPOKEN, TEMPLATES};

    /// The texts between `before` and the next `after`, unless a letter or number stands before `before`.
    fn between<'a>(text: &'a str, before: &'a str, after: char) -> impl Iterator<Item = &'a str> {
        text.match_indices(before).filter_map(move |(at, _)| {
            let (left, right) = text.split_at(at);
            let alone = !left.ends_with(char::is_alphanumeric);
            right.strip_prefix(before)?.split(after).next().filter(|_| alone)
        })
    }

    fn used() -> BTreeSet<&'static str> {
        let spoken_by_script = SCRIPT.iter().flat_map(|module| between(module, "t(\"", '"'));
        let places = TEMPLATES
            .iter()
            .flat_map(|template| ["{{word:", "{{label:"].into_iter().flat_map(|place| between(template, place, '}')));
        spoken_by_script.chain(places).chain(SPOKEN).collect()
    }

    #[test]
    fn every_used_word_exists_in_both_languages() {
        let words: BTreeMap<String, Word> = serde_json::from_str(WORDS_JSON).unwrap();
        let missing: Vec<_> = used().into_iter().filter(|key| !words.contains_key(*key)).collect();
        assert_eq!(missing, [""; 0]);
        let empty: Vec<_> = words.iter().filter(|(_, word)| word.en.is_empty() || word.ko.is_empty()).collect();
        assert!(empty.is_empty());
    }

    #[test]
    fn every_word_is_used() {
        let used = used();
        let unused: Vec<_> = WORDS.keys().filter(|key| !used.contains(key.as_str())).collect();
        assert_eq!(unused, [""; 0]);
    }

    #[test]
    fn both_languages_have_the_same_places_for_values() {
        for (key, word) in WORDS.iter() {
            let places = |text| between(text, "{", '}').map(str::to_owned).collect::<BTreeSet<_>>();
            assert_eq!(places(&word.en), places(&word.ko), "{key}");
        }
    }

    #[test]
    fn no_word_can_end_the_script_that_holds_it() {
        assert!(!WORDS_JSON.contains('<'));
    }

    #[test]
    fn korean_is_chosen_if_it_comes_first() {
        for (accepted, language) in [
            ("ko", Language::Korean),
            ("KO-kr,ko;q=0.9,en;q=0.8", Language::Korean),
            ("en-US,ko;q=0.9", Language::English),
            ("kok", Language::English),
            ("", Language::English),
        ] {
            assert_eq!(Language::preferred(accepted), language, "{accepted}");
        }
    }
}
