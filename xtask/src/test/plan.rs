//! Decides which tests can run on this machine.

use anyhow::{Result, bail};

use super::needs::{Need, missing};
use super::suites::Suite;

/// The suites that run, and those that cannot.
pub(crate) struct Plan {
    pub(crate) chosen: Vec<Chosen>,
    /// A line for each suite, or part of one, that cannot run: what is missing, and how to get it.
    pub(crate) left_out: Vec<String>,
}

/// A suite that runs.
pub(crate) struct Chosen {
    pub(crate) suite: &'static Suite,
    /// The modules of the suite that cannot run.
    pub(crate) skipped: Vec<&'static str>,
}

impl Plan {
    /// Plans these suites.
    pub(crate) fn of(suites: impl IntoIterator<Item = &'static Suite>, is_met: impl Fn(&Need) -> bool) -> Self {
        let unmet =
            |needs: &'static [Need]| -> Vec<&'static Need> { needs.iter().filter(|need| !is_met(need)).collect() };
        let mut plan = Self { chosen: Vec::new(), left_out: Vec::new() };
        for suite in suites {
            let needs = unmet(suite.needs);
            if !needs.is_empty() {
                plan.left_out.push(format!("{} ({})", suite.name, missing(&needs)));
                continue;
            }
            let mut skipped = Vec::new();
            for part in suite.parts {
                let needs = unmet(part.needs);
                if !needs.is_empty() {
                    plan.left_out.push(format!("{}, its tests {} ({})", suite.name, part.what, missing(&needs)));
                    skipped.push(part.module);
                }
            }
            plan.chosen.push(Chosen { suite, skipped });
        }
        plan
    }

    /// Refuses a plan that leaves something out. This is for suites that were asked for by name.
    pub(crate) fn whole(self) -> Result<Self> {
        if self.left_out.is_empty() {
            return Ok(self);
        }
        bail!("not all that was asked for can run here:\n  {}", self.left_out.join("\n  "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::suites::SUITES;

    fn without(what: &str) -> Plan {
        Plan::of(SUITES, |need| !need.what.starts_with(what))
    }

    fn chosen(plan: &Plan) -> Vec<(&'static str, String)> {
        plan.chosen.iter().map(|chosen| (chosen.suite.name, chosen.skipped.join(" "))).collect()
    }

    #[test]
    fn a_machine_that_has_everything_runs_every_suite() {
        let plan = Plan::of(SUITES, |_| true).whole().unwrap();
        assert_eq!(plan.chosen.len(), SUITES.len());
        assert!(plan.chosen.iter().all(|chosen| chosen.skipped.is_empty()));
    }

    #[test]
    fn a_suite_that_needs_what_is_missing_is_left_out_with_the_way_to_get_it() {
        let plan = without("Chromium");
        let others: Vec<_> = SUITES.iter().map(|suite| suite.name).filter(|name| *name != "browser").collect();
        assert_eq!(chosen(&plan).iter().map(|(name, _)| *name).collect::<Vec<_>>(), others);
        assert!(plan.left_out[0].starts_with("browser (missing: Chromium (on PATH"), "{:?}", plan.left_out);
        assert!(plan.left_out[0].ends_with("to get it: `apt-get install chromium`)"), "{:?}", plan.left_out);
    }

    #[test]
    fn a_part_that_needs_what_is_missing_is_left_out_alone() {
        let plan = without("a JDK");
        assert!(chosen(&plan).contains(&("clients", "java::".to_owned())));
        assert_eq!(plan.left_out.len(), 1);
        assert!(plan.left_out[0].starts_with("clients, its tests with Java's client (missing: a JDK"));
    }

    #[test]
    fn what_was_asked_for_by_name_is_not_left_out_in_part_either() {
        let error = without("a JDK").whole().err().unwrap().to_string();
        assert!(error.starts_with("not all that was asked for can run here:\n  clients, its tests"), "{error}");
    }
}
