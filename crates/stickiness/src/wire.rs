//! How cookies are written: in requests, in answers, and in the answers of applications.

pub mod application_set_cookie;
pub mod cookie_header;
pub mod set_cookie;
pub mod user_agent;
