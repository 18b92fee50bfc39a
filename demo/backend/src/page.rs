//! Renders the page as HTML. It is complete without JavaScript: the script only adds what the browser alone knows.

use std::borrow::Cow;

use crate::listener::{Listener, Ports};
use crate::login::MAX_USER;
use crate::template::{escape, fill};
use crate::visitor::Visitor;
use crate::words::{Language, WORDS_JSON};

// One document without further requests: another instance could answer a request for a style or a script, and the page would not
// show that response.
const PAGE: &str = include_str!("page/page.html");
const LANE: &str = include_str!("page/lane.html");
const STYLE: [&str; 3] =
    [include_str!("page/theme.css"), include_str!("page/page.css"), include_str!("page/details.css")];

/// The parts of the script, each after the parts that it needs while it loads.
pub(crate) const SCRIPT: [&str; 12] = [
    include_str!("page/elements.js"),
    include_str!("page/memory.js"),
    include_str!("page/words.js"),
    include_str!("page/jar.js"),
    include_str!("page/lanes.js"),
    include_str!("page/pin.js"),
    include_str!("page/cookies.js"),
    include_str!("page/chart.js"),
    include_str!("page/instances.js"),
    include_str!("page/socket.js"),
    include_str!("page/clicks.js"),
    include_str!("page/start.js"),
];

/// The templates that have places for words.
#[cfg(test)]
pub(crate) const TEMPLATES: [&str; 2] = [PAGE, LANE];

/// The words that this file uses outside of these places.
#[cfg(test)]
pub(crate) const SPOKEN: [&str; 8] = [
    "title",
    "lead_pinned",
    "lead_answer",
    "nobody_logged_in",
    "logged_in",
    "does_not_know_you",
    "lane_sticky",
    "lane_plain",
];

/// The number of colours in `theme.css` (`.hue-0` and so on). `lanes.js` has the same number.
const HUES: usize = 6;

/// The data of the page for one request.
pub(crate) struct Page<'a> {
    /// The name of the instance that answers.
    pub(crate) instance: &'a str,
    /// The listener that received the request.
    pub(crate) listener: Listener,
    /// The ports of the listeners.
    pub(crate) ports: Ports,
    /// The visitor, as this instance knows it.
    pub(crate) visitor: &'a Visitor,
    /// The language of the page. The script may change it.
    pub(crate) language: Language,
}

