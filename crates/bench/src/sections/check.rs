//! Checks that a variant keeps its promise before it is measured.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use local_envoy::wait_until;

use crate::fixture::Fixture;
use crate::fixture::WHO;
use crate::proxy::envoys::EnvoyKind;
use crate::proxy::{Proxy, ProxyKind};
use crate::requests::client::{Answer, Client};
use crate::sections::variants::{Promise, Session, Variant};

/// Checks the promise of a variant with some requests, and returns the `Cookie` header of its requests.
pub(crate) fn keeps_its_promise(
    fixture: &Fixture,
    variant: &Variant,
    proxy: &Proxy,
    requests: usize,
) -> Result<String> {
    check(fixture, variant, proxy, requests).with_context(|| format!("{} does not keep its promise", variant.name))
}

fn check(fixture: &Fixture, variant: &Variant, proxy: &Proxy, requests: usize) -> Result<String> {
    let client = Client::of(proxy.address);
    let path = format!("{}{WHO}", variant.path);
    let (cookies, home) = session(fixture, variant, &client, &path)?;
    let mut targets = BTreeSet::new();
    for number in 0..requests {
        let answer = client.get(&path, &cookies)?;
        let at = || format!("request {number}, with the cookies {cookies:?}, got the response {answer:?}");
        ensure!(answer.status == 200 && answer.length == 2, at());
        let target = answer.target.clone().with_context(at)?;
        check_cookies(variant.promise, &answer).with_context(at)?;
        if let Some(home) = &home {
            ensure!(*home == target, "{}, but it is pinned to {home}", at());
        }
        targets.insert(target);
    }
    let known = fixture.backend.targets(4).iter().map(ToString::to_string).collect();
    ensure!(targets.is_subset(&known), "{targets:?} answered, and the targets are {known:?}");
    let several = !matches!(variant.promise, Promise::Pinned { .. });
    ensure!(several == (targets.len() > 1), "{requests} requests were answered by {targets:?}");
    check_envoy(variant, proxy, requests)?;
    // The load uses the path without the suffix.
    let answer = client.get(variant.path, &cookies)?;
    ensure!(answer.status == 200 && answer.length == 2, "{answer:?}");
    Ok(cookies)
}

/// The cookies of the client, and the target that they name.
fn session(fixture: &Fixture, variant: &Variant, client: &Client, path: &str) -> Result<(String, Option<String>)> {
    Ok(match variant.session {
        Session::None => (String::new(), None),
        Session::Given => {
            let answer = client.get(path, "")?;
            ensure!(!answer.given.is_empty(), "a client without a cookie gets none: {answer:?}");
            (answer.cookies(), answer.target)
        }
        Session::Gone => {
            let gone = fixture.backend.gone().to_string();
            let value = harness::forge("web", &gone, 60);
            (format!("AWSALB={value}; AWSALBCORS={value}"), None)
        }
        Session::Plain => {
            let target = fixture.backend.target(1).to_string();
            (format!("target={target}"), Some(target))
        }
    })
}

fn check_cookies(promise: Promise, answer: &Answer) -> Result<()> {
    let expected = match promise {
        Promise::Spread | Promise::Pinned { renewed: false } => false,
        Promise::Begin | Promise::FailOver | Promise::Pinned { renewed: true } => true,
    };
    ensure!(
        expected != answer.given.is_empty(),
        "{}",
        if expected { "the response sets no cookie" } else { "the response sets a cookie" }
    );
    Ok(())
}

/// Checks the number of VMs and the counters of the filter in the admin interface of an Envoy.
fn check_envoy(variant: &Variant, proxy: &Proxy, requests: usize) -> Result<()> {
    let (ProxyKind::Envoy(kind), Some(envoy)) = (variant.kind, proxy.envoy()) else { return Ok(()) };
    let admin = envoy.admin();
    let vms = admin.counter("wasm.envoy.wasm.runtime.v8.active")?;
    let wants_vm = matches!(
        kind,
        EnvoyKind::Noop
            | EnvoyKind::PrunedNoop
            | EnvoyKind::Calls(_)
            | EnvoyKind::SdkCalls
            | EnvoyKind::Ours(_)
            | EnvoyKind::OursAlone
    );
    ensure!(wants_vm == (vms > 0), "{vms} VMs are active");
    let word = match (kind, variant.promise) {
        (EnvoyKind::Ours(_) | EnvoyKind::OursAlone, Promise::Pinned { .. }) => "pinned",
        (EnvoyKind::Ours(_) | EnvoyKind::OursAlone, Promise::Begin) => "no_cookie",
        (EnvoyKind::Ours(_) | EnvoyKind::OursAlone, Promise::FailOver) => "moved",
        _ => return Ok(()),
    };
    let counted = || ["web", "blue", "green"].iter().map(|group| harness::counted(envoy, group, word)).sum::<u64>();
    // A busy worker reports its counts only now and then.
    wait_until(&format!("{requests} requests to be counted as {word}"), harness::PATIENCE, || {
        counted() >= requests as u64
    })?;
    Ok(())
}
