//! Tries the documents: every configuration, command and link in them works.

mod commands;
mod configurations;
mod links;
mod markdown;

pub(crate) use configurations::override_host;
