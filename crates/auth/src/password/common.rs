//! The passwords that are tried first.

use zxcvbn::matching::patterns::MatchPattern;
use zxcvbn::zxcvbn;

/// How many of the commonest words and passwords are refused, in any spelling.
const COMMONEST: usize = 10_000;

/// A password that zxcvbn's attacker finds with fewer guesses is one of the commonest with a trifle put to it, such as
/// `Password1!` (17,560). What people think of by themselves takes millions.
const FEW_GUESSES: u64 = 100_000;

/// Whether a password is one of the 10,000 commonest, whatever its case, with letters written as digits or signs, or
/// reversed; or is about as easily guessed. The lists are those of the zxcvbn crate: passwords from leaks, names, words.
pub(super) fn is_common(password: &str) -> bool {
    let estimate = zxcvbn(password, &[]);
    if estimate.guesses() < FEW_GUESSES {
        return true;
    }
    match estimate.sequence() {
        [whole] => matches!(&whole.pattern, MatchPattern::Dictionary(word) if word.rank <= COMMONEST),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_passwords_are_known_in_every_spelling() {
        for password in [
            "password",
            "P@ssw0rd",
            "Pa$$w0rd1",
            "Passw0rd!",
            "Password1!",
            "Qwerty123!",
            "drowssaP",
        ] {
            assert!(is_common(password), "{password}");
        }
    }

    #[test]
    fn passwords_that_people_think_of_themselves_are_not_common() {
        for password in ["Correct-h0rse", "SecurePass123!", "K9$mountain-Lake"] {
            assert!(!is_common(password), "{password}");
        }
    }
}