impl Page<'_> {
    /// The whole document. The user name is the only value from outside, and it is escaped here.
    pub(crate) fn render(&self) -> String {
        fill(PAGE, |place| self.word(place).or_else(|| self.value(place)))
    }

    /// `{{word:key}}` becomes a text and `{{label:key}}` an attribute. Both are marked, so that the script can translate them.
    fn word(&self, place: &str) -> Option<Cow<'_, str>> {
        let (kind, key) = place.split_once(':')?;
        let said = escape(&self.language.say(key, &[])?);
        Some(match kind {
            "word" => format!(r#"<span data-word="{key}">{said}</span>"#).into(),
            "label" => format!(r#"aria-label="{said}" data-label="{key}""#).into(),
            _ => return None,
        })
    }

    fn value(&self, place: &str) -> Option<Cow<'_, str>> {
        let (logged_in, logged_out) = if self.visitor.user().is_some() { ("", HIDDEN) } else { (HIDDEN, "") };
        Some(match place {
            "style" => STYLE.concat().into(),
            "script" => format!("const WORDS = {WORDS_JSON};\n{}", SCRIPT.join("\n")).into(),
            "language" => self.language.tag().into(),
            "title" => self.say("title", &[("instance", self.instance)]).into(),
            "instance" => self.instance.into(),
            "hue" => hue(self.instance).to_string().into(),
            "listener" => self.listener.name().into(),
            "user" => escape(self.visitor.user().unwrap_or_default()).into(),
            "session" => self.visitor.session().into(),
            "sticky_port" => self.ports.sticky.to_string().into(),
            "plain_port" => self.ports.plain.to_string().into(),
            "sticky_current" => self.current(Listener::Sticky).into(),
            "plain_current" => self.current(Listener::Plain).into(),
            "lead" => self.lead().into(),
            "account" => self.account().into(),
            "logged_in" => logged_in.into(),
            "logged_out" => logged_out.into(),
            "max_user" => MAX_USER.to_string().into(),
            "lanes" => self.lanes().into(),
            _ => return None,
        })
    }

    /// A sentence as HTML. An unknown key stays as a place, which a test finds.
    fn say(&self, key: &str, values: &[(&str, &str)]) -> String {
        escape(&self.language.say(key, values).unwrap_or_else(|| format!("{{{{{key}}}}}")))
    }

    fn lead(&self) -> String {
        match self.listener {
            Listener::Sticky => self.say("lead_pinned", &[]),
            Listener::Plain => self.say("lead_answer", &[]),
        }
    }

    fn account(&self) -> String {
        match (self.visitor.user(), self.visitor) {
            (Some(user), _) => self.say("logged_in", &[("user", user)]),
            (None, Visitor::Unknown) => self.say("does_not_know_you", &[("instance", self.instance)]),
            (None, _) => self.say("nobody_logged_in", &[]),
        }
    }

    /// Both lanes, first that of the listener that received the request.
    fn lanes(&self) -> String {
        let order = match self.listener {
            Listener::Sticky => [Listener::Sticky, Listener::Plain],
            Listener::Plain => [Listener::Plain, Listener::Sticky],
        };
        order.map(|listener| self.lane(listener)).concat()
    }

    fn lane(&self, listener: Listener) -> String {
        let name = match listener {
            Listener::Sticky => "word:lane_sticky",
            Listener::Plain => "word:lane_plain",
        };
        fill(LANE, |place| match place {
            "lane" => Some(listener.name().into()),
            "name" => self.word(name),
            "port" => Some(self.ports.of(listener).to_string().into()),
            "own" => Some(if listener == self.listener { " data-own" } else { "" }.into()),
            _ => self.word(place),
        })
    }

    /// Marks the link to the listener that received the request.
    fn current(&self, listener: Listener) -> &'static str {
        if listener == self.listener { r#" aria-current="page""# } else { "" }
    }
}

const HIDDEN: &str = " hidden";

/// The colour of an instance. It is the same in every process, and differs between neighbouring letters and numbers.
fn hue(instance: &str) -> usize {
    instance.bytes().map(usize::from).sum::<usize>() % HUES
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::login::Login;

    fn page(listener: Listener, visitor: &Visitor, language: Language) -> String {
        Page { instance: "a", listener, ports: Ports { sticky: 20000, plain: 20001 }, visitor, language }.render()
    }

    #[test]
    fn every_place_in_the_templates_has_a_value() {
        let alice = Visitor::Known(Some(Login { user: "alice".to_owned() }));
        for visitor in [Visitor::New, Visitor::Unknown, alice] {
            for listener in [Listener::Sticky, Listener::Plain] {
                for language in [Language::English, Language::Korean] {
                    assert!(!page(listener, &visitor, language).contains("{{"));
                }
            }
        }
    }

    #[test]
    fn the_lane_of_the_reader_comes_first() {
        for (listener, first) in [(Listener::Sticky, "lane-sticky"), (Listener::Plain, "lane-plain")] {
            let html = page(listener, &Visitor::New, Language::English);
            assert_eq!(html.find("<article id=\"lane-"), html.find(&format!("<article id=\"{first}\"")));
        }
    }

    #[test]
    fn the_page_is_in_the_requested_language() {
        let korean = page(Listener::Sticky, &Visitor::New, Language::Korean);
        assert!(korean.contains("<html lang=\"ko\">"));
        assert!(korean.contains(&Language::Korean.say("nobody_logged_in", &[]).unwrap()));
    }

    #[test]
    fn the_first_instances_have_distinct_colours() {
        let mut hues: Vec<_> = ["a", "b", "c", "d", "e", "f"].map(hue).into();
        hues.sort_unstable();
        hues.dedup();
        assert_eq!(hues.len(), HUES);
    }
}
