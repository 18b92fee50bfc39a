//! The page as HTML, complete without JavaScript: the script only adds what the browser alone knows.

use crate::login::{Login, MAX_USER};

/// One document, because a second request for a style or a script might be answered by another instance and would be
/// missing from the row of answers.
const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

const LOGGED_IN: &str = include_str!("logged_in.html");
const NOBODY: &str = include_str!("nobody.html");

/// How many colours `page.css` has (`.hue-0` and so on); `page.js` counts with the same number.
const HUES: usize = 6;

/// Which of Envoy's listeners a request came through.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Listener {
    /// The one with the filter, and also a request that went past Envoy.
    Sticky,
    /// The one that spreads requests over the instances.
    Plain,
}

/// What the page shows of one request.
pub(crate) struct Page<'a> {
    /// The name of the instance that answers.
    pub(crate) instance: &'a str,
    /// Where the request came through.
    pub(crate) listener: Listener,
    /// Who this instance knows the browser to be.
    pub(crate) login: Option<Login>,
    /// Whether the browser sent a session cookie that this instance does not know.
    pub(crate) unknown_session: bool,
    /// Seconds since 1970.
    pub(crate) now: u64,
}

impl Page<'_> {
    /// The whole document. Only the user name comes from outside, and it is escaped here.
    pub(crate) fn render(&self) -> String {
        let user = self.login.as_ref().map_or_else(String::new, |login| escape(&login.user));
        let account = match &self.login {
            Some(login) => fill(
                LOGGED_IN,
                &[
                    ("user", &user),
                    ("time", &time_of_day(login.since)),
                    ("age", &age(self.now.saturating_sub(login.since))),
                    ("instance", self.instance),
                ],
            ),
            None => fill(NOBODY, &[("instance", self.instance), ("max_user", &MAX_USER.to_string())]),
        };
        // The script knows more: who logged in, and where.
        let notice = if self.unknown_session {
            format!(
                "This browser sent a session cookie that instance {} has never heard of: \
                 a session lives in the memory of the instance that took the login.",
                self.instance
            )
        } else {
            String::new()
        };
        let (listener, sticky, plain, routing) = match self.listener {
            Listener::Sticky => {
                ("sticky", CURRENT, "", "With stickiness: Envoy sends this browser to the same instance again.")
            }
            Listener::Plain => {
                ("plain", "", CURRENT, "Without stickiness: Envoy sends every request to the next instance.")
            }
        };
        fill(
            TEMPLATE,
            &[
                ("style", STYLE),
                ("script", SCRIPT),
                ("instance", self.instance),
                ("hue", &hue(self.instance).to_string()),
                ("listener", listener),
                ("sticky_current", sticky),
                ("plain_current", plain),
                ("routing", routing),
                ("user", &user),
                ("cookie", if self.unknown_session { "unknown" } else { "" }),
                ("notice", &notice),
                ("account", &account),
            ],
        )
    }
}

/// Marks the listener that the reader looks at.
const CURRENT: &str = r#" aria-current="page""#;

/// Puts the values in the places of `{{name}}`, in one pass: a value that looks like a place stays as it is.
///
/// A place without a value stays as well, where a test finds it.
fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        filled.push_str(before);
        let Some((name, after)) = after.split_once("}}") else {
            filled.push_str("{{");
            rest = after;
            break;
        };
        match values.iter().find(|(key, _)| *key == name) {
            Some((_, value)) => filled.push_str(value),
            None => filled.extend(["{{", name, "}}"]),
        }
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// Makes a text harmless between tags and in a quoted attribute.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// The colour of an instance: the same in every process, and another one for the next letter or number.
fn hue(instance: &str) -> usize {
    instance.bytes().map(usize::from).sum::<usize>() % HUES
}

/// `10:18:05 UTC` of a number of seconds since 1970.
fn time_of_day(seconds: u64) -> String {
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{hour:02}:{minute:02}:{second:02} UTC")
}

/// A number of seconds as somebody would say it, with its largest unit only.
fn age(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_in_the_templates_has_a_value() {
        for user in [None, Some("alice".to_owned())] {
            let page = Page {
                instance: "a",
                listener: Listener::Plain,
                login: user.map(|user| Login { user, since: 0 }),
                unknown_session: true,
                now: 0,
            };
            assert!(!page.render().contains("{{"));
        }
    }

    #[test]
    fn a_value_that_looks_like_a_place_is_not_filled_again() {
        assert_eq!(fill("<{{a}}>", &[("a", "{{b}}"), ("b", "no")]), "<{{b}}>");
    }

    #[test]
    fn the_first_instances_have_distinct_colours() {
        let mut hues: Vec<_> = ["a", "b", "c", "d", "e", "f"].map(hue).into();
        hues.sort_unstable();
        hues.dedup();
        assert_eq!(hues.len(), HUES);
    }

    #[test]
    fn a_time_of_day_has_two_digits_each() {
        assert_eq!(time_of_day(1_790_000_105), "14:15:05 UTC");
    }

    #[test]
    fn an_age_is_told_in_its_largest_unit() {
        assert_eq!([59, 60, 3600, 86400].map(age), ["59 s", "1 min", "1 h", "1 d"]);
    }
}
