//! Every function that the filter calls answers with every status, from any moment of a plugin's life on.

use std::collections::BTreeSet;

use wasm_host::{DATA, Error, Fault};

use crate::plugin::{Plugin, configurations};

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
        plugin.vm.host().called()
    });
    called.collect()
}

/// The life of a plugin on a host that fails, up to the end of two streams.
fn live(plugin: &mut Plugin, fault: &Fault, from: Moment) -> Result<(), Error> {
    let fail_at = |plugin: &mut Plugin, moment| {
        if from == moment {
            plugin.fail(Some(fault));
        }
    };
    fail_at(plugin, Moment::Start);
    plugin.begin()?;
    let before = plugin.serve("")?;
    fail_at(plugin, Moment::Request);
    let stream = plugin.vm.create(plugin.context)?;
    plugin.request(stream, &before)?;
    fail_at(plugin, Moment::Answer);
    plugin.response(stream)?;
    plugin.vm.log(stream)?;
    plugin.vm.delete(stream)?;
    plugin.serve(&before)?;
    while !plugin.vm.host().outstanding.is_empty() {
        plugin.vm.answer_call(plugin.context, 1)?;
    }
    Ok(())
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
            // One that was refused, Envoy does not keep.
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
fn a_function_that_hands_over_nothing_does_not_end_the_vm() {
    let called = called();
    let hand_over: Vec<_> = DATA.into_iter().filter(|function| called.contains(*function)).collect();
    assert!(!hand_over.is_empty());
    for function in hand_over {
        survives(&Fault::NoData(function.to_owned()));
    }
}
