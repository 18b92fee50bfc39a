//! Does a variant do what its name says?

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use local_envoy::wait_until;

use crate::backend::WHO;
use crate::client::{Answer, Client};
use crate::envoys::Kind;
use crate::ground::Ground;
use crate::proxy::Proxy;
use crate::variant::{Promise, Session, Setup, Variant};

/// The `Cookie` header of a variant's requests, and all that they promise, seen in so many requests.
pub(crate) fn keeps_its_promise(ground: &Ground, variant: &Variant, proxy: &Proxy, requests: usize) -> Result<String> {
    look(ground, variant, proxy, requests).with_context(|| format!("{} does not do what it is to do", variant.name))
}

fn look(ground: &Ground, variant: &Variant, proxy: &Proxy, requests: usize) -> Result<String> {
    let client = Client::of(proxy.address);
    let path = format!("{}{WHO}", variant.path);
    let (cookies, home) = session(ground, variant, &client, &path)?;
    let mut targets = BTreeSet::new();
    for number in 0..requests {
        let answer = client.get(&path, &cookies)?;
        let at = || format!("request {number}, with the cookies {cookies:?}, was answered with {answer:?}");
        ensure!(answer.status == 200 && answer.length == 2, at());
        let target = answer.target.clone().with_context(at)?;
        gives(variant.promise, &answer).with_context(at)?;
        if let Some(home) = &home {
            ensure!(*home == target, "{}: it belongs to {home}", at());
        }
        targets.insert(target);
    }
    let known = ground.backend.targets(4).iter().map(ToString::to_string).collect();
    ensure!(targets.is_subset(&known), "{targets:?} answered, and the targets are {known:?}");
    let several = !matches!(variant.promise, Promise::Pinned { .. });
    ensure!(several == (targets.len() > 1), "{requests} requests were answered by {targets:?}");
    runs(variant, proxy, requests)?;
    // The load asks for another path than these requests.
    let answer = client.get(variant.path, &cookies)?;
    ensure!(answer.status == 200 && answer.length == 2, "{answer:?}");
    Ok(cookies)
}

/// The cookies, and the target that they name.
fn session(ground: &Ground, variant: &Variant, client: &Client, path: &str) -> Result<(String, Option<String>)> {
    Ok(match variant.session {
        Session::None => (String::new(), None),
        Session::Given => {
            let answer = client.get(path, "")?;
            ensure!(!answer.given.is_empty(), "a client without a cookie is given none: {answer:?}");
            (answer.cookies(), answer.target)
        }
        Session::Gone => {
            let gone = ground.backend.gone().to_string();
            let value = harness::forge("web", &gone, 60);
            (format!("AWSALB={value}; AWSALBCORS={value}"), None)
        }
        Session::Plain => {
            let target = ground.backend.target(1).to_string();
            (format!("target={target}"), Some(target))
        }
    })
}

fn gives(promise: Promise, answer: &Answer) -> Result<()> {
    let gives = match promise {
        Promise::Spread | Promise::Pinned { renewed: false } => false,
        Promise::Begin | Promise::FailOver | Promise::Pinned { renewed: true } => true,
    };
    ensure!(gives != answer.given.is_empty(), "{}", if gives { "it gives no cookie" } else { "it gives a cookie" });
    Ok(())
}

/// What an Envoy itself says of its filters.
fn runs(variant: &Variant, proxy: &Proxy, requests: usize) -> Result<()> {
    let (Setup::Envoy(kind), Some(envoy)) = (variant.setup, proxy.envoy()) else { return Ok(()) };
    let admin = envoy.admin();
    let vms = admin.counter("wasm.envoy.wasm.runtime.v8.active")?;
    let wants_vm = matches!(
        kind,
        Kind::Noop | Kind::PrunedNoop | Kind::Calls(_) | Kind::SdkCalls | Kind::Ours(_) | Kind::OursAlone
    );
    ensure!(wants_vm == (vms > 0), "{vms} VMs are at work");
    let word = match (kind, variant.promise) {
        (Kind::Ours(_) | Kind::OursAlone, Promise::Pinned { .. }) => "pinned",
        (Kind::Ours(_) | Kind::OursAlone, Promise::Begin) => "no_cookie",
        (Kind::Ours(_) | Kind::OursAlone, Promise::FailOver) => "moved",
        _ => return Ok(()),
    };
    let counted = || ["web", "blue", "green"].iter().map(|group| harness::counted(envoy, group, word)).sum::<u64>();
    // A busy worker tells now and then what it has counted.
    wait_until(&format!("{requests} requests to be counted as {word}"), harness::PATIENCE, || {
        counted() >= requests as u64
    })?;
    Ok(())
}
