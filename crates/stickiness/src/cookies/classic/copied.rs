//! Copies attributes from the application's cookie to the stickiness cookie.

use crate::wire::application_set_cookie;

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
    let mut copied = String::new();
    for (name, value) in application_set_cookie::attributes(line) {
        let Some(name) = COPIED.iter().find(|known| known.as_bytes().eq_ignore_ascii_case(name)) else { continue };
        let value = value.map(String::from_utf8_lossy);
        if value.as_ref().is_some_and(|value| value.contains(char::is_control)) {
            continue;
        }
        copied.extend([";", *name]);
        match value {
            Some(path) if *name == "PATH" => copied.extend(["=", &path.replace('_', "%5F")]),
            Some(value) => copied.extend(["=", &*value]),
            None => {}
        }
    }
    copied
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
        assert_eq!(attributes(b"s=1; Comment=a\0b; Domain=a\nb; Max-Age=6\x7f0; Path=/\tx; Secure"), ";SECURE");
    }

    #[test]
    fn a_name_that_user_agents_do_not_know_is_not_copied() {
        assert_eq!(
            attributes("s=1; \u{a0}Path=/; Secure\r; HttpOnly\u{b}; =; Path ; DOMAIN=".as_bytes()),
            ";PATH;DOMAIN="
        );
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
