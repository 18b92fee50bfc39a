use super::*;

fn warnings(json: &str) -> Vec<String> {
    Config::parse(json.as_bytes()).unwrap().warnings
}

/// The policies that are warned of.
fn warned_of(json: &str) -> Vec<String> {
    let warnings = warnings(json);
    warnings.iter().map(|warning| warning.split_once(": ").unwrap().0.to_owned()).collect()
}

const CLASSIC_APP: &str =
    r#""stickiness": {"type": "classic_app_cookie", "classic_app_cookie": {"cookie_name": "sid"}}"#;

#[test]
fn a_policy_whose_cookie_replaces_that_of_the_target_groups_is_warned_of_with_the_way_out() {
    assert_eq!(
        warnings(r#"{"target_groups": {"web": {}}, "policies": {"cart": {}}}"#),
        [
            "policies.cart: in a browser its cookie AWSALB and that of the target groups replace each other, so a client that uses both \
             has no session in either; give the policy a cookie.name or a cookie.path of its own, or the scope \"\", to share the \
             sessions"
        ]
    );
}

#[test]
fn two_policies_whose_cookies_replace_each_other_are_warned_of_once() {
    let both = r#"{"target_groups": {"web": {"stickiness.enabled": false}}, "policies": {"a": {"cookie.name": "LB"}, "b": {"cookie.name": "LB"}}}"#;
    let warnings = warnings(both);
    assert_eq!(warnings.len(), 1);
    assert!(
        warnings[0].starts_with("policies.b: in a browser its cookie LB and that of the scope \"a\" "),
        "{warnings:?}"
    );
}

#[test]
fn cookies_that_a_browser_keeps_apart_are_not_warned_of() {
    for policy in [
        r#""cookie.name": "CART""#,
        r#""cookie.path": "/cart""#,
        r#""cookie.domain": "example.com""#,
        r#""scope": """#,
        r#""stickiness.enabled": false"#,
        r#""stickiness.type": "app_cookie", "stickiness.app_cookie.cookie_name": "sid""#,
        r#""stickiness.type": "classic_lb_cookie""#,
        CLASSIC_APP,
    ] {
        assert_eq!(warnings(&format!(r#"{{"policies": {{"cart": {{{policy}}}}}}}"#)), [""; 0], "{policy}");
    }
    let followed = r#""stickiness.type": "app_cookie", "stickiness.app_cookie.cookie_name""#;
    let two = format!(r#"{{"policies": {{"shop": {{{followed}: "s"}}, "blog": {{{followed}: "b"}}}}}}"#);
    assert_eq!(warnings(&two), [""; 0]);
}

#[test]
fn two_policies_whose_cookies_follow_applications_need_names_because_a_path_changes_nothing() {
    let policies = |cookie: &str| {
        format!(r#"{{"policies": {{"a": {{{CLASSIC_APP}}}, "b": {{{CLASSIC_APP}, "cookie": {cookie}}}}}}}"#)
    };
    let warnings_of_path = warnings(&policies(r#"{"path": "/b"}"#));
    let [without_effect, warning] = warnings_of_path.as_slice() else { panic!("{warnings_of_path:?}") };
    assert!(without_effect.starts_with("policies.b.cookie.path: has no effect"), "{without_effect}");
    assert!(warning.starts_with("policies.b: in a browser its cookie AWSELB "), "{warning}");
    assert!(warning.contains("give the policy a cookie.name of its own, or"), "{warning}");
    assert_eq!(warnings(&policies(r#"{"name": "B"}"#)), [""; 0]);
}

#[test]
fn no_more_than_ten_policies_are_warned_of() {
    let policies: Vec<String> = (10..40).map(|number| format!(r#""p{number}": {{}}"#)).collect();
    let warned = warned_of(&format!(r#"{{"policies": {{{}}}}}"#, policies.join(", ")));
    assert_eq!((warned.len(), warned[0].as_str()), (10, "policies.p10"));
}
