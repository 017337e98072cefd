//! Replays what the fuzzer has kept, and what real daemons have written.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use properties::{PROPERTIES, hold};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}

/// What cannot be held to its property; the reason stands above, as the panic has said it.
fn broken(name: &str, files: &[PathBuf]) -> Vec<PathBuf> {
    let holds = |path: &PathBuf| catch_unwind(AssertUnwindSafe(|| hold(name, &fs::read(path).unwrap()))).is_ok();
    files.iter().filter(|path| !holds(path)).cloned().collect()
}

#[test]
fn what_the_fuzzer_has_kept_holds() {
    for (name, _) in PROPERTIES {
        let kept = files(&repository().join("fuzz/corpus").join(name));
        assert!(!kept.is_empty(), "{name} has a corpus");
        assert_eq!(broken(name, &kept), [] as [PathBuf; 0], "{name}");
    }
}

#[test]
fn what_real_daemons_have_written_holds_for_every_reader() {
    let of = |recordings: &str| files(&repository().join("tests/fixtures").join(recordings));
    let recorded = [of("openvpn"), of("openvpn-releases")].concat();
    for (name, _) in PROPERTIES {
        assert_eq!(broken(name, &recorded), [] as [PathBuf; 0], "{name}");
    }
}

#[test]
fn each_property_is_fuzzed_and_each_corpus_is_replayed() {
    let named = |folder: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(repository().join("fuzz").join(folder)).unwrap();
        let names = entries.map(|entry| entry.unwrap().path());
        names
            .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
            .collect()
    };
    let properties: BTreeSet<String> = PROPERTIES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(named("corpus"), properties);
    assert_eq!(named("fuzz_targets"), properties);
}
