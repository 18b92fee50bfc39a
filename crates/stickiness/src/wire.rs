//! Reads and writes cookies in the headers of requests and answers.

pub mod application_set_cookie;
pub(crate) mod cookie_date;
pub mod cookie_header;
pub mod set_cookie;
pub mod user_agent;
