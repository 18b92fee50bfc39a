//! The page `docs/performance.md`: every figure in it comes from one run.

use crate::backend::SMALL;
use crate::calls;
use crate::chart::{self, Bar};
use crate::figures::Figure;
use crate::growth::{self, Growth};
use crate::load::CONNECTIONS;
use crate::main_table::MainTable;
use crate::matrix::{self, Line};
use crate::memory::{Memory, SESSIONS_IN_THE_INTERPRETER};
use crate::pure;
use crate::run::Run;
use crate::startup::{Startup, TIMES};
use crate::steps::{self, Step};
use crate::table::{Table, cell};
use crate::targets;
use crate::variant::{
    ALONE, CADDY, CALLS_ALONE, HAPROXY, LUA, NATIVE, NGINX, NOOP, PINNED, PRUNED_NOOP, SDK_CALLS, Setup,
};

/// The page.
pub(crate) fn whole(run: &Run) -> String {
    let machine = &run.machine;
    let main = &run.main;
    let absent: Vec<String> = main.absent.iter().map(|why| format!("\n**{why}.**\n")).collect();
    let absent = absent.concat();
    let pure = run
        .pure
        .as_deref()
        .map_or_else(|| "Not measured in this run: `target/bench/pure.json` was not there.\n".to_owned(), pure::table);
    format!(
        "<!-- Written by `cargo xtask bench`. What is changed here is gone after the next run: the text is in crates/bench/src/page.rs. -->\n\
         # What stickiness costs\n\
         \n\
         ```console\n\
         $ cargo xtask bench\n\
         ```\n\
         \n\
         This run was made on {date} with the commit `{commit}` and took {minutes} minutes. Machine: {processor}; {kernel}. Programs: {programs}.\n\
         \n\
         ![The price of stickiness of each proxy, in CPU per request](performance.svg)\n\
         \n\
         ## How it is measured\n\
         \n\
         - Each proxy has one worker and stands before two targets, which are one process of their own that answers two bytes at once. \
         [wrk](https://github.com/wg/wrk) asks over {CONNECTIONS} connections that are kept open, all on this machine, over the loopback.\n\
         - CPU is what all threads of the proxy's process have had (`/proc/PID/task/*/schedstat`), in user and in kernel mode, divided by \
         the answers. An answer that is no success ends the run.\n\
         - One round visits every variant once, for {seconds} s; the next goes the other way round. There are {rounds}, after one that does not \
         count. A figure is the median of the rounds, with the lowest and the highest.\n\
         - Each proxy is started once. Two processes of one and the same Envoy have differed by 3 µs for as long as they lived: a difference of that \
         size between two variants says nothing.\n\
         - The *price of stickiness* is what a variant costs beyond the same proxy without stickiness, compared within each round: proxies \
         differ in more than that.\n\
         - Before it is measured, each variant is looked at: whether a pinned client stays, a new one is spread, a cookie is renewed or not. \
         The Envoys run the shipped configuration, without its access log and health checks; those without the filter are without all that is there for it.\n\
         \n\
         ## What was to be reached\n\
         \n\
         {targets}\n\
         ## The price of stickiness\n\
         \n\
         {main_table}{absent}\n\
         The filter that does nothing is the least that WebAssembly costs in Envoy: written by hand, it has every callback that the Rust SDK \
         exports, and the one without unused callbacks those for headers alone. The script in Lua reads a target in plain text from a cookie, and gives none.\n\
         \n\
         {rest}\
         ## Step by step\n\
         \n\
         Envoys that differ by one thing each, under the same requests: {steps_rounds} rounds of {steps_seconds} s. The steps with a call are \
         modules written by hand, which make the calls of a pinned request with the same words each time and compute nothing; that of the Rust SDK \
         makes all of them. What a step costs is compared within \
         each round.\n\
         \n\
         {steps}\n\
         ## Sizes, protocols, workers\n\
         \n\
         CPU per request in µs, as above: {matrix_rounds} rounds of {matrix_seconds} s. Foreign cookies stand before ours. Over HTTP/2 it is \
         h2load that asks.\n\
         \n\
         {matrix}\n\
         ## How it grows\n\
         \n\
         CPU per request in µs, {growth_rounds} rounds of {growth_seconds} s. Clients are pinned; the sessions have {session_targets} targets, and each of \
         their requests has another cookie. One session has one target, and so has the Envoy that it is compared with. What the Envoy without the filter costs more is Envoy's own.\n\
         \n\
         {growth}\n\
         ## Memory\n\
         \n\
         {memory}\n\
         ## Start and reload\n\
         \n\
         {startup}\n\
         ## Calls between Envoy and the filter\n\
         \n\
         Counted on the interpreter of the suite `host`, which runs the module as it ships, for a request that is not the first of its kind. \
         Only the first request of a second for a target seals a cookie: it draws random bytes for that (`random_get`).\n\
         \n\
         {calls}\n\
         ## Without Envoy\n\
         \n\
         What `crates/stickiness` needs for itself, natively: `cargo bench -p bench --bench pure`.\n\
         \n\
         <!-- pure:begin -->\n\
         {pure}\
         <!-- pure:end -->\n",
        date = machine.date,
        commit = machine.commit,
        minutes = run.took.as_secs().div_ceil(60),
        processor = machine.processor,
        kernel = machine.kernel,
        programs = machine.programs.join(", "),
        seconds = main.seconds,
        rounds = main.rounds,
        targets = targets::table(run),
        main_table = main_table(main),
        rest = where_the_rest_goes(main),
        steps_rounds = steps::ROUNDS,
        steps_seconds = steps::SECONDS,
        steps = steps(&run.steps),
        matrix_rounds = matrix::ROUNDS,
        matrix_seconds = matrix::SECONDS,
        matrix = matrix(&run.matrix),
        growth_rounds = growth::ROUNDS,
        growth_seconds = growth::SECONDS,
        session_targets = growth::TARGETS_OF_SESSIONS,
        growth = growth(&run.growth),
        memory = memory(&run.memory),
        startup = startup(&run.startup),
        calls = calls::table(&run.calls),
    )
}

