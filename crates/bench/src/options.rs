//! What is the command asked for?

use anyhow::{Context, Result, bail, ensure};

/// How the usage is shown.
pub(crate) const USAGE: &str = "bench [--rounds NUMBER] [--seconds NUMBER] [--only WORD]... [--smoke]";

/// What the command is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// How often each variant of the main table is visited.
    pub(crate) rounds: usize,
    /// How long each visit is.
    pub(crate) seconds: u32,
    /// Parts of the names of sections and variants; empty for all.
    pub(crate) only: Vec<String>,
    /// Whether it checks that everything works, and measures nothing that counts.
    pub(crate) smoke: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { rounds: 7, seconds: 2, only: Vec::new(), smoke: false }
    }
}

impl Options {
    pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self> {
        let mut options = Self::default();
        let mut arguments = arguments.into_iter();
        while let Some(word) = arguments.next() {
            let mut value = || arguments.next().with_context(|| format!("{word} needs a value: {USAGE}"));
            match word.as_str() {
                "--rounds" => options.rounds = number(&word, &value()?)?.try_into()?,
                "--seconds" => options.seconds = number(&word, &value()?)?,
                "--only" => options.only.push(value()?),
                "--smoke" => options.smoke = true,
                _ => bail!("there is no option {word:?}: {USAGE}"),
            }
        }
        Ok(options)
    }

    /// Whether this run is the whole of it, so that its page can be written.
    pub(crate) fn whole(&self) -> bool {
        self.only.is_empty() && !self.smoke
    }

    /// Whether a section is asked for.
    pub(crate) fn section(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|word| word == name)
    }

    /// Whether a variant of the main table is asked for.
    pub(crate) fn variant(&self, name: &str) -> bool {
        self.section("main") || self.only.iter().any(|word| name.contains(word.as_str()))
    }
}

fn number(option: &str, value: &str) -> Result<u32> {
    let number = value.parse().with_context(|| format!("{option} takes a number, not {value:?}"))?;
    ensure!((1..=1000).contains(&number), "{option} {number} is not between 1 and 1000");
    Ok(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Options> {
        Options::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn without_a_word_it_is_the_whole_run() {
        assert!(parsed("").unwrap().whole());
        assert!(!parsed("--smoke").unwrap().whole());
    }

    #[test]
    fn each_option_has_its_place() {
        let options = parsed("--rounds 3 --seconds 1 --only matrix --only HAProxy").unwrap();
        assert_eq!((options.rounds, options.seconds), (3, 1));
        assert!(options.section("matrix") && !options.section("growth"));
        assert!(options.variant("HAProxy, cookie insert") && !options.variant("no filter"));
    }

    #[test]
    fn a_wrong_word_is_named_with_what_is_allowed() {
        let error = |line: &str| parsed(line).unwrap_err().to_string();
        assert_eq!(error("--round 3"), format!("there is no option \"--round\": {USAGE}"));
        assert_eq!(error("--rounds 0"), "--rounds 0 is not between 1 and 1000");
        assert_eq!(error("--rounds many"), "--rounds takes a number, not \"many\"");
        assert_eq!(error("--only"), format!("--only needs a value: {USAGE}"));
    }
}
