//! Decides if a cookie's value may be believed: keys, sealed values, and the bindings in them.

pub mod binding;
pub mod key_ring;
pub mod key_text;
pub(crate) mod open_cache;
pub mod scope;
pub(crate) mod sealer;
pub mod value_encoding;
