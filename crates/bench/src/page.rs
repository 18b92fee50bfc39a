//! Writes the page `docs/performance.md`. All its figures come from one run.

pub(crate) mod chart;
pub(crate) mod goals;
pub(crate) mod tables;

use crate::requests::load::CONNECTIONS;
use crate::sections::main_table::MainTable;
use crate::sections::variants::{ALONE, CALLS_ALONE, SDK_CALLS};
use crate::sections::{Run, growth, matrix, steps};

/// The page.
pub(crate) fn page(run: &Run) -> String {
    let machine = &run.machine;
    let main = &run.main;
    let absent: Vec<String> = main.absent.iter().map(|why| format!("\n**{why}.**\n")).collect();
    let absent = absent.concat();
    let pure = run.pure.as_deref().map_or_else(
        || "Not measured in this run: the file `target/bench/pure.json` did not exist.\n".to_owned(),
        tables::pure,
    );
    format!(
        "<!-- `cargo xtask bench` writes this page. The next run overwrites changes here: change crates/bench/src/page.rs instead. -->\n\
         # The cost of stickiness\n\
         \n\
         ```console\n\
         $ cargo xtask bench\n\
         ```\n\
         \n\
         This run was made on {date} with the commit `{commit}` and took {minutes} minutes. Machine: {processor}; {kernel}. Programs: {programs}.\n\
         \n\
         ![The price of stickiness of each proxy, in CPU per request](performance.svg)\n\
         \n\
         ## Method\n\
         \n\
         - Each proxy has one worker and two targets. One process plays both targets and answers two bytes at once. \
         [wrk](https://github.com/wg/wrk) sends the requests over {CONNECTIONS} connections with keep-alive. Everything runs on one machine, over \
         the loopback interface.\n\
         - CPU is the time of all threads of the proxy's process (`/proc/PID/task/*/schedstat`), in user and kernel mode, divided by \
         the number of responses. A response without success ends the run.\n\
         - A round visits every variant once, for {seconds} s. The next round goes backwards. {rounds} rounds count, after one round that warms \
         up. A figure is the median of the rounds, with the lowest and the highest value.\n\
         - Each proxy is started once. Two processes of the same Envoy have differed by 3 µs for their whole lives, so a difference of that \
         size between two variants means nothing.\n\
         - The *price of stickiness* is the CPU of a variant beyond the same proxy without stickiness, compared within each round. It leaves out \
         all other differences between the proxies.\n\
         - Each variant is checked before it is measured: a pinned client stays on its target, new sessions are spread, and cookies are \
         renewed or not. The Envoys run the shipped configuration without its access log and health checks. Envoys without the filter also \
         leave out the parts of the configuration that only the filter needs.\n\
         \n\
         ## Goals\n\
         \n\
         {goals}\n\
         ## The price of stickiness\n\
         \n\
         {main_table}{absent}\n\
         The wasm filter that does nothing shows the least that WebAssembly costs in Envoy. It is written by hand and exports every callback that \
         the Rust SDK exports. The variant without unused callbacks exports only the callbacks for headers. The Lua script reads a target in plain \
         text from a cookie, and sets no cookie.\n\
         \n\
         {parts_of_the_price}\
         ## Step by step\n\
         \n\
         Each Envoy does one thing more than the one before, under the same requests: {steps_rounds} rounds of {steps_seconds} s. The modules of the \
         steps with a call are written by hand. They make the host calls of a pinned request with constant arguments and compute nothing. The \
         module of the Rust SDK makes all of these calls. The cost of a step is compared within each round.\n\
         \n\
         {steps}\n\
         ## Response sizes, protocols and workers\n\
         \n\
         CPU per request in µs, as above: {matrix_rounds} rounds of {matrix_seconds} s. Foreign cookies stand before ours in the header. h2load sends \
         the requests over HTTP/2.\n\
         \n\
         {matrix}\n\
         ## Growth\n\
         \n\
         CPU per request in µs, {growth_rounds} rounds of {growth_seconds} s. All clients are pinned. The sessions have {session_targets} targets, and \
         each of their requests has another cookie. One session has one target, and so does the Envoy that it is compared with. The growth of \
         the Envoy without the filter is Envoy's own.\n\
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
         These calls are counted in the interpreter of the suite `host`, which runs the module as it ships. Each request follows another one of \
         its kind. Only the first request of a second for a target seals a cookie, and draws random bytes for it (`random_get`).\n\
         \n\
         {calls}\n\
         ## Without Envoy\n\
         \n\
         The cost of `crates/stickiness` alone, compiled natively: `cargo bench -p bench --bench pure`.\n\
         \n\
         <!-- pure:begin -->\n\
         {pure}\
         <!-- pure:end -->\n",
        date = machine.date,
        commit = machine.commit,
        minutes = run.duration.as_secs().div_ceil(60),
        processor = machine.processor,
        kernel = machine.kernel,
        programs = machine.programs.join(", "),
        seconds = main.seconds,
        rounds = main.rounds,
        goals = goals::table(run),
        main_table = tables::main_table(main),
        parts_of_the_price = parts_of_the_price(main),
        steps_rounds = steps::ROUNDS,
        steps_seconds = steps::SECONDS,
        steps = tables::steps(&run.steps),
        matrix_rounds = matrix::ROUNDS,
        matrix_seconds = matrix::SECONDS,
        matrix = tables::matrix(&run.matrix),
        growth_rounds = growth::ROUNDS,
        growth_seconds = growth::SECONDS,
        session_targets = growth::TARGETS_OF_SESSIONS,
        growth = tables::growth(&run.growth),
        memory = tables::memory(&run.memory),
        startup = tables::startup(&run.startup),
        calls = tables::calls(&run.calls),
    )
}

