mod attributes;
mod cost;
mod empty_group;
mod lb_cookie;
mod route;
mod target_group;
