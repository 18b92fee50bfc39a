//! Copies attributes from the application's cookie to the stickiness cookie.

/// "The load balancer copies the following attributes: path, port, domain, secure, httponly, discard, max-age, expires,
/// version, comment, commenturl, and samesite." (AWS, "Configure sticky sessions for your Classic Load Balancer", section
/// "Application-controlled session stickiness")
const COPIED: [&str; 12] = [
    "PATH",
    "PORT",
    "DOMAIN",
    "SECURE",
    "HTTPONLY",
    "DISCARD",
    "MAX-AGE",
    "EXPIRES",
    "VERSION",
    "COMMENT",
    "COMMENTURL",
    "SAMESITE",
];

/// Returns true if the load balancer ignores this line: "If an application cookie has a trailing semicolon, the load balancer
/// ignores it." (AWS, "Configure sticky sessions for your Classic Load Balancer", section "Application-controlled session
/// stickiness")
pub(super) fn is_ignored(line: &[u8]) -> bool {
    line.trim_ascii_end().ends_with(b";")
}

/// The copied attributes of an application's `Set-Cookie` line, in its order: `;PATH=/;HTTPONLY`.
///
/// AWS writes the underscores of a path as `%5F`. An attribute with a control character is not valid (RFC 6265 §4.1.1). The proxy
/// does not refuse all of these characters, so such an attribute is not copied.
pub(super) fn attributes(line: &[u8]) -> String {
    let line = String::from_utf8_lossy(line);
    let attributes = line.split(';').skip(1).filter_map(|attribute| {
        let (name, value) = attribute.split_once('=').map_or((attribute, None), |(name, value)| (name, Some(value)));
        let name = name.trim().to_ascii_uppercase();
        if !COPIED.contains(&name.as_str()) {
            return None;
        }
        let value = value.map(str::trim);
        if value.is_some_and(|value| value.contains(char::is_control)) {
            return None;
        }
        Some(match value {
            Some(path) if name == "PATH" => format!(";PATH={}", path.replace('_', "%5F")),
            Some(value) => format!(";{name}={value}"),
            None => format!(";{name}"),
        })
    });
    attributes.collect()
}

/// The attributes of the twin: these, but with `SameSite=None` and with `Secure`, without which browsers refuse it.
pub(super) fn for_all_sites(attributes: &str) -> String {
    let others = attributes.split(';').skip(1);
    let others = others.filter(|attribute| *attribute != "SECURE" && !attribute.starts_with("SAMESITE"));
    others.map(|attribute| format!(";{attribute}")).chain([";SECURE;SAMESITE=None".to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_twelve_attributes_are_copied_and_no_others() {
        let line = b"s=1; Path=/; Port=\"80\"; Domain=.example.com; Secure; HttpOnly; Discard; Max-Age=60; \
                     Expires=Tue, 19 Jan 2038 03:14:07 GMT; Version=1; Comment=c; CommentURL=u; SameSite=Lax; \
                     Partitioned; Priority=High";
        assert_eq!(
            attributes(line),
            ";PATH=/;PORT=\"80\";DOMAIN=.example.com;SECURE;HTTPONLY;DISCARD;MAX-AGE=60;\
             EXPIRES=Tue, 19 Jan 2038 03:14:07 GMT;VERSION=1;COMMENT=c;COMMENTURL=u;SAMESITE=Lax"
        );
    }

    #[test]
    fn the_underscores_of_a_path_are_escaped() {
        assert_eq!(attributes(b"s_1=a_b; path=/my_path; comment=a_b"), ";PATH=/my%5Fpath;COMMENT=a_b");
    }

    #[test]
    fn an_attribute_with_a_control_character_is_not_copied() {
        assert_eq!(attributes(b"s=1; Path=/\rSet-Cookie: t=2; HttpOnly"), ";HTTPONLY");
        assert_eq!(attributes(b"s=1; Comment=a\0b; Domain=a\nb; Max-Age=6\x7f0; Path=/\tx; Secure\r"), ";SECURE");
    }

    #[test]
    fn a_cookie_without_attributes_has_none_to_copy() {
        assert_eq!(attributes(b"s=1"), "");
        assert_eq!(attributes(b"s=1;;  ; foo"), "");
    }

    #[test]
    fn a_line_that_ends_in_a_semicolon_is_ignored() {
        assert!(is_ignored(b"s=1; path=/;"));
        assert!(is_ignored(b"s=1; "));
        assert!(!is_ignored(b"s=1; path=/"));
    }

    #[test]
    fn the_twin_is_for_all_sites_and_secure() {
        assert_eq!(for_all_sites(""), ";SECURE;SAMESITE=None");
        assert_eq!(for_all_sites(";PATH=/;SECURE;SAMESITE=Strict;MAX-AGE=5"), ";PATH=/;MAX-AGE=5;SECURE;SAMESITE=None");
    }
}
