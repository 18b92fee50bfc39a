//! The parts of the images that a change builds again.

use std::fs;
use std::path::Path;
use std::process::Command;

use local_demo::Compose;
use local_envoy::workspace_root;

use crate::running::{SERVICES, demo, id, succeeded};

/// Steps of the Dockerfile. Each text occurs in one step only.
const BUILD_BACKEND: &str = "cargo build --release --locked -p demo-backend";
const BUILD_FILTER: &str = "cargo xtask wasm";
const COPY_EVERYTHING: &str = "COPY . .";

/// True if all steps with this text came from the cache.
#[track_caller]
fn is_cached(build: &str, step: &str) -> bool {
    let heads = build.lines().filter(|line| line.starts_with('#') && line.contains(step));
    let numbers: Vec<&str> = heads.filter_map(|line| line.split(' ').next()).collect();
    assert!(!numbers.is_empty(), "no step says {step}: {build}");
    numbers.iter().all(|number| build.lines().any(|line| line == format!("{number} CACHED")))
}

#[test]
fn a_second_up_without_a_change_builds_nothing_and_leaves_the_containers_alone() {
    let before = SERVICES.map(id);
    let output = succeeded(&mut demo().command(&["--progress", "plain", "up", "--build", "--wait", "--detach"]));
    let build = output.stdout + &output.stderr;
    assert!(is_cached(&build, BUILD_BACKEND), "{build}");
    assert!(is_cached(&build, BUILD_FILTER), "{build}");
    assert_eq!(SERVICES.map(id), before);
}

#[test]
fn a_change_of_the_backend_does_not_build_the_filter_again() {
    let copy = tempfile::tempdir().unwrap();
    copy_build_context(&workspace_root(), copy.path());
    let main = copy.path().join("demo/backend/src/main.rs");
    // The path makes this change unique. The cache contains every change that was ever built.
    let change = format!("// {}\n", copy.path().display());
    fs::write(&main, fs::read_to_string(&main).unwrap() + &change).unwrap();

    // Another project, so that the image of the running demo does not change.
    let other = Compose::new(format!("{}-changed", demo().project()), demo().ports());
    let mut build = other.command(&["--progress", "plain", "--project-directory"]);
    let output = succeeded(build.arg(copy.path()).args(["build", "envoy"]));
    succeeded(Command::new("docker").args(["image", "rm", &format!("{}-envoy", other.project())]));
    let build = output.stdout + &output.stderr;
    assert!(!is_cached(&build, COPY_EVERYTHING), "the change was not seen: {build}");
    assert!(is_cached(&build, BUILD_FILTER), "{build}");
}

/// Copies the files that `.dockerignore` allows, and the files that define the build.
fn copy_build_context(from: &Path, to: &Path) {
    let ignore = fs::read_to_string(from.join(".dockerignore")).unwrap();
    let context = ignore.lines().filter_map(|line| line.strip_prefix('!'));
    for path in context.chain([".dockerignore", "Dockerfile", "docker-compose.yml"]) {
        let target = to.join(path);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        copy(&from.join(path), &target);
    }
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir(to).unwrap();
        for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        fs::copy(from, to).unwrap();
    }
}
