//! Codes for the day the phone is lost: ten, shown once, each good once.

use ring::digest::{SHA256, digest};
use ring::rand::SecureRandom;

use crate::random::{self, NoRandomness};

const COUNT: usize = 10;

/// Without characters that are easily confused.
const ALPHABET: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";

/// 79 bits: too many to be guessed from the hashes, so that these need no slow hash and no salt.
const CHARACTERS: usize = 16;

/// New codes as they are shown: four groups of four characters.
pub(super) fn generate(random: &dyn SecureRandom) -> Result<Vec<String>, NoRandomness> {
    let code = || random::text(random, ALPHABET, CHARACTERS);
    (0..COUNT).map(|_| Ok(grouped(&code()?))).collect()
}

/// What is kept of a code; the same however it is typed. `None` for what can be no recovery code.
pub(super) fn hash(typed: &str) -> Option<Vec<u8>> {
    let code: String = typed
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let valid = code.len() == CHARACTERS && code.bytes().all(|byte| ALPHABET.contains(&byte));
    valid.then(|| digest(&SHA256, code.as_bytes()).as_ref().to_vec())
}

fn grouped(code: &str) -> String {
    let groups: Vec<&str> = (0..CHARACTERS).step_by(4).map(|at| &code[at..at + 4]).collect();
    groups.join("-")
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;

    use super::*;

    #[test]
    fn ten_codes_differ_and_are_known_however_they_are_typed() {
        let codes = generate(&SystemRandom::new()).unwrap();
        let hashes: std::collections::BTreeSet<_> = codes.iter().map(|code| hash(code).unwrap()).collect();
        assert_eq!(hashes.len(), 10);
        let code = &codes[0];
        assert_eq!(code.len(), 19);
        assert_eq!(hash(&code.to_uppercase()), hash(code));
        assert_eq!(hash(&code.replace('-', " ")), hash(code));
        for no_code in ["", "123456", "oooo-oooo-oooo-oooo", &format!("{code}a")] {
            assert_eq!(hash(no_code), None, "{no_code}");
        }
    }
}
