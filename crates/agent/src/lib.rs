//! Stands beside an OpenVPN daemon: collects what it says of its sessions, keeps it on disk, brings it to the product.

pub mod check;
pub mod client;
pub mod clock;
pub mod commands;
pub mod config;
pub mod core;
mod files;
pub mod health;
pub mod heartbeat;
pub mod hook;
pub mod inbox;
pub mod inventory;
pub mod local;
pub mod log;
pub mod management;
pub mod passthrough;
pub mod report;
pub mod run;
pub mod sender;
pub mod spool;
pub mod systemd;
pub mod tracker;
