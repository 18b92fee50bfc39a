//! The reports that `cargo xtask test` prints after the suite.

use harness::Report;

use crate::matrix::Matrix;
use crate::page::Page;
use crate::proxies::{PROXIES, Proxy};
use crate::scenario::{Scenario, scenarios};

static VERSIONS: Report = Report::of("peers-proxies", &["proxy", "version", "passed"]);
static CELLS: Report =
    Report::of("peers", &["scenario", "sticky-sessions", "stateful_session", "HAProxy", "nginx", "Caddy"]);

/// Writes the versions and the results to the reports of the suite.
pub(crate) fn report(matrix: &Matrix) {
    let shown = Page::of(matrix, &Page::default());
    for proxy in PROXIES {
        let version = matrix.versions.get(proxy.name()).map_or(proxy.absent(), String::as_str);
        let score = if matrix.versions.contains_key(proxy.name()) { shown.score(proxy, None) } else { "-".to_owned() };
        VERSIONS.row(&[proxy.name(), version, &score]);
    }
    let ran = |scenario: &&Scenario| matrix.cells.keys().any(|(id, _)| *id == scenario.id);
    for scenario in scenarios().iter().filter(ran) {
        let short = |proxy: &&dyn Proxy| match matrix.cells.get(&(scenario.id.as_str(), proxy.name())) {
            Some(cell) => {
                cell.text.split_once([':', '`']).map_or(cell.text.as_str(), |(start, _)| start).trim().to_owned()
            }
            None => "not run".to_owned(),
        };
        let cells = PROXIES.iter().map(short);
        CELLS.row(&std::iter::once(scenario.id.clone()).chain(cells).collect::<Vec<_>>());
    }
}
