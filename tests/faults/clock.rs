//! A clock that is stepped while requests are under way.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::process::Command;

use harness::{counted, fetch, sticky_config};
use local_envoy::{Envoy, child, workspace_root};
use tempfile::TempDir;

use crate::scene::{Backends, CONNECTIONS, PATIENCE, SESSIONS, SITE, Scene, start};
use crate::verdict::Verdict;

const HOUR: i64 = 3_600;

/// The shipped duration, and how far ahead the time of a cookie may lie.
const DAY: i64 = 24 * HOUR;

/// The clock of an Envoy, which a test can step.
struct SteppedClock {
    folder: TempDir,
    step: File,
}

impl SteppedClock {
    /// The system's clock, built now with the C compiler that Rust links with.
    #[track_caller]
    fn build() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut build = Command::new("cc");
        build
            .args(["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o"])
            .arg(folder.path().join("clock.so"));
        build.arg(workspace_root().join("tests/faults/stepped_clock.c"));
        let output = child::output(&mut build, PATIENCE).unwrap_or_else(|error| panic!("{error}"));
        assert!(output.status.success(), "{}", output.stderr);
        fs::write(folder.path().join("step"), 0_i64.to_ne_bytes()).unwrap();
        let step = File::options().write(true).open(folder.path().join("step")).unwrap();
        Self { folder, step }
    }

    /// What gives an Envoy this clock.
    fn environment(&self) -> [(String, String); 2] {
        let file = |name: &str| self.folder.path().join(name).to_str().unwrap().to_owned();
        [("LD_PRELOAD".to_owned(), file("clock.so")), ("STEPPED_CLOCK".to_owned(), file("step"))]
    }

    /// Steps it to so many seconds ahead of the system's, or behind it.
    fn step_to(&self, seconds: i64) {
        self.step.write_all_at(&seconds.to_ne_bytes(), 0).unwrap();
    }
}

/// A scene whose Envoy has a clock of its own.
#[track_caller]
fn scene(clock: &SteppedClock) -> Scene {
    let backends = Backends::start(SITE.targets);
    let config = sticky_config(&backends.addresses(), &SITE);
    let envoy = start(&config, |envoy| envoy.environment.extend(clock.environment()));
    Scene::of(backends, envoy, |_| ())
}

/// Its cookies show that its clock is so many seconds off.
#[track_caller]
fn is_off(envoy: &Envoy, seconds: i64) {
    let left = fetch(envoy.address("sticky").unwrap(), "/", &[]).expires_in();
    let expected = u64::try_from(DAY + seconds).unwrap();
    assert!((expected - 10..=expected).contains(&left), "{left} s are left of {expected}");
}

#[test]
fn sessions_stay_when_the_clock_steps_by_an_hour_and_back() {
    let clock = SteppedClock::build();
    let scene = scene(&clock);
    for step in [HOUR, 0, -HOUR, 0] {
        clock.step_to(step);
        is_off(&scene.envoy, step);
        scene.go_on(1);
    }
    let tally = scene.crowd.stop();
    Verdict::on("clock steps an hour ahead, back, and an hour behind").report(&tally);
    assert_eq!(counted(&scene.envoy, "web", "expired"), 0);
}

#[test]
fn sessions_end_once_when_the_clock_steps_by_more_than_a_day_and_nothing_is_lost() {
    let clock = SteppedClock::build();
    let scene = scene(&clock);
    let mut before = 0;
    for step in [DAY + HOUR, 0] {
        clock.step_to(step);
        is_off(&scene.envoy, step);
        scene.go_on(3);
        let expired = counted(&scene.envoy, "web", "expired");
        // A request that is under way in that moment is judged before the step, and its cookie is of the time after it.
        let once = SESSIONS - CONNECTIONS..=SESSIONS;
        assert!(once.contains(&usize::try_from(expired - before).unwrap()), "{expired} after {before}");
        before = expired;
    }
    Verdict::on("clock steps 25 hours ahead and back").ended("sessions were over", |_| true).report(&scene.end());
}
