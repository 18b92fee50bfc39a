//! The cookies of each type of stickiness: when they pin a request, and when a client is given new ones.

pub(crate) mod app_cookie;
pub(crate) mod classic;
pub(crate) mod group_cookie;
pub(crate) mod issuer;
pub(crate) mod lb_cookie;
pub(crate) mod line_cache;
pub mod names;
pub(crate) mod reading;
pub(crate) mod renewal;
pub(crate) mod target_cookie;
