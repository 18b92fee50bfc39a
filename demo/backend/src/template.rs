//! Fills templates with places such as `{{name}}`, and escapes text for HTML.

use std::borrow::Cow;

/// Replaces each `{{name}}` with a value, in one pass: a value that looks like a place stays as it is.
///
/// A place without a value also stays, and a test finds it.
pub(crate) fn fill<'a>(template: &str, value: impl Fn(&str) -> Option<Cow<'a, str>>) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        filled.push_str(before);
        let Some((name, after)) = after.split_once("}}") else {
            filled.push_str("{{");
            rest = after;
            break;
        };
        match value(name) {
            Some(value) => filled.push_str(&value),
            None => filled.extend(["{{", name, "}}"]),
        }
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// Escapes a text for HTML content and quoted attributes.
pub(crate) fn escape(text: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_looks_like_a_place_is_not_filled_again() {
        assert_eq!(fill("<{{a}}>", |name| (name == "a").then_some("{{b}}".into())), "<{{b}}>");
    }

    #[test]
    fn a_place_without_a_value_stays() {
        assert_eq!(fill("{{a}} and {{", |_| None), "{{a}} and {{");
    }

    #[test]
    fn markup_in_a_text_is_shown_as_text() {
        assert_eq!(escape(r#"<a b="c" d='&'>"#), "&lt;a b=&quot;c&quot; d=&#39;&amp;&#39;&gt;");
    }
}
