//! The tables of the page.

use crate::figures::{Figure, Table, cell};
use crate::fixture::SMALL;
use crate::proxy::ProxyKind;
use crate::sections::calls::Counted;
use crate::sections::growth::{self, Growth};
use crate::sections::main_table::MainTable;
use crate::sections::matrix::{self, Line};
use crate::sections::memory::{Memory, SESSIONS_IN_THE_INTERPRETER};
use crate::sections::pure::Operation;
use crate::sections::startup::{Loading, Startup, TIMES};
use crate::sections::steps::Step;

/// The main table: the price of stickiness of each variant.
pub(crate) fn main_table(main: &MainTable) -> String {
    let mut table = Table::of(&[
        "variant",
        "CPU per request, µs",
        "price of stickiness, µs",
        "× Envoy's cookie sessions",
        "× the filter that does nothing",
        "requests per second",
    ]);
    for row in &main.rows {
        // Only Envoys with the same responses compare with each other.
        let comparable = matches!(row.variant.kind, ProxyKind::Envoy(_)) && row.variant.path == SMALL;
        let times_native = main.times_native(row).filter(|_| comparable);
        table.row([
            row.variant.name.to_owned(),
            cell(Figure::of(row.cpu.iter().copied())),
            cell(main.price(row)),
            times_native.map_or_else(String::new, |times| format!("{:.2}", times.median)),
            main.times_noop(row).map_or_else(String::new, |times| format!("{:.1}", times.median)),
            row.rate.map_or_else(String::new, |rate| format!("{:.0}", rate.median)),
        ]);
    }
    table.to_string()
}

/// The cost of each step from no filter to this one.
pub(crate) fn steps(steps: &[Step]) -> String {
    let mut table = Table::of(&["added in this step", "costs, µs", "CPU per request, µs", "× Envoy's cookie sessions"]);
    for step in steps {
        table.row([
            step.name.to_owned(),
            cell(step.adds),
            cell(Figure::of(step.cpu.iter().copied())),
            step.times_native.map_or_else(String::new, |times| format!("{:.2}", times.median)),
        ]);
    }
    table.to_string()
}

/// The CPU of each column under each circumstance.
pub(crate) fn matrix(lines: &[Line]) -> String {
    let columns = ["response", "foreign cookies", "protocol", "workers"].into_iter();
    let columns =
        columns.chain(matrix::COLUMNS.iter().map(|(name, ..)| *name)).chain(["pinned, × Envoy's cookie sessions"]);
    let mut table = Table::of(&columns.collect::<Vec<_>>());
    for line in lines {
        let at = &line.circumstances;
        let mut cells = vec![
            if at.path == SMALL { "2 bytes" } else { "16 KB" }.to_owned(),
            format!("{} bytes", at.foreign),
            at.protocol.name().to_owned(),
            at.workers.to_string(),
        ];
        cells.extend(line.cells.iter().map(|cpu| cell(Figure::of(cpu.iter().copied()))));
        cells.push(line.times_native().map_or_else(String::new, |times| format!("{times:.2}")));
        table.row(cells);
    }
    table.to_string()
}

/// The CPU of a request at each size.
pub(crate) fn growth(steps: &[Growth]) -> String {
    let mut table =
        Table::of(&["growing", "number", "Envoy, no filter", "this filter: pinned", "what the filter adds"]);
    for step in steps {
        let figure = |cpu: &[f64]| cell(Figure::of(cpu.iter().copied()));
        table.row([
            step.what.to_owned(),
            step.count.to_string(),
            figure(&step.bare),
            figure(&step.ours),
            cell(step.price()),
        ]);
    }
    let per_byte = growth::per_byte(steps).map_or_else(String::new, |nanoseconds| {
        format!("\nA byte of foreign cookies costs {nanoseconds:.2} ns more with the filter than without.\n")
    });
    format!("{table}{per_byte}")
}

