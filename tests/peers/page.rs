//! Writes and reads `docs/compatibility.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use local_envoy::workspace_root;

use crate::matrix::{Cell, Matrix};
use crate::proxies::{PROXIES, Proxy};
use crate::scenario::{Origin, Scenario, scenarios};

const ORIGINS: [Origin; 4] = [Origin::Nginx, Origin::Haproxy, Origin::GatewayApi, Origin::EnvoyGateway];

/// The head of the table of reasons.
const WHY: &str = "| scenario | proxy | why |";

/// Stands after the version of a proxy that did not run.
const EARLIER: &str = ", not installed and not run this time: its cells are those of an earlier run";

/// The contents of the page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    /// By the name of the proxy.
    versions: BTreeMap<String, String>,
    /// By the id of the scenario and the name of the proxy.
    cells: BTreeMap<(String, String), Cell>,
}

pub(crate) fn file() -> PathBuf {
    workspace_root().join("docs/compatibility.md")
}

impl Page {
    /// The results of a run; cells of proxies that did not run are taken from `before`.
    pub(crate) fn of(matrix: &Matrix, before: &Self) -> Self {
        let mut shown = before.clone();
        for (proxy, version) in &mut shown.versions {
            if !matrix.versions.contains_key(proxy.as_str()) && !version.ends_with(EARLIER) {
                version.push_str(EARLIER);
            }
        }
        shown.versions.extend(matrix.versions.iter().map(|(proxy, version)| ((*proxy).to_owned(), version.clone())));
        for ((scenario, proxy), cell) in &matrix.cells {
            shown.cells.insert(((*scenario).to_owned(), (*proxy).to_owned()), cell.clone());
        }
        shown.cells.retain(|(id, _), _| scenarios().iter().any(|scenario| scenario.id == *id));
        shown
    }

    /// The same with the versions of `other`, because another machine has other versions.
    pub(crate) fn with_versions_of(self, other: &Self) -> Self {
        Self { versions: other.versions.clone(), ..self }
    }

    /// Reads a page.
    pub(crate) fn read(page: &str) -> Self {
        let mut shown = Self::default();
        let mut columns: Vec<String> = Vec::new();
        for line in page.lines() {
            let fields = fields(line);
            match (line.starts_with('|'), fields.as_slice()) {
                (false, _) => columns.clear(),
                (true, _) if columns.is_empty() => columns = fields,
                (true, [first, ..]) if first.starts_with("--") => (),
                (true, [proxy, version]) if columns[1] == "version" => {
                    shown.versions.insert(proxy.clone(), version.clone());
                }
                (true, [scenario, proxy, why]) if columns.len() == 3 => {
                    if let Some(cell) = shown.cells.get_mut(&(scenario.clone(), proxy.clone())) {
                        cell.why = Some(why.clone());
                    }
                }
                (true, [scenario, _, cells @ ..]) if columns[0] == "scenario" => {
                    for (proxy, text) in columns[2..].iter().zip(cells) {
                        let cell = Cell { text: text.clone(), why: None };
                        shown.cells.insert((scenario.clone(), proxy.clone()), cell);
                    }
                }
                (true, _) => (),
            }
        }
        shown
    }

    /// Writes the whole page.
    pub(crate) fn to_markdown(&self) -> String {
        let mut page = include_str!("page.md").to_owned();
        page.push_str("\n## Proxies\n\n| proxy | version |\n|---|---|\n");
        for proxy in PROXIES {
            let version = self.versions.get(proxy.name()).map_or("never run", String::as_str);
            let _ = writeln!(page, "| {} | {version} |", proxy.name());
        }
        self.scores(&mut page);
        for origin in ORIGINS {
            self.section(&mut page, origin);
        }
        page
    }

    fn cell(&self, scenario: &Scenario, proxy: &dyn Proxy) -> Option<&Cell> {
        self.cells.get(&(scenario.id.clone(), proxy.name().to_owned()))
    }

    fn scores(&self, page: &mut String) {
        page.push_str("\n## Scores\n\n");
        let origins = ORIGINS.map(|origin| format!(" of {origin} |")).concat();
        let _ = writeln!(page, "| passed |{origins} of all |\n|---|{}---|", "---|".repeat(ORIGINS.len()));
        for proxy in PROXIES {
            let of = |origin: Option<Origin>| format!(" {} |", self.score(proxy, origin));
            let cells = ORIGINS.map(|origin| of(Some(origin))).concat();
            let _ = writeln!(page, "| {} |{cells}{}", proxy.name(), of(None));
        }
    }

    /// The number of scenarios that a proxy passes, of one origin or of all.
    pub(crate) fn score(&self, proxy: &dyn Proxy, origin: Option<Origin>) -> String {
        let chosen = scenarios().iter().filter(|scenario| origin.is_none_or(|origin| scenario.origin == origin));
        let (mut passed, mut with_option, mut unsupported, mut all) = (0, 0, 0, 0);
        for scenario in chosen {
            all += 1;
            match self.cell(scenario, proxy).map(|cell| cell.text.as_str()) {
                Some(text) if text.starts_with("pass with") || text.starts_with("by AWS's design") => with_option += 1,
                Some(text) if text.starts_with("pass") => passed += 1,
                Some("n/a") => unsupported += 1,
                _ => (),
            }
        }
        let mut score = format!("{passed} of {all}");
        let mut more = Vec::new();
        if with_option > 0 {
            more.push(format!("{with_option} more with an option"));
        }
        if unsupported > 0 {
            more.push(format!("{unsupported} n/a"));
        }
        if !more.is_empty() {
            let _ = write!(score, ", {}", more.join(", "));
        }
        score
    }

    fn section(&self, page: &mut String, origin: Origin) {
        let heads = PROXIES.map(|proxy| format!(" {} |", proxy.name())).concat();
        let _ = writeln!(page, "\n## Scenarios of {origin}\n\n| scenario | expectation |{heads}");
        let _ = writeln!(page, "|---|---|{}", "---|".repeat(PROXIES.len()));
        let chosen: Vec<_> = scenarios().iter().filter(|scenario| scenario.origin == origin).collect();
        let mut whys = String::new();
        for scenario in chosen {
            let _ = write!(page, "| {} | {} ({}) |", scenario.id, scenario.says, scenario.source);
            for proxy in PROXIES {
                let cell = self.cell(scenario, proxy);
                let _ = write!(page, " {} |", cell.map_or("not run", |cell| &cell.text));
                if let Some(why) = cell.and_then(|cell| cell.why.as_ref()) {
                    let _ = writeln!(whys, "| {} | {} | {why} |", scenario.id, proxy.name());
                }
            }
            page.push('\n');
        }
        if !whys.is_empty() {
            let _ = write!(page, "\n{WHY}\n|---|---|---|\n{whys}");
        }
    }
}

/// The fields of a row of a table.
fn fields(line: &str) -> Vec<String> {
    let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
    inner.split('|').map(|field| field.trim().to_owned()).collect()
}

/// The lines in which two pages differ.
pub(crate) fn difference(kept: &str, now: &str) -> String {
    let only_in = |one: &str, other: &str, mark: char| {
        let others: Vec<&str> = other.lines().collect();
        let lines = one.lines().filter(|line| !others.contains(line)).map(|line| format!("{mark} {line}"));
        lines.collect::<Vec<_>>().join("\n")
    };
    [only_in(kept, now, '-'), only_in(now, kept, '+')].join("\n").trim().to_owned()
}
