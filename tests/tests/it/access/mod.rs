//! Who may call what: every route of every running service, with every kind of token there is.

mod matrix;
mod properties;
mod routes;
mod tokens;
