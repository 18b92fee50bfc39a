//! The random key of a plugin to which the operator gives none.
//!
//! All workers of the process share it, as far as their VMs have one `vm_id`, because it is in Envoy's shared data. So is everything
//! that another plugin with this `vm_id` stores there, and nothing proves who has stored what: a plugin that can store a key can read
//! this one too. Therefore the filter does not prove it, but it never takes a key without a word:
//!
//! - A value that is not in the format of [`entry`] is foreign, and is replaced, with a warning.
//! - Each worker logs the name of the key with which it seals. One line says that the key was drawn. The others say that the key was
//!   there already. Where no line says that it was drawn, another plugin has put it there.
//! - A plugin without a `vm_id` shares the data with every other plugin without one, which is warned of.

use std::cell::Cell;

use stickiness::trust::key_ring::{KEY_TAG_LENGTH, Key, KeyRing, SECRET_LENGTH};
use stickiness::trust::key_text;

use crate::host;
use crate::warn_once::warn_once;

/// Where the workers find the key.
const SHARED_KEY: &str = "sticky_sessions.random_key";

/// The start of an entry, with the version of its format.
const FORMAT: &[u8; 18] = b"sticky_sessions 1:";

type Tag = [u8; KEY_TAG_LENGTH];

thread_local! {
    /// The key that this worker has named in the log.
    static NAMED: Cell<Option<Tag>> = const { Cell::new(None) };
}

/// The ring with the random key of this process.
///
/// # Errors
///
/// When Envoy gives no random bytes or does not share them.
pub(crate) fn ring() -> Result<KeyRing, String> {
    if host::vm_id().is_some_and(|vm_id| vm_id.is_empty()) {
        warn_once(
            "no vm_id in vm_config: every other wasm plugin without a vm_id can read and replace the random key; set \
             vm_id: sticky_sessions",
        );
    }
    let secret: [u8; SECRET_LENGTH] = host::random().ok_or("Envoy gives no random bytes for a key")?;
    let drawn = Key::new(&secret);
    let entry = entry(&secret, drawn.tag());
    let mut present = None;
    // At most: another worker was first with a foreign value, and another one with a key.
    for _ in 0..3 {
        let is_stored = host::replace_shared_data(SHARED_KEY, &entry, present.as_ref()) == Some(true);
        // Also what was just stored is read: the other workers have to read it.
        present = host::shared_data(SHARED_KEY).ok().flatten();
        let Some(found) = &present else { break };
        if let Some(key) = key(&found.value) {
            tell(key.tag(), is_stored && key.tag() == drawn.tag());
            return Ok(KeyRing::new(key, Vec::new()));
        }
        log::warn!(
            "{SHARED_KEY} in Envoy's shared data is no key of this filter: another plugin with its vm_id stored it"
        );
    }
    Err("Envoy's shared data does not hold the key that was stored there".to_owned())
}

/// Logs the name of the key, once in a worker.
fn tell(tag: Tag, is_drawn: bool) {
    let name = format!("{:08x}", u32::from_be_bytes(tag));
    if NAMED.replace(Some(tag)) == Some(tag) {
        return;
    }
    if is_drawn {
        log::warn!(
            "no keys in the configuration or in {}: cookies are sealed with a random key, {name}, which other replicas and a \
             restarted Envoy do not have",
            key_text::ENVIRONMENT_VARIABLE
        );
    } else {
        log::info!(
            "the random key {name} was there already; if no line says that it was drawn here, another plugin with the same \
             vm_id has put it there"
        );
    }
}

/// The value that is stored: the format, the secret, and the name of the key, which follows from the secret.
fn entry(secret: &[u8; SECRET_LENGTH], tag: Tag) -> Vec<u8> {
    [FORMAT.as_slice(), secret, &tag].concat()
}

/// The key in an entry, if it is one.
fn key(entry: &[u8]) -> Option<Key> {
    let (secret, tag) = entry.strip_prefix(FORMAT.as_slice())?.split_first_chunk()?;
    let key = Key::new(secret);
    (key.tag() == *tag).then_some(key)
}
