//! What must be true of whatever the agent reads, from the daemon, from disk or from the product, whoever wrote it.
//!
//! Stated once: the fuzzer looks for input that breaks it (`make fuzz`), and every test run replays what the fuzzer has kept
//! (`fuzz/corpus`) and what real daemons have written.

mod certificates;
mod commands;
mod config;
mod hooks;
mod management;
mod sessions;
mod spool;
mod status;

/// A property of one kind of input; it panics where that does not hold.
pub type Property = fn(&[u8]);

/// All of them, by the names of the fuzz targets and of their folders in the corpus.
pub const PROPERTIES: [(&str, Property); 12] = [
    ("certificate_index", certificates::certificate_index),
    ("client_config", config::client_config),
    ("command_record", commands::command_record),
    ("commands_answer", commands::commands_answer),
    ("denials", commands::denials),
    ("environment", hooks::environment),
    ("management", management::management),
    ("revocation_list", certificates::revocation_list),
    ("server_config", config::server_config),
    ("sessions", sessions::sessions),
    ("spool_records", spool::spool_records),
    ("status", status::status),
];

/// Holds the property of this name to an input.
///
/// # Panics
/// When it does not hold, or there is none of this name.
pub fn hold(name: &str, input: &[u8]) {
    let (_, property) = PROPERTIES
        .iter()
        .find(|(known, _)| *known == name)
        .expect("it is in the table");
    property(input);
}

/// As the agent reads text: whatever is not UTF-8 in it is marked.
fn text(input: &[u8]) -> String {
    String::from_utf8_lossy(input).into_owned()
}
