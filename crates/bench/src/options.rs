//! Reads the arguments of the command.

use clap::{Arg, ArgAction, Command, value_parser};

/// The arguments of the command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// The number of rounds of the main table.
    pub(crate) rounds: u32,
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

impl Options {
    /// Reads the arguments. The error is a message for the terminal, also for `--help`.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, clap::Error> {
        let name = std::iter::once("bench".to_owned());
        let arguments = command().try_get_matches_from(name.chain(arguments))?;
        let number = |name| arguments.get_one(name).copied().unwrap_or_default();
        Ok(Self {
            rounds: number("rounds"),
            seconds: number("seconds"),
            only: arguments.get_many("only").into_iter().flatten().cloned().collect(),
            smoke: arguments.get_flag("smoke"),
            redraw: arguments.get_flag("redraw"),
        })
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

fn command() -> Command {
    let number = |name, default| {
        let number = Arg::new(name).long(name).value_name("NUMBER").default_value(default);
        number.value_parser(value_parser!(u32).range(1..=1000))
    };
    let flag = |name| Arg::new(name).long(name).action(ArgAction::SetTrue);
    let only = Arg::new("only").long("only").value_name("WORD").action(ArgAction::Append);
    Command::new("bench")
        .about("Measures the cost of stickiness, and writes docs/performance.md and docs/performance.svg")
        .bin_name("cargo xtask bench")
        .arg(number("rounds", "7").help("Rounds of the main table"))
        .arg(number("seconds", "2").help("Seconds of each visit in the main table"))
        .arg(only.help(format!(
            "Only prints this section ({}), or variants with this word in their names",
            Section::names()
        )))
        .arg(flag("smoke").help("Checks that everything works, and measures nothing"))
        .arg(flag("redraw").help("Only draws docs/performance.svg again from docs/performance.md"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Options, clap::Error> {
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
    fn a_wrong_argument_is_named() {
        for (line, named) in [
            ("--round 3", "'--round'"),
            ("--rounds 0", "'0' for '--rounds <NUMBER>'"),
            ("--rounds many", "'many' for '--rounds <NUMBER>'"),
            ("--only", "'--only <WORD>'"),
        ] {
            let error = parsed(line).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }
}
