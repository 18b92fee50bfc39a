//! Recognises Chromium 80 and newer by the `User-Agent`, as AWS does.

/// The most bytes that are read. Those of browsers have a few hundred, and a client may send sixty thousand.
pub const MAX_BYTES: usize = 1024;

/// Returns true if this `User-Agent` is a Chromium of version 80 or newer: Chrome, Edge, Opera and the like.
///
/// AWS "adds the `SameSite=None; Secure` attributes … only if the user-agent version is Chromium80 or above" (AWS, "Edit target
/// group attributes for your Application Load Balancer", section "Sticky sessions"). Chrome on iOS is not a Chromium and calls
/// itself `CriOS`.
///
/// ```
/// use stickiness::wire::user_agent::is_chromium_80;
///
/// assert!(is_chromium_80(b"Mozilla/5.0 (X11; Linux x86_64) Chrome/142.0.0.0 Safari/537.36"));
/// assert!(!is_chromium_80(b"curl/8.5.0"));
/// ```
#[must_use]
pub fn is_chromium_80(user_agent: &[u8]) -> bool {
    // To split at one byte takes one pass over the header of every request, and few pieces go on with "hrom". No C precedes the
    // first piece.
    let read = user_agent.get(..MAX_BYTES).unwrap_or(user_agent);
    let pieces = read.split(|&byte| byte == b'C').skip(1);
    pieces.filter_map(major_version).any(|version| version >= 80)
}

/// The major version in `hrome/80.0.1` or `hromium/80.0.1`.
fn major_version(piece: &[u8]) -> Option<u32> {
    let product = piece.strip_prefix(b"hrom")?;
    let version = product.strip_prefix(b"e/").or_else(|| product.strip_prefix(b"ium/"))?;
    let digits = version.split(|byte| !byte.is_ascii_digit()).next()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_on_chromium_80_and_newer_are_recognised() {
        for user_agent in [
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/80.0.3987.87 Safari/537.36",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0.0.0 Safari/537.36",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Ubuntu Chromium/81.0.4044.138 Chrome/81.0.4044.138 Safari/537.36",
            "Chrome/80",
        ] {
            assert!(is_chromium_80(user_agent.as_bytes()), "{user_agent}");
        }
    }

    #[test]
    fn older_ones_and_all_others_are_not() {
        for user_agent in [
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/79.0.3945.130 Safari/537.36",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/120.0 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Safari/605.1.15",
            "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0",
            "curl/8.5.0",
            "",
            "Chrome/",
            "Chrome/x80",
            "hrome/80",
            "Chrome/99999999999999999999",
        ] {
            assert!(!is_chromium_80(user_agent.as_bytes()), "{user_agent}");
        }
        assert!(!is_chromium_80(b"Chrome/\xff\xfe"));
    }

    #[test]
    fn the_version_counts_among_the_first_bytes_only() {
        let behind = |count| format!("{}Chrome/80", "x".repeat(count)).into_bytes();
        assert_eq!([0, 1015, 1016, 60_000].map(|count| is_chromium_80(&behind(count))), [true, true, false, false]);
    }
}
