//! What are the functions of the module called when it ships?
//!
//! Envoy prints a crash with the names of the functions that it went through. They are to lead to the source, and every worker
//! reads them at its start: of the filter's own functions the whole path is kept, of others the crate, the type and the function.
//! Type arguments, traits and closures are left out.

use rustc_demangle::demangle;
use walrus::Module;

/// The crates whose functions keep their whole path.
const OWN: [&str; 2] = ["stickiness", "sticky_sessions"];

/// The function whose type argument is what tells it from the others of this name.
const NAMED_BY_ITS_ARGUMENT: &str = "drop_in_place";

/// Gives every function of the module its short name.
pub(super) fn shorten(module: &mut Module) {
    for function in module.funcs.iter_mut() {
        if let Some(name) = &mut function.name {
            *name = short(&format!("{:#}", demangle(name)));
        }
    }
}

/// Whether the function of this short name is one of the filter's own.
pub(super) fn is_of_the_filter(name: &str) -> bool {
    OWN.iter().any(|own| name.strip_prefix(own).is_some_and(|rest| rest.starts_with("::")))
}

/// The short name of a function that is called `name` in full.
fn short(name: &str) -> String {
    // Where one name stands for several functions, LLVM adds a number.
    let name = name.rsplit_once('.').filter(|(_, end)| is_number(end)).map_or(name, |(start, _)| start);
    let segments = segments(name);
    let [first, .., parent, last] = segments.as_slice() else {
        return segments.join("::");
    };
    if OWN.contains(&first.as_str()) {
        segments.join("::")
    } else if parent.starts_with(char::is_uppercase) && parent != first {
        format!("{first}::{parent}::{last}")
    } else {
        format!("{first}::{last}")
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
            // What is no path, such as a tuple, may hold anything.
            if rest.len() == behind.len() && !rest.is_empty() {
                return vec![path.to_owned()];
            }
            continue;
        };
        match segments.last_mut() {
            None => segments = self::segments(self_type(inside)),
            Some(last) if last == NAMED_BY_ITS_ARGUMENT => {
                let argument = self::segments(inside.trim_start_matches("dyn ")).pop().unwrap_or_default();
                *last = format!("{last}<{argument}>");
            }
            // `core::str::<impl str>::contains`.
            Some(_) if let Some(inherent) = inside.strip_prefix("impl ") => {
                segments.extend(self::segments(self_type(inherent)).pop());
            }
            Some(_) => {}
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

/// What stands between the bracket that `text` starts with and its partner, and what comes after that.
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
    fn a_function_of_another_crate_keeps_crate_type_and_name() {
        becomes("core::str::converts::from_utf8", "core::from_utf8");
        becomes(
            "alloc::collections::btree::node::BalancingContext<K,V>::do_merge",
            "alloc::BalancingContext::do_merge",
        );
        becomes("<alloc::vec::Vec<T> as core::clone::Clone>::clone", "alloc::Vec::clone");
        becomes(
            "<core::str::lossy::Utf8Chunks as core::iter::traits::iterator::Iterator>::next",
            "core::Utf8Chunks::next",
        );
        becomes("dlmalloc", "dlmalloc");
    }

    #[test]
    fn a_closure_is_named_like_the_function_that_it_stands_in() {
        becomes("stickiness::classic::copied::attributes::{{closure}}", "stickiness::classic::copied::attributes");
        becomes("time::parsing::combinator::n_to_m_digits::<4, 6>::{closure#0}", "time::n_to_m_digits");
    }

    #[test]
    fn type_arguments_and_the_numbers_of_llvm_are_left_out() {
        becomes("core::iter::adapters::try_process::<alloc::vec::Vec<T>, fn() -> u8>", "core::try_process");
        becomes("<usize as core::fmt::Debug>::fmt.284", "usize::fmt");
        becomes("<&bool as core::fmt::Debug>::fmt", "bool::fmt");
    }

    #[test]
    fn methods_that_an_implementation_adds_are_named_by_their_type() {
        becomes("core::str::<impl str>::contains", "core::contains");
        becomes(
            "alloc::collections::btree::remove::<impl alloc::collections::btree::node::Handle<A<K>,B>>::remove_leaf_kv",
            "alloc::Handle::remove_leaf_kv",
        );
    }

    #[test]
    fn what_is_dropped_in_place_is_told() {
        becomes("core::ptr::drop_in_place<stickiness::policy::CookieOptions>", "core::drop_in_place<CookieOptions>");
        becomes("core::ptr::drop_in_place::<dyn proxy_wasm::traits::HttpContext>", "core::drop_in_place<HttpContext>");
    }

    #[test]
    fn what_is_no_path_stays() {
        becomes("<[T] as core::fmt::Debug>::fmt", "[T]::fmt");
        becomes("<(A,B) as core::fmt::Debug>::fmt", "(A,B)::fmt");
    }
}
