//! Calls `cargo test`.
//!
//! Every call names the whole workspace. With `--package` cargo would choose other features of the dependencies, and would build
//! about 90 crates a second time.

use std::ffi::{OsStr, OsString};
use std::process::Command;

use anyhow::Result;

use super::plan::Chosen;
use super::suites::Kind;
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
        Self::new(&["--lib", "--bins"])
    }

    /// All examples in the documentation.
    pub(crate) fn examples() -> Self {
        Self::new(&["--doc"])
    }

    /// A test target of the root package.
    pub(crate) fn target(name: &'static str) -> Self {
        Self::new(&["--test", name])
    }

    /// Builds the tests of all these suites and runs none.
    pub(crate) fn build(suites: &[Chosen]) -> Self {
        let mut arguments = vec!["--no-run"];
        for chosen in suites {
            match chosen.suite.kind {
                Kind::Unit => arguments.extend(["--lib", "--bins"]),
                Kind::Host | Kind::Envoy(_) => arguments.extend(["--test", chosen.suite.name]),
                Kind::Containers => {
                    arguments.extend(["--test", chosen.suite.name, "--test", super::containers::PAGE_SUITE]);
                }
                Kind::Fuzz => {}
            }
        }
        Self::new(&arguments)
    }

    fn new(arguments: &[&'static str]) -> Self {
        let cargo = [&["--workspace"], arguments].concat();
        Self { cargo, tests: Vec::new(), environment: Vec::new() }
    }

    /// Adds arguments for the program that runs the tests, such as a part of their names.
    pub(crate) fn with(mut self, arguments: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        self.tests.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Leaves out the tests that have one of these in their names.
    pub(crate) fn without(self, names: &[&str]) -> Self {
        let arguments = names.iter().flat_map(|name| ["--skip", name]);
        self.with(arguments)
    }

    /// Sets a variable in the environment of the tests.
    pub(crate) fn variable(mut self, name: &'static str, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name, value.as_ref().to_owned()));
        self
    }

    /// Keeps the tests that have one of these in their names; no names mean all. `None` when there are no such tests.
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

    /// Runs the tests and returns how many passed.
    pub(crate) fn run(&self) -> Result<usize> {
        let mut passed = 0;
        sh::watch(&mut self.command(), |line| passed += passed_tests(line).unwrap_or(0))?;
        Ok(passed)
    }

    fn command(&self) -> Command {
        let mut command = sh::cargo(&["test"]);
        command.args(&self.cargo).arg("--").args(&self.tests);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// The number in a closing line of the test runner, "test result: ok. 12 passed; 0 failed; …".
fn passed_tests(line: &str) -> Option<usize> {
    line.strip_prefix("test result: ok. ")?.split_once(" passed")?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::plan::Plan;
    use crate::test::suites::SUITES;
    use local_envoy::child;

    #[test]
    fn names_and_modules_to_skip_are_for_the_tests_and_not_for_cargo() {
        let runner = Runner::target("clients").with(["moved"]).without(&["java::"]).variable("A", "b");
        let command = runner.command();
        let text = child::describe(&command);
        assert!(text.ends_with(" test --workspace --test clients -- moved --skip java::`"), "{text}");
        assert!(command.get_envs().any(|variable| variable == ("A".as_ref(), Some("b".as_ref()))));
    }

    #[test]
    fn one_build_has_the_tests_of_every_suite() {
        let plan = Plan::of(SUITES, |_| true);
        let cargo = Runner::build(&plan.chosen).cargo;
        assert!(cargo.contains(&"--lib") && cargo.contains(&"--no-run"), "{cargo:?}");
        let suites = SUITES.iter().filter(|suite| !matches!(suite.kind, Kind::Unit | Kind::Fuzz));
        for suite in suites {
            assert!(cargo.windows(2).any(|pair| pair == ["--test", suite.name]), "{} in {cargo:?}", suite.name);
        }
    }

    #[test]
    fn passed_tests_are_counted() {
        let line = "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 3 filtered out; finished in 0.00s";
        assert_eq!(passed_tests(line), Some(12));
        assert_eq!(passed_tests("test duration::is_kept ... ok"), None);
    }
}
