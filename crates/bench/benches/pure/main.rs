//! Measures the time and the allocations of the core crate `stickiness`, natively and without Envoy.
//!
//! `cargo xtask bench` runs it, and copies the results into its page.

use std::collections::BTreeMap;
use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Duration;

use allocation_counter::{AllocationInfo, measure};
use anyhow::{Context, Result};
use criterion::Criterion;
use serde_json::{Value, json};
use stickiness::balancer::{Balancer, Session};
use stickiness::config::Config;
use stickiness::cookies::names::Pair;
use stickiness::exchange::{Answer, AnsweredBy, Request, RouteChoice};
use stickiness::time::Timestamp;
use stickiness::trust::binding::Binding;
use stickiness::trust::key_ring::{CookieKind, Key, KeyRing, SECRET_LENGTH};
use stickiness::trust::scope::Scope;
use stickiness::trust::value_encoding;
use stickiness::wire::cookie_header::{CookieHeader, WantedCookies};
use stickiness::wire::set_cookie::SetCookie;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const NONCE: [u8; 24] = [7; 24];

fn main() -> Result<()> {
    let mut pure = Pure {
        criterion: Criterion::default()
            .without_plots()
            .sample_size(30)
            .warm_up_time(Duration::from_millis(500))
            .measurement_time(Duration::from_secs(2))
            .output_directory(&folder().join("criterion")),
        allocations: Vec::new(),
    };
    let ring = || KeyRing::new(Key::new(&[1; SECRET_LENGTH]), Vec::new());
    let (target_group, target) = ("web".into(), "10.0.0.1:8080".into());
    let binding = Binding { target_group, target, scope: Scope::default(), issued_at: NOW };
    let content = binding.to_bytes().context("a binding")?;
    let value = value_encoding::seal(&ring(), CookieKind::LbCookie, &content, &NONCE).context("a value")?;

    let keys = ring();
    pure.measure("seal a value", || value_encoding::seal(&keys, CookieKind::LbCookie, &content, &NONCE));
    pure.measure("open a value", || value_encoding::open(&keys, CookieKind::LbCookie, value.as_bytes()));

    let cookies = format!("AWSALB={value}; AWSALBCORS={value}");
    let foreign: Vec<String> = (0..80).map(|number| format!("foreign{number:02}={}", "x".repeat(90))).collect();
    let after_8_kb = format!("{}; {cookies}", foreign.join("; "));
    let names = Pair::of_lb_cookie(None);
    let wanted = WantedCookies::new(names.wanted());
    pure.measure("find a cookie", || find(&cookies, &wanted));
    pure.measure("find a cookie behind 8 KB of others", || find(&after_8_kb, &wanted));

    let cookie = SetCookie {
        name: "AWSALBCORS",
        value: &value,
        expires: Some(NOW.to_system_time()),
        max_age: None,
        domain: None,
        path: "/",
        same_site: Some(stickiness::policy::SameSite::None),
        secure: true,
        http_only: false,
        partitioned: false,
    };
    pure.measure("render a cookie", || cookie.to_string());

    for (name, config, cookies) in [
        ("decide: a pinned request and its answer", "{}", cookies.as_str()),
        ("decide: the same, renew: on_change", r#"{"cookie": {"renew": "on_change"}}"#, &cookies),
        ("decide: a new session and its answer", "{}", ""),
        ("decide: a pinned request behind 8 KB of others", "{}", &after_8_kb),
    ] {
        let config = Config::parse(config.as_bytes()).map_err(|error| anyhow::anyhow!("{error}"))?.config;
        let balancer = Balancer::new(config, ring());
        pure.measure(name, || decide(&balancer, cookies));
    }
    let forgeries = forgeries(&keys).context("forgeries")?;
    let config = Config::parse(b"{}").map_err(|error| anyhow::anyhow!("{error}"))?.config;
    let balancer = Balancer::new(config, ring());
    pure.measure("decide: a request with 60 KB of forgeries", || decide(&balancer, &forgeries));
    pure.report()
}

/// A `Cookie` header full of forgeries, as long as Envoy's default limit for request headers (60 KiB). Each of them is the shortest
/// value that the filter must decrypt before it can refuse it, and none is the same as the one before.
fn forgeries(keys: &KeyRing) -> Option<String> {
    let seal = |nonce| value_encoding::seal(keys, CookieKind::AppCookie, &[0; 48], &nonce);
    let two = format!("AWSALB={}; AWSALB={}; ", seal([7; 24])?, seal([8; 24])?);
    Some(two.repeat(60 * 1024 / two.len()))
}

fn find(cookies: &str, wanted: &WantedCookies) -> bool {
    wanted.find(&CookieHeader::from_iter([cookies.as_bytes()])).is_empty()
}

/// Decides about a request and its response. The caches still have the values of the request before.
fn decide(balancer: &Balancer, cookies: &str) -> Option<usize> {
    let request = Request {
        target_group: "web",
        route: RouteChoice::default(),
        cookies: CookieHeader::from_iter([cookies.as_bytes()]),
        user_agent: b"",
        forwarded_proto: b"http",
        now: NOW,
    };
    let session: Session = balancer.receive(&request, &|_, _| true)?;
    let pin = session.shared_pin().cloned();
    let target = pin.as_deref().unwrap_or("10.0.0.1:8080").into();
    let by = AnsweredBy::Target { target_group: "web".into(), target };
    let answer = Answer { by, now: NOW, set_cookies: &Vec::new, over_https: &|| false };
    Some(balancer.reply(session, &answer, &mut || Some(NONCE)).headers().count())
}

/// Measures operations, and keeps their allocations until the report.
struct Pure {
    criterion: Criterion,
    allocations: Vec<(String, AllocationInfo)>,
}

impl Pure {
    fn measure<T>(&mut self, name: &str, mut operation: impl FnMut() -> T) {
        black_box(operation());
        let allocations = measure(|| drop(black_box(operation())));
        self.allocations.push((name.to_owned(), allocations));
        self.criterion.bench_function(name, |bencher| bencher.iter(&mut operation));
    }

    /// Writes the file that the page reads.
    fn report(self) -> Result<()> {
        let estimates = estimates(&folder().join("criterion"))?;
        let rows = self.allocations.into_iter().map(|(name, allocations)| {
            let estimate = estimates.get(&name).with_context(|| format!("criterion has no estimate of {name:?}"))?;
            let nanoseconds = |of: &str| estimate[of]["point_estimate"].as_f64();
            Ok(json!({
                "name": name,
                "ns": nanoseconds("median").context("its median")?,
                "spread": nanoseconds("std_dev").context("its standard deviation")?,
                "allocations": allocations.count_total,
                "bytes": allocations.bytes_total,
            }))
        });
        let file = folder().join("bench/pure.json");
        fs::create_dir_all(folder().join("bench"))?;
        fs::write(&file, serde_json::to_string(&rows.collect::<Result<Vec<Value>>>()?)?)?;
        Ok(())
    }
}

/// The estimates of criterion for each operation. Its folders do not have the names of the operations.
fn estimates(criterion: &Path) -> Result<BTreeMap<String, Value>> {
    let mut estimates = BTreeMap::new();
    for entry in fs::read_dir(criterion)? {
        let folder = entry?.path().join("new");
        if let Ok(benchmark) = fs::read_to_string(folder.join("benchmark.json")) {
            let benchmark: Value = serde_json::from_str(&benchmark)?;
            let name = benchmark["full_id"].as_str().context("the name of a benchmark")?.to_owned();
            estimates.insert(name, serde_json::from_str(&fs::read_to_string(folder.join("estimates.json"))?)?);
        }
    }
    Ok(estimates)
}

fn folder() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    target.unwrap_or_else(|| local_envoy::workspace_root().join("target"))
}
