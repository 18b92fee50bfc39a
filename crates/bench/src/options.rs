//! Reads the arguments of the command.

use anyhow::{Context, Result, bail, ensure};

/// The usage, for error messages.
pub(crate) const USAGE: &str = "bench [--rounds NUMBER] [--seconds NUMBER] [--only WORD]... [--smoke] [--redraw]";

/// The arguments of the command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// The number of rounds of the main table.
    pub(crate) rounds: usize,
    /// The length of a visit in the main table.
    pub(crate) seconds: u32,
    /// Names of sections, or parts of the names of variants. Empty selects everything.
    pub(crate) only: Vec<String>,
    /// Check that everything works, and measure nothing.
    pub(crate) smoke: bool,
    /// Draw the chart again from the figures of the page, and measure nothing.
    pub(crate) redraw: bool,
}

/// A part of a run that `--only` can select.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Calls,
    Start,
    /// The host calls of a pinned request, and its CPU beside Envoy's cookie sessions.
    Pinned,
    Main,
    Steps,
    Matrix,
    Growth,
    Memory,
}

impl Section {
    const ALL: [Self; 8] =
        [Self::Calls, Self::Start, Self::Pinned, Self::Main, Self::Steps, Self::Matrix, Self::Growth, Self::Memory];

    fn name(self) -> &'static str {
        match self {
            Self::Calls => "calls",
            Self::Start => "start",
            Self::Pinned => "pinned",
            Self::Main => "main",
            Self::Steps => "steps",
            Self::Matrix => "matrix",
            Self::Growth => "growth",
            Self::Memory => "memory",
        }
    }

    /// The names of all sections, for messages.
    pub(crate) fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

impl Default for Options {
    fn default() -> Self {
        Self { rounds: 7, seconds: 2, only: Vec::new(), smoke: false, redraw: false }
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
                "--redraw" => options.redraw = true,
                _ => bail!("there is no option {word:?}: {USAGE}"),
            }
        }
        Ok(options)
    }

    /// True if the command measures everything, so that it can write the page.
    pub(crate) fn is_whole_run(&self) -> bool {
        self.only.is_empty() && !self.smoke
    }

    /// True if the command selects a section.
    pub(crate) fn selects(&self, section: Section) -> bool {
        self.only.is_empty() || self.only.iter().any(|word| word == section.name())
    }

    /// True if the command selects a variant by a part of its name. The name of a section selects only the section.
    pub(crate) fn names(&self, variant: &str) -> bool {
        let sections = Section::ALL.map(Section::name);
        self.only.iter().any(|word| !sections.contains(&word.as_str()) && variant.contains(word.as_str()))
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
    fn without_arguments_it_is_the_whole_run() {
        assert!(parsed("").unwrap().is_whole_run());
        assert!(!parsed("--smoke").unwrap().is_whole_run());
    }

    #[test]
    fn each_option_is_read() {
        let options = parsed("--rounds 3 --seconds 1 --only matrix --only HAProxy").unwrap();
        assert_eq!((options.rounds, options.seconds), (3, 1));
        assert!(options.selects(Section::Matrix) && !options.selects(Section::Growth));
        assert!(options.names("HAProxy, cookie insert") && !options.names("no filter"));
    }

    #[test]
    fn the_name_of_a_section_selects_no_variant_by_its_name() {
        let options = parsed("--only pinned").unwrap();
        assert!(options.selects(Section::Pinned) && !options.selects(Section::Main));
        assert!(!options.names("this filter: pinned, renew: sliding"));
    }

    #[test]
    fn a_wrong_argument_is_named_with_the_usage() {
        let error = |line: &str| parsed(line).unwrap_err().to_string();
        assert_eq!(error("--round 3"), format!("there is no option \"--round\": {USAGE}"));
        assert_eq!(error("--rounds 0"), "--rounds 0 is not between 1 and 1000");
        assert_eq!(error("--rounds many"), "--rounds takes a number, not \"many\"");
        assert_eq!(error("--only"), format!("--only needs a value: {USAGE}"));
    }
}
