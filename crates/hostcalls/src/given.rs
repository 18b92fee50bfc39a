//! Takes over the bytes that the host hands to the filter.

use std::ptr;

/// Where the host writes the address and the length of the bytes that it gives.
///
/// The memory comes from the callback `proxy_on_memory_allocate`. The SDK implements it with a boxed slice of bytes, so a box of
/// them is what frees it.
pub(crate) struct Given {
    pub(crate) data: *mut u8,
    pub(crate) size: usize,
}

impl Given {
    /// Before the call. A host that writes nothing leaves it so.
    pub(crate) const fn nothing() -> Self {
        Self { data: ptr::null_mut(), size: 0 }
    }

    /// The bytes. None, when the host gave none, or more than there is memory.
    pub(crate) fn into_bytes(self) -> Box<[u8]> {
        if self.data.is_null() || self.size == 0 || !is_memory(self.data, self.size) {
            return Box::default();
        }
        // SAFETY: the host had the memory allocated as a boxed slice, see above, and does not use it any more. With a length that
        // is not that of the allocation the bytes are still memory of this VM, and the allocator of wasm frees by the address.
        unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(self.data, self.size)) }
    }
}

/// Tells whether so many bytes at this address are memory of the VM: to read behind its end would trap.
#[cfg(target_family = "wasm")]
fn is_memory(data: *const u8, size: usize) -> bool {
    const PAGE: usize = 65_536;
    let end = data.addr().checked_add(size);
    end.is_some_and(|end| end.div_ceil(PAGE) <= std::arch::wasm32::memory_size::<0>())
}

/// The host of the tests gives what it says.
#[cfg(not(target_family = "wasm"))]
fn is_memory(_: *const u8, size: usize) -> bool {
    isize::try_from(size).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_allocated_is_taken_over() {
        let data = Box::into_raw(Box::<[u8]>::from(*b"abc")).cast();
        assert_eq!(*Given { data, size: 3 }.into_bytes(), *b"abc");
    }

    #[test]
    fn an_address_or_a_length_that_is_missing_means_no_bytes() {
        let mut byte = 0_u8;
        let data = &raw mut byte;
        for given in [Given::nothing(), Given { data, size: 0 }, Given { data: ptr::null_mut(), size: 7 }] {
            assert!(given.into_bytes().is_empty());
        }
    }

    #[test]
    fn a_length_beyond_all_memory_means_no_bytes() {
        let mut byte = 0_u8;
        assert!(Given { data: &raw mut byte, size: usize::MAX }.into_bytes().is_empty());
    }
}
