//! A stream whose properties and headers are missing, or are not text.

use super::plugin::{Plugin, configurations};

/// Bytes that are neither an address nor a name nor a word.
fn garbage() -> [Vec<u8>; 8] {
    [
        Vec::new(),
        vec![0],
        vec![0xff, 0xfe],
        b"\r\nset-cookie: a=b".to_vec(),
        "\u{202e}\u{0}".into(),
        5_f64.to_le_bytes().to_vec(),
        vec![b'x'; 70_000],
        vec![0xff; 1 << 20],
    ]
}

/// Serves a client while this property has this value, and then a client with all properties as they are.
#[track_caller]
fn survives(configuration: &str, path: &str, value: Option<Vec<u8>>) {
    let when = format!("{path} of {:?} bytes, {configuration}", value.as_ref().map(Vec::len));
    let mut plugin = Plugin::start(configuration);
    let cookies = plugin.serve("").unwrap();
    let properties = plugin.vm.host().properties.clone();
    match value {
        Some(value) => plugin.vm.host().properties.insert(path.to_owned(), value),
        None => plugin.vm.host().properties.remove(path),
    };
    plugin.serve(&cookies).unwrap_or_else(|error| panic!("{when}: {error}"));
    plugin.vm.host().properties = properties;
    plugin.assert_sticky(&when);
}

fn asked_for(configuration: &str) -> Vec<String> {
    let mut plugin = Plugin::start(configuration);
    plugin.serve("").unwrap();
    plugin.vm.host().asked_for().into_iter().collect()
}

#[test]
fn no_property_that_is_missing_or_garbage_ends_the_vm() {
    for configuration in configurations() {
        let paths = asked_for(&configuration);
        assert!(paths.len() >= 3, "{paths:?}");
        for path in paths {
            survives(&configuration, &path, None);
            for value in garbage() {
                survives(&configuration, &path, Some(value));
            }
        }
    }
}

#[test]
fn without_any_property_the_client_is_served_without_stickiness() {
    for configuration in configurations() {
        let mut plugin = Plugin::start(&configuration);
        let properties = std::mem::take(&mut plugin.vm.host().properties);
        assert_eq!(plugin.serve("").unwrap(), "sid=1");
        plugin.vm.host().properties = properties;
        plugin.assert_sticky("with them");
    }
}

#[test]
fn no_bytes_of_a_header_end_the_vm() {
    for configuration in configurations() {
        let mut plugin = Plugin::start(&configuration);
        for value in garbage() {
            let stream = plugin.vm.create(plugin.context).unwrap();
            let names = ["cookie", "user-agent", "x-forwarded-proto", "x-sticky-session-host", ":path", ""];
            plugin.vm.request(stream, &names.map(|name| (name, value.as_slice()))).unwrap();
            let set = [b"sid=".as_slice(), &value, b"; Path=", &value].concat();
            plugin.vm.response(stream, &[("set-cookie", &set), ("set-cookie", &value), ("", &value)]).unwrap();
            plugin.vm.log(stream).unwrap();
            plugin.vm.delete(stream).unwrap();
        }
        plugin.assert_sticky("after them");
    }
}
