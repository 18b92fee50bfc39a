//! Every function that the filter calls answers with every status, from any moment of a plugin's life on.

use std::collections::BTreeSet;

use wasm_host::{DATA, Error, Fault};

use super::plugin::{Plugin, configurations, cookies_of};

/// Those of Envoy, with those between and the next, and what it answers a forbidden call of WASI with.
const STATUSES: [i32; 14] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 76];

/// When the host begins to fail.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Moment {
    Start,
    Request,
    Answer,
}

const MOMENTS: [Moment; 3] = [Moment::Start, Moment::Request, Moment::Answer];

/// The functions that the filter calls where none fails.
fn called() -> BTreeSet<String> {
    let called = configurations().into_iter().flat_map(|configuration| {
        let mut plugin = Plugin::start(&configuration);
        plugin.assert_sticky("on a host that works");
        let cookies = plugin.serve("").unwrap();
        plugin.serve_elsewhere(&cookies).unwrap();
        plugin.vm.host().called()
    });
    called.collect()
}

/// The function whose failure the SDK does not survive in one case: a stream has sent a request of the filter's own, still lives
/// when the response to it comes, and the function has begun to fail meanwhile. `Dispatcher::on_http_call_response` then unwraps
/// its result (`dispatcher.rs`, lines 402 to 428 of proxy-wasm 0.2.5). No Envoy does that: it forbids a function for the life of a VM, and the
/// filter sends no request where the function fails (`src/empty_group.rs`).
const EFFECTIVE_CONTEXT: &str = "proxy_set_effective_context";

/// The life of a plugin on a host that fails, up to the end of two streams.
fn live(plugin: &mut Plugin, fault: &Fault, from: Moment) -> Result<(), Error> {
    let fail_at = |plugin: &mut Plugin, moment| -> Result<(), Error> {
        if from != moment {
            return Ok(());
        }
        let of_effective_context = match fault {
            Fault::Status(function, _) => function == EFFECTIVE_CONTEXT,
            Fault::EveryStatus(_) => true,
            Fault::NoData(_) | Fault::TooMuchData(_) => false,
        };
        if of_effective_context {
            plugin.answer_calls()?;
        }
        plugin.fail(Some(fault));
        Ok(())
    };
    fail_at(plugin, Moment::Start)?;
    plugin.begin()?;
    let first = plugin.vm.create(plugin.context)?;
    plugin.request(first, "")?;
    let before = cookies_of(&plugin.response(first)?);
    fail_at(plugin, Moment::Request)?;
    let second = plugin.vm.create(plugin.context)?;
    plugin.request(second, &before)?;
    fail_at(plugin, Moment::Answer)?;
    plugin.answer_calls()?;
    plugin.response(second)?;
    for stream in [first, second] {
        plugin.vm.log(stream)?;
        plugin.vm.delete(stream)?;
    }
    plugin.serve(&before)?;
    plugin.serve_elsewhere(&before)?;
    plugin.answer_calls()
}

/// The VM lives through this, and once the host works again, sessions hold.
#[track_caller]
fn survives(fault: &Fault) {
    for configuration in configurations() {
        for from in MOMENTS {
            let when = format!("{fault:?} from the {from:?} on, with {configuration}");
            let mut plugin = Plugin::load(&configuration);
            live(&mut plugin, fault, from).unwrap_or_else(|error| panic!("{when}: {error}"));
            plugin.fail(None);
            // Envoy does not keep a plugin that refused its configuration.
            assert!(plugin.configure().unwrap(), "{when}: {:?}", plugin.vm.host().log);
            plugin.assert_sticky(&format!("after {when}"));
        }
    }
}

#[test]
fn these_tests_reach_every_function_that_the_filter_calls() {
    let all = "environ_get environ_sizes_get proxy_add_header_map_value proxy_define_metric proxy_get_buffer_bytes \
               proxy_get_current_time_nanoseconds proxy_get_header_map_pairs proxy_get_header_map_value \
               proxy_get_property proxy_get_shared_data proxy_http_call proxy_increment_metric proxy_log \
               proxy_remove_header_map_value proxy_replace_header_map_value proxy_set_effective_context \
               proxy_set_property proxy_set_shared_data random_get";
    assert_eq!(called(), all.split(' ').map(str::to_owned).collect());
}

/// The only other function is that of the timer, which a busy worker alone calls.
#[test]
fn no_status_of_the_timer_ends_the_vm_of_a_busy_worker() {
    const TIMER: &str = "proxy_set_tick_period_milliseconds";
    let [configuration, ..] = configurations();
    for status in STATUSES {
        let mut plugin = Plugin::start(&configuration);
        let cookies = plugin.serve("").unwrap();
        plugin.fail(Some(&Fault::Status(TIMER.to_owned(), status)));
        for _ in 0..300 {
            plugin.serve(&cookies).unwrap();
        }
        assert!(plugin.vm.host().called().contains(TIMER), "{status}");
        // It may come though Envoy said that it would not.
        plugin.vm.tick(plugin.context).unwrap();
        plugin.vm.tick(plugin.context).unwrap();
        plugin.fail(None);
        plugin.assert_sticky(&format!("after {status}"));
    }
}

#[test]
fn no_status_of_any_function_ends_the_vm() {
    for function in called() {
        for status in STATUSES {
            survives(&Fault::Status(function.clone(), status));
        }
    }
}

#[test]
fn no_status_of_all_functions_at_once_ends_the_vm() {
    for status in STATUSES {
        survives(&Fault::EveryStatus(status));
    }
}

#[test]
fn a_function_that_hands_over_nothing_or_more_than_there_is_memory_does_not_end_the_vm() {
    let called = called();
    let hand_over: Vec<_> = DATA.into_iter().filter(|function| called.contains(*function)).collect();
    assert!(!hand_over.is_empty());
    for function in hand_over {
        survives(&Fault::NoData(function.to_owned()));
        survives(&Fault::TooMuchData(function.to_owned()));
    }
}

/// To count takes two functions, and to warn takes the log.
#[test]
fn a_function_that_fails_is_counted_and_warned_of_once() {
    let unheard = ["proxy_define_metric", "proxy_increment_metric", "proxy_log"];
    for function in called().into_iter().filter(|function| !unheard.contains(&function.as_str())) {
        let mut warnings = 0;
        for configuration in configurations() {
            let mut plugin = Plugin::start(&configuration);
            let cookies = plugin.serve("").unwrap();
            // With a plugin and a target group that are new to it, the filter calls everything again.
            plugin.context = plugin.vm.create(0).unwrap();
            plugin.fail(Some(&Fault::Status(function.clone(), 12)));
            plugin.configure().unwrap();
            for _ in 0..3 {
                plugin.serve("").unwrap();
                plugin.serve(&cookies).unwrap();
                plugin.serve_elsewhere(&cookies).unwrap();
            }
            let host = plugin.vm.host();
            let warned = host.log.iter().filter(|line| line.contains(&function)).count();
            assert!(warned <= 1, "{function}: {:?}", host.log);
            assert_eq!(host.counted("sticky_sessions.host_errors") > 0, warned == 1, "{function}: {:?}", host.log);
            warnings += warned;
        }
        assert!(warnings > 0, "{function}");
    }
}
