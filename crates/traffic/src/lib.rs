//! What does a load balancer do to thousands of sessions while its targets fail?
//!
//! A [`Backend`] is a target: a process that can be killed, hung and told to misbehave. A [`Crowd`] is thousands of sessions,
//! each with its cookies, that send requests all the time; its [`Tally`] says which of them another target has answered, and
//! which requests had no answer.
//!
//! ```no_run
//! use std::time::Duration;
//! use traffic::{Backend, Behaviour, Crowd, Settings};
//!
//! let mut a = Backend::start("a");
//! let b = Backend::start("b");
//! b.behave(Behaviour::Slow(Duration::from_millis(20)));
//! // ... an Envoy before `a.address()` and `b.address()`, which listens here:
//! let listener = "127.0.0.1:10000".parse().unwrap();
//!
//! let pause = Duration::from_secs(1);
//! let crowd = Crowd::start(&Settings { sessions: 2000, connections: 200, pause, ..Settings::through(&[listener]) });
//! crowd.wait_until_all_have_a_pin();
//! let of_a = crowd.pins()["a"];
//! let mark = crowd.mark();
//! a.kill();
//! crowd.wait_for("the sessions of a to move", Duration::from_secs(20), |all| all.moved.len() == of_a);
//! let since = crowd.since(&mark);
//! assert!(since.moved.iter().all(|session| &*session.from == "a"));
//! assert!(since.lost.iter().all(|lost| lost.pin.as_deref() == Some("a") && lost.sent < mark.at()));
//! crowd.stop();
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
mod program;
mod sender;
mod sessions;
mod tally;

pub use backend::Backend;
pub use behaviour::{Behaviour, HEALTH_CHECK, Order, TARGET};
pub use crowd::{Crowd, Settings};
pub use open_files::allow_open_files;
pub use tally::{Loss, Lost, Mark, Moved, Tally};
