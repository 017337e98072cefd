//! The tools of the other tests, on real servers.

mod database;
mod documented_settings;
mod nginx_routes;
mod private_servers;
mod stack;
