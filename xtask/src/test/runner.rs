//! How is cargo told to run some tests?

use std::ffi::{OsStr, OsString};
use std::process::Command;

use anyhow::Result;

use crate::sh;

/// A call of `cargo test`.
#[derive(Clone)]
pub(crate) struct Runner {
    cargo: Vec<&'static str>,
    tests: Vec<String>,
    environment: Vec<(&'static str, OsString)>,
}

impl Runner {
    /// All tests beside the code.
    pub(crate) fn unit() -> Self {
        Self::new(&["--workspace", "--lib", "--bins"])
    }

    /// All examples in the documentation; the filter is no library that has some.
    pub(crate) fn examples() -> Self {
        Self::new(&["--workspace", "--exclude", "sticky-sessions", "--doc"])
    }

    /// A test target of the root package.
    pub(crate) fn target(name: &'static str) -> Self {
        Self::new(&["-p", "sticky-sessions", "--test", name])
    }

    fn new(cargo: &[&'static str]) -> Self {
        Self { cargo: cargo.to_vec(), tests: Vec::new(), environment: Vec::new() }
    }

    /// For the program that runs the tests, such as a part of their names.
    pub(crate) fn with(mut self, arguments: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        self.tests.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Without the tests that have one of these in their names.
    pub(crate) fn without(self, names: &[&str]) -> Self {
        let arguments = names.iter().flat_map(|name| ["--skip", name]);
        self.with(arguments)
    }

    /// With this in the environment of the tests.
    pub(crate) fn variable(mut self, name: &'static str, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name, value.as_ref().to_owned()));
        self
    }

    /// The same, for tests that have one of these in their names; no names mean all. `None` when there are no such tests.
    pub(crate) fn named(self, names: &[String]) -> Result<Option<Self>> {
        if names.is_empty() {
            return Ok(Some(self));
        }
        let runner = self.with(names);
        Ok(if runner.tests()?.is_empty() { None } else { Some(runner) })
    }

    /// The names of the tests that [`Runner::run`] would run.
    pub(crate) fn tests(&self) -> Result<Vec<String>> {
        let list = sh::read(self.command().args(["--list", "--format", "terse"]))?;
        Ok(list.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect())
    }

    pub(crate) fn run(&self) -> Result<()> {
        sh::run(&mut self.command())
    }

    fn command(&self) -> Command {
        let mut command = sh::cargo(&["test"]);
        command.args(&self.cargo).arg("--").args(&self.tests);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use local_envoy::child;

    #[test]
    fn names_and_modules_to_skip_are_for_the_tests_and_not_for_cargo() {
        let runner = Runner::target("clients").with(["moved"]).without(&["java::"]).variable("A", "b");
        let command = runner.command();
        let text = child::describe(&command);
        assert!(text.ends_with(" test -p sticky-sessions --test clients -- moved --skip java::`"), "{text}");
        assert!(command.get_envs().any(|variable| variable == ("A".as_ref(), Some("b".as_ref()))));
    }
}
