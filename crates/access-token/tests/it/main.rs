//! Tokens, the guard and the denylist, attacked.

mod denylist;
mod guard;
mod openapi;
mod support;
mod tokens;
