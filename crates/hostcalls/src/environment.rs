//! Reads the environment variables of the VM.
//!
//! `std::env::var` would do it through the C library, which ends the VM when one of the two calls fails.

use std::ptr;

use crate::error::{HostError, Status, status_of};
use crate::imports;

/// WASI's status for a lack of memory.
const NO_MEMORY: Status = Status(48);

/// The value of an environment variable, if it is set (WASI, `environ_sizes_get` and `environ_get`).
///
/// # Errors
///
/// When one of the calls fails, or there is no memory for all variables.
pub fn environment_variable(name: &str) -> crate::Result<Option<Vec<u8>>> {
    let (mut count, mut size) = (0, 0);
    // SAFETY: the host writes a number to each.
    let status = unsafe { imports::environ_sizes_get(&raw mut count, &raw mut size) };
    status_of("environ_sizes_get", status)?;
    let mut addresses = filled(count, ptr::null_mut())?;
    let mut bytes = filled(size, 0)?;
    // SAFETY: the host writes as many addresses and bytes as it has said before.
    let status = unsafe { imports::environ_get(addresses.as_mut_ptr(), bytes.as_mut_ptr()) };
    status_of("environ_get", status)?;
    Ok(value_of(&bytes, name).map(<[u8]>::to_vec))
}

/// So many copies of a value. The host says how many, so there may be no memory for them.
fn filled<T: Clone>(count: usize, value: T) -> crate::Result<Vec<T>> {
    let mut values = Vec::new();
    let no_memory = |_| HostError { call: "environ_sizes_get", status: NO_MEMORY };
    values.try_reserve_exact(count).map_err(no_memory)?;
    values.resize(count, value);
    Ok(values)
}

/// The value of this name among `NAME=value` texts with a zero byte after each.
fn value_of<'a>(bytes: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut variables = bytes.split(|byte| *byte == 0);
    variables.find_map(|variable| variable.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_found_by_its_whole_name() {
        let bytes = b"AB=1\0A=\xff=2\0A=3\0";
        assert_eq!(value_of(bytes, "A"), Some(b"\xff=2".as_slice()));
        assert_eq!(value_of(bytes, "AB"), Some(b"1".as_slice()));
        assert_eq!(value_of(bytes, "B"), None);
        assert_eq!(value_of(b"", "A"), None);
    }

    #[test]
    fn more_variables_than_there_is_memory_are_an_error() {
        assert_eq!(filled(usize::MAX, 0_u8).unwrap_err().status, NO_MEMORY);
    }
}