/// Says how much of the filter's price is spent in Envoy and in the SDK, and which calls an operator can save.
fn parts_of_the_price(main: &MainTable) -> String {
    let price = |name| main.row(name).and_then(|row| main.price(row)).map(|price| price.median);
    let times_native = main.row(CALLS_ALONE).and_then(|row| main.times_native(row));
    let (Some(alone), Some(sdk), Some(calls), Some(times_native)) =
        (price(ALONE), price(SDK_CALLS), price(CALLS_ALONE), times_native)
    else {
        return String::new();
    };
    format!(
        "The filter costs {alone:.1} µs with *the README's ten lines alone*. Of these, {calls:.1} µs are Envoy's part: a module that makes the \
         same host calls and computes nothing has {times_native:.2} × the CPU of Envoy's cookie sessions. Through the Rust SDK the same calls \
         cost {sdk:.1} µs. Each call keeps a promise:\n\
         \n\
         - The cluster: a cookie is good only for its target group.\n\
         - The answering target: a response that Envoy makes itself carries no cookie.\n\
         - The outcome: the access log shows it.\n\
         - TLS, unless `x-forwarded-proto` says `http`: it decides on `Secure`.\n\
         - Two cookies with every response: AWS sends both.\n\
         \n\
         An operator can save some of these calls. With `cookie.renew: sliding` or `on_change` most responses carry no cookies, so the \
         filter asks neither who answered nor about TLS. `cookie.secure: always` or `never` saves the call for TLS, and \
         `upstream.only_target_group` saves the call for the cluster.\n\
         \n",
        times_native = times_native.median,
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::figures::Figure;
    use crate::sections::machine::Machine;
    use crate::sections::memory::Memory;
    use crate::sections::startup::Startup;

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
        let startup = Startup {
            validate_with: one,
            validate_without: one,
            size: 250_001,
            loading: Vec::new(),
            firsts: Vec::new(),
        };
        let memory = Memory { lines: Vec::new(), linear: [1024, 2048] };
        let duration = Duration::from_secs(61);
        let main = MainTable::of_four_variants();
        let (calls, steps, matrix, growth) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let page = page(&Run { machine, calls, startup, main, steps, matrix, growth, memory, pure: None, duration });
        assert!(page.contains("**nginx was not measured: it is not there.**"), "{page}");
        assert!(page.contains("`target/bench/pure.json` did not exist"), "{page}");
        let size = page.lines().find(|line| line.starts_with("| size of the module")).unwrap();
        assert!(size.contains("250001") && size.contains("**no**"), "{size}");
    }
}