/// The resident memory of each Envoy, and the linear memory of the filter.
pub(crate) fn memory(memory: &Memory) -> String {
    let mut table = Table::of(&[
        "workers",
        "filter",
        "resident after one session, MB",
        "after a million sessions, MB",
        "growth, MB",
    ]);
    let [before, after] = memory.linear.map(|bytes| format!("{} KB", bytes / 1024));
    for line in &memory.lines {
        let megabytes = |bytes: i64| format!("{}.{}", bytes / 1_000_000, bytes.abs() / 100_000 % 10);
        let [one, all] = [line.after_one, line.after_all].map(u64::cast_signed);
        table.row([
            line.workers.to_string(),
            if line.ours { "yes" } else { "no" }.to_owned(),
            megabytes(one),
            megabytes(all),
            megabytes(all - one),
        ]);
    }
    format!(
        "{table}\n\
         Each worker has its own VM. The filter itself can only fill the linear memory of the VM. In the interpreter that was {before} after one \
         session and {after} after {SESSIONS_IN_THE_INTERPRETER}.\n"
    )
}

/// The time to load the filter, and the latency of the first requests.
pub(crate) fn startup(startup: &Startup) -> String {
    let mut table = Table::of(&["first request after", "the first, ms", "the tenth, ms"]);
    for first in &startup.firsts {
        table.row([first.after.to_owned(), format!("{:.2}", first.request), format!("{:.2}", first.tenth)]);
    }
    let Startup { validate_with, validate_without, size, loading, .. } = startup;
    let mut loaded = Table::of(&["target groups", "bytes of the configuration", "time of a VM to load it, ms"]);
    for Loading { target_groups, bytes, time } in loading {
        loaded.row([target_groups.to_string(), bytes.to_string(), format!("{time:.0}")]);
    }
    format!(
        "The module has {size} bytes. `envoy --mode validate` loads and configures it: that takes {validate_with:.0} ms with the filter and \
         {validate_without:.0} ms without. All times in this section are wall-clock times of {TIMES} repetitions.\n\
         \n\
         {table}\n\
         Every worker loads a configuration that is pushed, and serves nobody meanwhile. The time is that of `envoy --mode validate` \
         beyond the time with as many bytes of white space.\n\
         \n\
         {loaded}"
    )
}

/// The calls in both directions, for each kind of request.
pub(crate) fn calls(all: &[Counted]) -> String {
    let mut table = Table::of(&["request", "host calls", "callbacks", "the host calls", "the callbacks"]);
    let list = |names: &[(String, usize)]| {
        let names = names.iter().map(|(name, count)| match count {
            1 => format!("`{name}`"),
            count => format!("{count} × `{name}`"),
        });
        names.collect::<Vec<_>>().join(", ")
    };
    for counted in all {
        let callbacks: usize = counted.callbacks.iter().map(|(_, count)| count).sum();
        table.row([
            counted.scenario.name().to_owned(),
            counted.calls().to_string(),
            callbacks.to_string(),
            list(&counted.calls),
            list(&counted.callbacks),
        ]);
    }
    table.to_string()
}

/// The cost of each operation of the core crate.
pub(crate) fn pure(operations: &[Operation]) -> String {
    let mut table = Table::of(&["operation", "ns", "allocations", "bytes allocated"]);
    for Operation { name, nanoseconds, spread, allocations, bytes } in operations {
        table.row([
            name.clone(),
            format!("{nanoseconds:.0} ± {spread:.0}"),
            allocations.to_string(),
            bytes.to_string(),
        ]);
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sections::variants::PINNED;

    #[test]
    fn a_row_has_the_price_and_the_comparisons() {
        let table = main_table(&MainTable::of_four_variants());
        let row = table.lines().find(|line| line.contains(PINNED)).unwrap();
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(cells, [PINNED, "51.5 (50.0 to 53.0)", "10.5 (10.0 to 11.0)", "1.20", "2.1", "20000"]);
    }

    #[test]
    fn an_operation_is_a_row() {
        let open = Operation { name: "open".into(), nanoseconds: 433.4, spread: 5.0, allocations: 1, bytes: 48 };
        let table = pure(&[open]);
        assert!(table.contains("| open      | 433 ± 5 | 1           | 48              |"), "{table}");
    }
}