/// What of the filter's price is whose part in it, and what an operator can do without.
fn where_the_rest_goes(main: &MainTable) -> String {
    let price = |name| main.row(name).and_then(|row| main.price(row)).map(|price| price.median);
    let times_native = main.row(CALLS_ALONE).and_then(|row| main.times_native(row));
    let (Some(alone), Some(sdk), Some(calls), Some(times_native)) =
        (price(ALONE), price(SDK_CALLS), price(CALLS_ALONE), times_native)
    else {
        return String::new();
    };
    format!(
        "Of the {alone:.1} µs that the filter costs with *the README's ten lines alone*, {calls:.1} are Envoy's part: a module that makes the \
         same calls and computes nothing has {times_native:.2} × the CPU of Envoy's cookie sessions. Made through the Rust SDK the same calls \
         cost {sdk:.1} µs. Each call keeps a promise. The cluster: a cookie is good for its target group alone. Who answered: an answer of \
         Envoy's own carries no cookie. The outcome: the access log has it. TLS, where `x-forwarded-proto` does not say `http`: `Secure` goes by it. Two cookies with every answer: so does AWS. \
         An operator can do without some: with `cookie.renew: sliding` or `on_change` most answers carry no cookies, and nobody asks who gave \
         them or for TLS; `cookie.secure: always` or `never` spares TLS, and `upstream.only_target_group` the cluster.\n\
         \n",
        times_native = times_native.median,
    )
}

