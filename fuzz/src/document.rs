//! Makes configurations from the fuzzer's bytes.

use arbitrary::{Result, Unstructured};
use serde_json::{Map, Value, json};

/// A secret that no error may show.
pub const SECRET: &str = "s3cr3t-that-no-error-may-show";

const GOOD_SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Names of target groups and policies.
pub const NAMES: [&str; 6] = ["web", "blue", "green", "web.example.com", "*", ""];

type Draw = fn(&mut Unstructured<'_>) -> Result<Value>;

/// A document that is nearly right: most keys are known and most values fit.
///
/// # Errors
///
/// When there are too few bytes.
pub fn document(u: &mut Unstructured<'_>) -> Result<Value> {
    object(
        u,
        &[
            ("target_groups", |u| named(u, target_group)),
            ("policies", |u| named(u, policy)),
            ("rules", |u| list(u, rule)),
            ("keys", |u| list(u, key)),
            ("upstream", |u| object(u, &[("mechanism", |u| word(u, &["stateful_session", "override_host"]))])),
            ("cookie", cookie),
        ],
    )
}

fn target_group(u: &mut Unstructured<'_>) -> Result<Value> {
    if u.ratio(1, 8)? {
        return object(u, &[("Attributes", |u| list(u, attribute))]);
    }
    object(u, &[("stickiness", stickiness), ("cookie", cookie)])
}

fn policy(u: &mut Unstructured<'_>) -> Result<Value> {
    let mut policy = target_group(u)?;
    if u.arbitrary()? {
        policy["scope"] = json!(name(u)?);
    }
    Ok(policy)
}

fn stickiness(u: &mut Unstructured<'_>) -> Result<Value> {
    const TYPES: &[&str] = &["lb_cookie", "app_cookie", "classic_lb_cookie", "classic_app_cookie", "source_ip"];
    object(
        u,
        &[
            ("enabled", flag),
            ("type", |u| word(u, TYPES)),
            ("lb_cookie", |u| object(u, &[("duration_seconds", number)])),
            ("app_cookie", |u| object(u, &[("cookie_name", cookie_name), ("duration_seconds", number)])),
            ("classic_lb_cookie", |u| object(u, &[("cookie_expiration_period", number)])),
            ("classic_app_cookie", |u| object(u, &[("cookie_name", cookie_name)])),
        ],
    )
}

fn attribute(u: &mut Unstructured<'_>) -> Result<Value> {
    const KEYS: &[&str] = &[
        "stickiness.enabled",
        "stickiness.type",
        "stickiness.lb_cookie.duration_seconds",
        "stickiness.app_cookie.cookie_name",
        "deregistration_delay.timeout_seconds",
    ];
    Ok(json!({ "Key": word(u, KEYS)?, "Value": scalar(u)? }))
}

fn rule(u: &mut Unstructured<'_>) -> Result<Value> {
    if u.ratio(1, 8)? {
        let groups: Draw = |u| list(u, |u| Ok(json!({ "TargetGroupArn": name(u)?, "Weight": number(u)? })));
        let stickiness: Draw = |u| object(u, &[("Enabled", flag), ("DurationSeconds", number)]);
        return object(u, &[("TargetGroups", groups), ("TargetGroupStickinessConfig", stickiness)]);
    }
    object(
        u,
        &[
            ("target_groups", |u| list(u, |u| Ok(json!(name(u)?)))),
            ("target_group_stickiness", |u| object(u, &[("enabled", flag), ("duration_seconds", number)])),
            ("on_empty_group", |u| word(u, &["fail", "repick"])),
            ("probe_path", path),
            ("cookie", cookie),
        ],
    )
}

fn key(u: &mut Unstructured<'_>) -> Result<Value> {
    let secret: Draw = |u| word(u, &[GOOD_SECRET, GOOD_SECRET, SECRET, "", "c2hvcnQ="]);
    Ok(match u.int_in_range(0..=7)? {
        0 => secret(u)?,
        1 => json!({ SECRET: secret(u)? }),
        2 => json!({ "id": { SECRET: 1 }, "secret": secret(u)? }),
        3 => json!({ "id": SECRET, "secret": [SECRET] }),
        _ => json!({ "id": word(u, &["new", "old", SECRET, ""])?, "secret": secret(u)? }),
    })
}

fn cookie(u: &mut Unstructured<'_>) -> Result<Value> {
    object(
        u,
        &[
            ("name", cookie_name),
            ("expires", |u| word(u, &["duration", "seven_days", "session"])),
            ("max_age", |u| word(u, &["none", "beside", "instead"])),
            ("domain", |u| word(u, &["example.com", ".example.com", "a b", ""])),
            ("path", path),
            ("secure", |u| word(u, &["auto", "always", "never"])),
            ("trust_x_forwarded_proto", flag),
            ("http_only", flag),
            ("same_site", |u| word(u, &["strict", "lax", "none"])),
            ("partitioned", flag),
            ("twin", flag),
            ("unused_shards", |u| word(u, &["when_sent", "always"])),
            ("renew", |u| word(u, &["always", "sliding", "on_change"])),
            ("renew_after_percent", |u| Ok(json!(u.int_in_range(0..=100)?))),
        ],
    )
}

fn object(u: &mut Unstructured<'_>, fields: &[(&str, Draw)]) -> Result<Value> {
    let mut object = Map::new();
    for (key, value) in fields {
        if u.ratio(2, 5)? {
            let value = if u.ratio(1, 40)? { stray(u)? } else { value(u)? };
            object.insert((*key).to_owned(), value);
        }
    }
    if u.ratio(1, 40)? {
        // A key with a dot means another key.
        object.insert(text(u)?.replace('.', "_"), stray(u)?);
    }
    Ok(Value::Object(object))
}

fn named(u: &mut Unstructured<'_>, value: Draw) -> Result<Value> {
    let mut by_name = Map::new();
    for _ in 0..u.int_in_range(0..=3)? {
        by_name.insert(name(u)?.to_owned(), value(u)?);
    }
    Ok(Value::Object(by_name))
}

fn list(u: &mut Unstructured<'_>, element: Draw) -> Result<Value> {
    (0..u.int_in_range(0..=6)?).map(|_| element(u)).collect()
}

fn name(u: &mut Unstructured<'_>) -> Result<&'static str> {
    Ok(if u.ratio(1, 16)? { u.choose(&NAMES)? } else { u.choose(&NAMES[..4])? })
}

fn word(u: &mut Unstructured<'_>, words: &[&str]) -> Result<Value> {
    Ok(json!(*u.choose(words)?))
}

fn flag(u: &mut Unstructured<'_>) -> Result<Value> {
    Ok(json!(u.arbitrary::<bool>()?))
}

fn number(u: &mut Unstructured<'_>) -> Result<Value> {
    Ok(json!(*u.choose(&[1_u64, 60, 86_400, 604_800, 604_801, 0, u64::MAX])?))
}

fn path(u: &mut Unstructured<'_>) -> Result<Value> {
    word(u, &["/", "/app", "app", "/a;b"])
}

fn cookie_name(u: &mut Unstructured<'_>) -> Result<Value> {
    word(u, &["sid", "LB", "LBTG", "AWSALB", "AWSELBX", "__Host-lb", "a b", ""])
}

fn scalar(u: &mut Unstructured<'_>) -> Result<Value> {
    Ok(match u.int_in_range(0..=5)? {
        0 => flag(u)?,
        1 => number(u)?,
        // JSON parsers may differ in the last bit of longer numbers.
        2 => json!(f64::from(u.arbitrary::<i16>()?) / 4.0),
        3 => json!(u.arbitrary::<i32>()?),
        4 => json!(text(u)?),
        _ => word(u, &["true", "false", "60", "060", "lb_cookie", "sid"])?,
    })
}

/// Any text without the secret, which the fuzzer can learn from the comparison.
fn text(u: &mut Unstructured<'_>) -> Result<String> {
    Ok(u.arbitrary::<&str>()?.replace(SECRET, "-"))
}

fn stray(u: &mut Unstructured<'_>) -> Result<Value> {
    Ok(match u.int_in_range(0..=4)? {
        0 => Value::Null,
        1 => json!([]),
        2 => json!({}),
        _ => scalar(u)?,
    })
}
