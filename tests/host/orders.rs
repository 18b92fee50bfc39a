//! Envoy's callbacks for a stream in every order, including orders that Envoy never sends.

use wasm_host::Error;

use super::plugin::{Plugin, configurations};

/// A callback.
#[derive(Clone, Copy, Debug)]
enum Event {
    Request,
    Response,
    Log,
    /// A request of the filter's own is answered.
    Call,
    /// A request of the filter's own fails.
    FailedCall,
    Configuration,
    WrongConfiguration,
}

const EVENTS: [Event; 7] = [
    Event::Request,
    Event::Response,
    Event::Log,
    Event::Call,
    Event::FailedCall,
    Event::Configuration,
    Event::WrongConfiguration,
];

/// Every order of up to so many callbacks.
fn orders(longest: u32) -> impl Iterator<Item = Vec<Event>> {
    (0..=longest).flat_map(|length| {
        let count = EVENTS.len().pow(length);
        (0..count)
            .map(move |order| (0..length).map(|place| EVENTS[order / EVENTS.len().pow(place) % EVENTS.len()]).collect())
    })
}

fn happen(plugin: &mut Plugin, stream: i32, cookies: &str, event: Event) -> Result<(), Error> {
    match event {
        Event::Request => plugin.request(stream, cookies).map(drop),
        Event::Response => plugin.response(stream).map(drop),
        Event::Log => plugin.vm.log(stream),
        Event::Call => plugin.vm.answer_call(plugin.context, 1),
        Event::FailedCall => plugin.vm.answer_call(plugin.context, 0),
        Event::Configuration => plugin.configure().map(drop),
        Event::WrongConfiguration => plugin.vm.configure(plugin.context, "[").map(|accepted| assert!(!accepted)),
    }
}

#[test]
fn no_order_of_callbacks_ends_the_vm() {
    for configuration in configurations() {
        let mut plugin = Plugin::start(&configuration);
        let cookies = plugin.serve("").unwrap();
        for order in orders(4) {
            let stream = plugin.vm.create(plugin.context).unwrap();
            let mut events = order.iter().map(|event| happen(&mut plugin, stream, &cookies, *event));
            events.try_for_each(|result| result).unwrap_or_else(|error| panic!("{order:?}, {configuration}: {error}"));
            plugin
                .vm
                .delete(stream)
                .unwrap_or_else(|error| panic!("the end after {order:?}, {configuration}: {error}"));
        }
        plugin.assert_sticky("after all of them");
    }
}

#[test]
fn no_order_of_the_callbacks_of_two_streams_ends_the_vm() {
    for configuration in configurations() {
        let mut plugin = Plugin::start(&configuration);
        let cookies = plugin.serve("").unwrap();
        for order in orders(4) {
            let streams = [0; 2].map(|_| plugin.vm.create(plugin.context).unwrap());
            for (event, stream) in order.iter().zip(streams.into_iter().cycle()) {
                happen(&mut plugin, stream, &cookies, *event).unwrap_or_else(|error| panic!("{order:?}: {error}"));
            }
            for stream in streams {
                plugin.vm.delete(stream).unwrap();
            }
        }
        plugin.assert_sticky("after all of them");
    }
}

#[test]
fn a_request_of_its_own_that_is_answered_after_the_end_of_its_stream_does_not_end_the_vm() {
    let [_, with_a_rule, ..] = configurations();
    for headers in [0, 1] {
        let mut plugin = Plugin::start(&with_a_rule);
        plugin.serve("").unwrap();
        assert!(!plugin.vm.host().outstanding.is_empty());
        while !plugin.vm.host().outstanding.is_empty() {
            plugin.vm.answer_call(plugin.context, headers).unwrap();
        }
        plugin.assert_sticky("after the answer");
    }
}

#[test]
fn a_plugin_that_is_replaced_while_its_streams_last_ends_after_them() {
    for configuration in configurations() {
        let mut plugin = Plugin::start(&configuration);
        let cookies = plugin.serve("").unwrap();
        let [answered, unanswered] = [0; 2].map(|_| {
            let stream = plugin.vm.create(plugin.context).unwrap();
            plugin.request(stream, &cookies).unwrap();
            stream
        });
        // Envoy makes a plugin of a changed configuration in the same VM.
        let old = std::mem::replace(&mut plugin.context, plugin.vm.create(0).unwrap());
        assert!(plugin.configure().unwrap());
        assert!(plugin.response(answered).unwrap().len() > 1, "the answer is given its cookies");
        for stream in [answered, unanswered] {
            plugin.vm.log(stream).unwrap();
            plugin.vm.delete(stream).unwrap();
        }
        plugin.vm.delete(old).unwrap();
        plugin.assert_sticky("with the other configuration");
    }
}
