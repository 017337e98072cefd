//! Entities, one module a table.

pub mod dead_letter;
pub mod enums;
pub mod event_gap;
pub mod login_attempt;
pub mod portal_recovery_code;
pub mod portal_refresh_token;
pub mod portal_role;
pub mod portal_session;
pub mod portal_user;
pub mod portal_user_role;
pub mod portal_user_totp;
pub mod server_api_key;
pub mod server_boot;
pub mod session_command;
pub mod token_signing_key;
pub mod unmatched_event;
pub mod vpn_denial;
pub mod vpn_event;
pub mod vpn_server;
pub mod vpn_server_state;
pub mod vpn_session;
pub mod vpn_user;
pub mod vpn_user_ccd;
pub mod vpn_user_certificate;
pub mod vpn_user_route;