/// The main table.
pub(crate) fn main_table(main: &MainTable) -> String {
    let mut table = Table::of(&[
        "variant",
        "CPU per request, µs",
        "price of stickiness, µs",
        "× Envoy's cookie sessions",
        "× what the filter that does nothing adds",
        "requests per second",
    ]);
    for row in &main.rows {
        // Of the same proxy and the same answers.
        let alike = matches!(row.variant.setup, Setup::Envoy(_)) && row.variant.path == SMALL;
        let times_native = main.times_native(row).filter(|_| alike);
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

/// The steps from no filter to this one.
pub(crate) fn steps(steps: &[Step]) -> String {
    let mut table = Table::of(&["what comes to it", "costs, µs", "CPU per request, µs", "× Envoy's cookie sessions"]);
    for step in steps {
        table.row([
            step.what.to_owned(),
            cell(step.adds),
            cell(Figure::of(step.cpu.iter().copied())),
            step.times_native.map_or_else(String::new, |times| format!("{:.2}", times.median)),
        ]);
    }
    table.to_string()
}

/// The price of each way to be sticky that was measured.
pub(crate) fn chart(main: &MainTable) -> String {
    let names = [
        (PRUNED_NOOP, "wasm filter that does nothing, pruned"),
        (NOOP, "wasm filter that does nothing"),
        (PINNED, "this filter (sealed)"),
        (NATIVE, "Envoy's cookie sessions (plain)"),
        (LUA, "Lua script in Envoy (plain)"),
        (HAPROXY, "HAProxy cookie insert (plain)"),
        (CADDY, "Caddy lb_policy cookie (HMAC)"),
        (NGINX, "nginx sticky cookie (unkeyed hash)"),
    ];
    let bars = names.into_iter().filter_map(|(variant, name)| {
        let price = main.price(main.row(variant)?)?;
        Some(Bar { name: name.to_owned(), price, ours: variant == PINNED })
    });
    chart::svg(&bars.collect::<Vec<_>>())
}

/// The circumstances, and what each column costs.
pub(crate) fn matrix(lines: &[Line]) -> String {
    let columns = ["answer", "foreign cookies", "protocol", "workers"].into_iter();
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

/// What grows, and what a request costs then.
pub(crate) fn growth(steps: &[Growth]) -> String {
    let mut table =
        Table::of(&["what grows", "how many", "Envoy, no filter", "this filter: pinned", "what the filter adds"]);
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

/// What is resident, and what the VM has.
pub(crate) fn memory(memory: &Memory) -> String {
    let mut table =
        Table::of(&["workers", "filter", "resident after one session, MB", "after a million sessions, MB", "more"]);
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
         Each worker has a VM of its own. Its linear memory, which is all that the filter itself can fill, was {before} after one session and \
         {after} after {SESSIONS_IN_THE_INTERPRETER} in the interpreter.\n"
    )
}

/// Until the filter is loaded, and until it is as fast as ever.
pub(crate) fn startup(startup: &Startup) -> String {
    let mut table = Table::of(&["first request after", "the first, ms", "the tenth, ms"]);
    for first in &startup.firsts {
        table.row([first.after.to_owned(), format!("{:.2}", first.request), format!("{:.2}", first.tenth)]);
    }
    let Startup { validate_with, validate_without, size, .. } = startup;
    format!(
        "The module has {size} bytes. `envoy --mode validate`, which loads and configures it, takes {validate_with:.0} ms with the filter and \
         {validate_without:.0} ms without. Here and below it is {TIMES} times, by the clock on the wall.\n\
         \n\
         {table}"
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::machine::Machine;
    use crate::main_table::Row;
    use crate::variant::{NO_FILTER, VARIANTS};

    /// The variants with these times, round by round.
    fn main_of(measured: &[(&str, [f64; 2])]) -> MainTable {
        let rows = measured.iter().filter_map(|(name, cpu)| {
            let variant = VARIANTS.into_iter().find(|variant| variant.name == *name)?;
            Some(Row { variant, cpu: cpu.to_vec(), rate: Figure::of([20_000.0]) })
        });
        let absent = vec!["nginx was not measured: it is not there".to_owned()];
        MainTable { rows: rows.collect(), versions: Vec::new(), absent, rounds: 2, seconds: 1 }
    }

    fn main() -> MainTable {
        main_of(&[(NO_FILTER, [40.0, 42.0]), (NOOP, [45.0, 47.0]), (NATIVE, [42.0, 44.0]), (PINNED, [50.0, 53.0])])
    }

    #[test]
    fn a_row_says_the_price_and_what_it_is_beside_the_others() {
        let row = main_table(&main()).lines().find(|line| line.contains(PINNED)).unwrap().to_owned();
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(cells, [PINNED, "51.5 (50.0 to 53.0)", "10.5 (10.0 to 11.0)", "1.20", "2.1", "20000"]);
    }

    #[test]
    fn the_chart_has_what_was_measured_and_nothing_else() {
        let chart = chart(&main());
        assert!(chart.contains("this filter (sealed)") && chart.contains("10.5 µs"), "{chart}");
        assert!(!chart.contains("nginx"), "{chart}");
    }

    #[test]
    fn the_page_names_what_was_not_measured() {
        let machine = Machine {
            processor: "2 cores".into(),
            kernel: "Linux".into(),
            programs: Vec::new(),
            date: "22 Nov 2026".into(),
            commit: "abc".into(),
        };
        let one = Figure::of([1.0]).unwrap();
        let startup = Startup { validate_with: one, validate_without: one, size: 250_001, firsts: Vec::new() };
        let memory = Memory { lines: Vec::new(), linear: [1024, 2048] };
        let took = Duration::from_secs(61);
        let (calls, steps, matrix, growth) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let page =
            whole(&Run { machine, calls, startup, main: main(), steps, matrix, growth, memory, pure: None, took });
        assert!(page.contains("**nginx was not measured: it is not there.**"), "{page}");
        assert!(page.contains("`target/bench/pure.json` was not there"), "{page}");
        let size = page.lines().find(|line| line.starts_with("| size of the module")).unwrap();
        assert!(size.contains("250001") && size.contains("**no**"), "{size}");
    }
}
