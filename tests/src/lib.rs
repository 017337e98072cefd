//! Nothing to use: this crate holds the tests of the whole stack, in `tests/it`.
