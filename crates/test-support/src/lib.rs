//! Real servers and real processes for tests, and the words to tell a story with them:
//! `stack.agent("vpn-1").connects("jdoe").at("12:00:00").await`. Development only; everything here panics rather than
//! return errors, because its callers are tests.

mod agent;
mod api;
mod command;
mod contains;
mod database;
mod entrance;
mod eventually;
mod held;
mod http;
mod nats;
mod nginx;
mod ports;
mod private_servers;
mod process;
mod realtime;
mod redis;
mod roles;
mod servers;
mod stack;
mod stack_builder;
mod story_event;
mod unique;

pub use agent::Agent;
pub use api::Api;
pub use command::{run_binary, try_script};
pub use contains::contains;
pub use database::TestDatabase;
pub use entrance::PORTAL_PASSWORD;
pub use eventually::{eventually, eventually_within};
pub use held::HeldTransaction;
pub use http::{Reply, http_client};
pub use nats::nats_request;
pub use nginx::Nginx;
pub use ports::free_port;
pub use private_servers::{PrivateServer, PrivateServers};
pub use process::Process;
pub use realtime::{Closed, LiveList, Socket, SocketRequest};
pub use redis::redis_command;
pub use servers::{SharedServers, shared_servers};
pub use stack::Stack;
pub use stack_builder::StackBuilder;
pub use story_event::StoryEvent;
pub use unique::{new_uuid, now, test_namespace};
