//! Randomness for secrets, from a source that the caller gives.

use ring::rand::SecureRandom;

#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the operating system gives no randomness")]
pub struct NoRandomness;

/// `N` random bytes.
pub(crate) fn bytes<const N: usize>(random: &dyn SecureRandom) -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    random.fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// `length` characters of an ASCII alphabet, each equally likely.
pub(crate) fn text(random: &dyn SecureRandom, alphabet: &[u8], length: usize) -> Result<String, NoRandomness> {
    // Bytes at or above the largest multiple of the alphabet's size would favour its first characters.
    let fair = 256 / alphabet.len() * alphabet.len();
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let [byte] = bytes::<1>(random)?;
        let index = usize::from(byte);
        if index < fair {
            text.push(char::from(alphabet[index % alphabet.len()]));
        }
    }
    Ok(text)
}
