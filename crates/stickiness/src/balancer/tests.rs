mod attributes;
mod empty_group;
mod forgeries;
mod lb_cookie;
mod newest;
mod route;
mod scope;
mod target_group;
