//! Test machinery: thousands of sessions that show what a load balancer does while its targets fail.
//!
//! A [`Backend`] is a target: a process that a test can kill, suspend and make misbehave. A [`Crowd`] is thousands of sessions with
//! cookies that send requests continuously. Its [`Tally`] lists the sessions that moved to another target and the requests without an
//! answer. The suites `faults` and `load` and the benchmark use it.
//!
//! ```no_run
//! use std::time::Duration;
//! use traffic::{Backend, Behaviour, Crowd, CrowdSettings};
//!
//! let mut a = Backend::start("a");
//! let b = Backend::start("b");
//! b.behave(Behaviour::Slow(Duration::from_millis(20)));
//! // ... an Envoy in front of `a.address()` and `b.address()` that listens here:
//! let listener = "127.0.0.1:10000".parse().unwrap();
//!
//! let pause = Duration::from_secs(1);
//! let crowd = Crowd::start(&CrowdSettings { sessions: 2000, connections: 200, pause, ..CrowdSettings::through(&[listener]) });
//! crowd.wait_until_all_have_a_pin();
//! let of_a = crowd.pins()["a"];
//! a.kill();
//! crowd.wait_for("the sessions of a to move", Duration::from_secs(20), |all| all.moved.len() == of_a);
//! let tally = crowd.stop();
//! assert!(tally.moved.iter().all(|session| &*session.from == "a"));
//! assert!(tally.lost.iter().all(|lost| lost.pin.as_deref() == Some("a")));
//! ```

#![allow(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "called by tests only, which fail by a panic"
)]

mod answer;
mod backend;
mod behaviour;
mod connection;
mod crowd;
mod jar;
mod ledger;
mod open_files;
mod sender;
mod sessions;
mod tally;

pub use backend::Backend;
pub use behaviour::{Behaviour, HEALTH_CHECK, TARGET};
pub use crowd::{Crowd, CrowdSettings};
pub use open_files::allow_open_files;
pub use tally::{Loss, Lost, Moved, Tally};
