mod attributes;
mod empty_group;
mod lb_cookie;
mod route;
mod target_group;
