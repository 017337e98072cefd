//! The schema's steps and the services' database roles, on real servers.

mod private_servers;
mod service_roles;
