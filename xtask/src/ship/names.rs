//! Shortens the names of the module's functions.
//!
//! Envoy prints the functions in which a VM crashed. The names of the filter's own functions keep their whole path, because they are to
//! lead to the source. Of a function of another crate only the crate is left: a panic says by itself where it happened, and every
//! worker reads all names at its start. Type arguments, traits and closures are left out.

use rustc_demangle::demangle;
use walrus::Module;

/// The crates whose functions keep their whole path.
const OWN: [&str; 3] = ["hostcalls", "stickiness", "sticky_sessions"];

/// Gives every function of the module its short name.
pub(super) fn shorten(module: &mut Module) {
    for function in module.funcs.iter_mut() {
        if let Some(name) = &mut function.name {
            *name = short(&format!("{:#}", demangle(name)));
        }
    }
}

/// Returns true if the function of this short name is one of the filter's own.
pub(super) fn is_of_the_filter(name: &str) -> bool {
    OWN.iter().any(|own| name.strip_prefix(own).is_some_and(|rest| rest.starts_with("::")))
}

/// The short name of a function that is called `name` in full.
fn short(name: &str) -> String {
    // Where one name stands for several functions, LLVM adds a number.
    let name = name.rsplit_once('.').filter(|(_, end)| is_number(end)).map_or(name, |(start, _)| start);
    let segments = segments(name);
    match segments.first() {
        Some(first) if !OWN.contains(&first.as_str()) => first.clone(),
        _ => segments.join("::"),
    }
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The segments of a path. A type in angle brackets counts as the segments of its own path.
fn segments(path: &str) -> Vec<String> {
    let mut segments: Vec<String> = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        let end = rest.find(['<', ':']).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        if !word.is_empty() && !word.starts_with('{') {
            segments.push(word.to_owned());
        }
        let Some((inside, after)) = bracketed(behind) else {
            rest = behind.trim_start_matches(':');
            // A type that is no path, such as a tuple, may hold anything.
            if rest.len() == behind.len() && !rest.is_empty() {
                return vec![path.to_owned()];
            }
            continue;
        };
        if segments.is_empty() {
            segments = self::segments(self_type(inside));
        }
        rest = after;
    }
    segments
}

/// The type of `Type as Trait`, or of `Trait for Type`.
fn self_type(inside: &str) -> &str {
    let inside = inside.trim_start_matches("impl ");
    let ty = match (top_level(inside, " as "), top_level(inside, " for ")) {
        (Some(at), _) => inside.get(..at),
        (None, Some(at)) => inside.get(at..).map(|rest| rest.trim_start_matches(" for ")),
        (None, None) => None,
    };
    ty.unwrap_or(inside).trim_start_matches(['&', '*']).trim_start_matches("mut ").trim_start_matches("dyn ")
}

/// Where `word` stands outside of all brackets.
fn top_level(text: &str, word: &str) -> Option<usize> {
    text.match_indices(word).map(|(at, _)| at).find(|at| {
        let before = text.get(..*at).unwrap_or_default().replace("->", "");
        before.matches('<').count() == before.matches('>').count()
    })
}

/// The text between the bracket that `text` starts with and its partner, and the text after that.
fn bracketed(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix('<')?;
    let mut depth = 1_usize;
    let mut before = ' ';
    for (at, character) in inside.char_indices() {
        match character {
            '<' => depth += 1,
            '>' if before != '-' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((inside.get(..at)?, inside.get(at + 1..)?));
        }
        before = character;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn becomes(name: &str, expected: &str) {
        assert_eq!(short(name), expected, "{name}");
    }

    #[test]
    fn a_function_of_the_filter_keeps_its_path() {
        becomes("stickiness::config::reader::Reader::fill", "stickiness::config::reader::Reader::fill");
        becomes(
            "<sticky_sessions::stream::Stream as proxy_wasm::traits::HttpContext>::on_http_request_headers",
            "sticky_sessions::stream::Stream::on_http_request_headers",
        );
    }

    #[test]
    fn of_a_function_of_another_crate_the_crate_is_left() {
        becomes("core::str::converts::from_utf8", "core");
        becomes("<alloc::vec::Vec<T> as core::clone::Clone>::clone", "alloc");
        becomes("<core::str::lossy::Utf8Chunks as core::iter::traits::iterator::Iterator>::next", "core");
        becomes("core::ptr::drop_in_place<stickiness::policy::CookieOptions>", "core");
        becomes("time::parsing::combinator::n_to_m_digits::<4, 6>::{closure#0}", "time");
        becomes("dlmalloc", "dlmalloc");
    }

    #[test]
    fn a_closure_is_named_like_the_function_that_it_stands_in() {
        becomes("stickiness::classic::copied::attributes::{{closure}}", "stickiness::classic::copied::attributes");
    }

    #[test]
    fn type_arguments_and_the_numbers_of_llvm_are_left_out() {
        becomes(
            "stickiness::slots::Slots<T>::find::<alloc::vec::Vec<T>, fn() -> u8>.284",
            "stickiness::slots::Slots::find",
        );
        becomes("<usize as core::fmt::Debug>::fmt.284", "usize");
        becomes("<&bool as core::fmt::Debug>::fmt", "bool");
    }

    #[test]
    fn a_type_that_is_no_path_stays() {
        becomes("<[T] as core::fmt::Debug>::fmt", "[T]");
        becomes("<(A,B) as core::fmt::Debug>::fmt", "(A,B)");
    }
}
