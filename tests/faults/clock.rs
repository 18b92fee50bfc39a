//! A clock that is stepped while requests are in flight.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::process::Command;

use harness::{PATIENCE, counted, fetch, sticky_config};
use local_envoy::{Envoy, child, workspace_root};
use tempfile::TempDir;

use crate::fixture::{Backends, CONNECTIONS, Fixture, SESSIONS, SETUP, start};
use crate::verdict::Verdict;

const HOUR: i64 = 3_600;

/// The shipped duration. It is also the limit for a cookie that was issued in the future.
const DAY: i64 = 24 * HOUR;

/// A clock for one Envoy, which a test can step.
struct SteppedClock {
    folder: TempDir,
    step: File,
}

impl SteppedClock {
    /// Builds the clock with the C compiler that Rust links with. It starts with the system's time.
    #[track_caller]
    fn build() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut build = Command::new("cc");
        build
            .args(["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o"])
            .arg(folder.path().join("clock.so"));
        build.arg(workspace_root().join("tests/faults/stepped_clock.c"));
        let output = child::output(&mut build, PATIENCE).unwrap();
        assert!(output.status.success(), "{}", output.stderr);
        fs::write(folder.path().join("step"), 0_i64.to_ne_bytes()).unwrap();
        let step = File::options().write(true).open(folder.path().join("step")).unwrap();
        Self { folder, step }
    }

    /// The environment variables that give an Envoy this clock.
    fn environment(&self) -> [(String, String); 2] {
        let file = |name: &str| self.folder.path().join(name).to_str().unwrap().to_owned();
        [("LD_PRELOAD".to_owned(), file("clock.so")), ("STEPPED_CLOCK".to_owned(), file("step"))]
    }

    /// Steps it to so many seconds ahead of the system's clock, or behind it.
    fn step_to(&self, seconds: i64) {
        self.step.write_all_at(&seconds.to_ne_bytes(), 0).unwrap();
    }
}

/// A fixture whose Envoy has this clock.
#[track_caller]
fn fixture(clock: &SteppedClock) -> Fixture {
    let backends = Backends::start(SETUP.targets);
    let config = sticky_config(&backends.addresses(), &SETUP);
    let envoy = start(&config, |envoy| envoy.environment.extend(clock.environment()));
    Fixture::of(backends, envoy, |_| ())
}

/// Checks by the cookies of an Envoy that its clock is so many seconds off.
#[track_caller]
fn assert_off(envoy: &Envoy, seconds: i64) {
    let left = fetch(envoy.address("sticky").unwrap(), "/", &[]).expires_in();
    let expected = u64::try_from(DAY + seconds).unwrap();
    assert!((expected - 10..=expected).contains(&left), "{left} s are left of {expected}");
}

#[test]
fn sessions_stay_when_the_clock_steps_by_an_hour_and_back() {
    let clock = SteppedClock::build();
    let fixture = fixture(&clock);
    for step in [HOUR, 0, -HOUR, 0] {
        clock.step_to(step);
        assert_off(&fixture.envoy, step);
        fixture.go_on(1);
    }
    let tally = fixture.crowd.stop();
    Verdict::on("clock steps an hour ahead, back, and an hour behind").report(&tally);
    assert_eq!(counted(&fixture.envoy, "web", "expired"), 0);
}

#[test]
fn sessions_end_once_when_the_clock_steps_by_more_than_a_day_and_nothing_is_lost() {
    let clock = SteppedClock::build();
    let fixture = fixture(&clock);
    let mut before = 0;
    for step in [DAY + HOUR, 0] {
        clock.step_to(step);
        assert_off(&fixture.envoy, step);
        fixture.go_on(3);
        let expired = counted(&fixture.envoy, "web", "expired");
        // A request that is in flight at the step is judged before it, and gets a cookie with the time after it.
        let once = SESSIONS - CONNECTIONS..=SESSIONS;
        assert!(once.contains(&usize::try_from(expired - before).unwrap()), "{expired} after {before}");
        before = expired;
    }
    Verdict::on("clock steps 25 hours ahead and back").ended("sessions were over", |_| true).report(&fixture.end());
}
