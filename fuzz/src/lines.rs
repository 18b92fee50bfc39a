//! Checks every `Set-Cookie` line that a client receives.

use crate::cases::{Stickiness, TARGETS};

/// The attributes that a Classic Load Balancer copies from the application's cookie.
const COPIED: &str = " PATH PORT DOMAIN SECURE HTTPONLY DISCARD MAX-AGE EXPIRES VERSION COMMENT COMMENTURL SAMESITE ";

/// Every line is a well-formed cookie of ours, has no address in it, and is short enough for a browser.
pub(crate) fn check(lines: &[&str], stickiness: Stickiness) {
    assert!(lines.len() <= 6, "two of a target group and four shards are the most");
    for line in lines {
        let (name, rest) = line.split_once('=').expect("a cookie has a name");
        let is_ours = ["AWSALB", "AWSELB", "__Secure-lb", "G"].iter().any(|base| name.starts_with(base));
        assert!(is_ours, "{line}");
        let (value, attributes) = rest.split_once(';').unwrap_or((rest, ""));
        let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/".contains(&byte);
        assert!(value == "_remove_" || value.bytes().all(is_base64), "{line}");
        assert!(value.len() <= 4000, "{} bytes", value.len());
        if stickiness == Stickiness::ClassicAppCookie && name.starts_with("AWSELB") {
            let names = attributes.split(';').map(|attribute| attribute.split('=').next().unwrap_or_default());
            assert!(names.filter(|name| !name.is_empty()).all(|name| COPIED.contains(&format!(" {name} "))), "{line}");
        } else {
            assert!(attributes.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()), "{line}");
            assert!(!TARGETS.iter().any(|target| line.contains(target)), "an address is shown: {line}");
        }
    }
}
