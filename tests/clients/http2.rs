//! A client that splits its cookies into several fields, as HTTP/2 allows and browsers do (RFC 9113, section 8.2.3).

use stickiness::outcome::Outcome;

use harness::{LoadBalancer, forge};

use crate::packages::python;
use crate::program;

/// Sends these cookies, and returns the number of fields and the target that answered.
#[track_caller]
fn ask(lb: &LoadBalancer, cookies: &[&str]) -> (usize, String) {
    let mut client = python("python/crumbs.py");
    let answer = program::output(client.arg(lb.sticky.port().to_string()).arg(cookies.join("; ")));
    let (fields, target) = answer.trim_end().split_once(' ').unwrap();
    (fields.parse().unwrap(), target.to_owned())
}

#[test]
fn our_cookie_is_found_in_whichever_field_it_is() {
    let lb = LoadBalancer::shipped();
    for name in ["AWSALB", "AWSALBCORS"] {
        for target in ["a", "b"] {
            let index = usize::from(target == "b");
            let ours = format!("{name}={}", forge("web", &lb.targets[index].name_in_envoy(), 0));
            for place in 0..3 {
                let mut cookies = vec!["theme=dark", "language=en"];
                cookies.insert(place, &ours);
                assert_eq!(ask(&lb, &cookies), (3, target.to_owned()), "{cookies:?}");
            }
        }
    }
    assert_eq!(lb.counted(Outcome::Pinned), 12);
}

#[test]
fn when_several_fields_have_our_cookie_the_one_that_opens_pins() {
    let lb = LoadBalancer::shipped();
    for target in &lb.targets {
        let good = format!("AWSALB={}", forge("web", &target.name_in_envoy(), 0));
        for cookies in [["AWSALB=broken", &good, "theme=dark"], [&good, "theme=dark", "AWSALB=broken"]] {
            let (fields, answered) = ask(&lb, &cookies);
            assert!(fields == 3 && target.is_named(&answered), "{cookies:?}: {fields} {answered}");
        }
    }
    assert_eq!(lb.counted(Outcome::Pinned), 4);
}

#[test]
fn the_target_gets_the_cookies_of_all_fields_in_one_line() {
    let lb = LoadBalancer::shipped();
    let ours = format!("AWSALB={}", forge("web", &lb.targets[0].name_in_envoy(), 0));
    assert_eq!(ask(&lb, &["theme=dark", &ours, "language=en"]), (3, "a".to_owned()));
    let heads = lb.targets[0].received();
    let lines: Vec<&str> = heads[0].lines().filter(|line| line.starts_with("cookie:")).collect();
    assert_eq!(lines, [format!("cookie: theme=dark; {ours}; language=en")]);
}
