//! The filter on a host that fails in every way in which a host can: no call of it may end the VM.
//!
//! `cargo xtask test host` runs these. An interpreter takes Envoy's place, because Envoy cannot be made to answer every call
//! with every status, or to call in every order. Each test plays twice: with the module that ships, and with the module that a
//! plain `cargo build --release --target wasm32-wasip1` makes.

#![allow(clippy::restriction, reason = "a test fails by a panic")]
#![allow(clippy::duplicate_mod, reason = "the same tests, for two modules")]

/// The module that ships.
#[path = "."]
mod shipped {
    fn filter() -> &'static std::path::Path {
        harness::wasm()
    }

    mod calls;
    mod cost;
    mod loading;
    mod orders;
    mod plugin;
    mod properties;
    mod same_cookies;
    mod statuses;
}

/// The module that cargo builds. The one that ships is made out of it.
#[path = "."]
mod plain {
    use std::path::PathBuf;

    fn filter() -> PathBuf {
        let shipped = harness::wasm();
        let built = || {
            let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
            shipped.parent().unwrap().with_file_name(target).join("wasm32-wasip1/release/sticky_sessions.wasm")
        };
        std::env::var_os("STICKY_SESSIONS_PLAIN_WASM").map_or_else(built, PathBuf::from)
    }

    mod calls;
    mod orders;
    mod plugin;
    mod properties;
    mod statuses;
}
