//! Tokens and the guard, attacked.

mod guard;
mod openapi;
mod support;
mod tokens;
