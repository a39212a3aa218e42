//! A check that a secret from outside looks random.

/// The least number of different bytes in a secret.
///
/// The chance that a random secret has fewer is below 10^-7 for 32 decimal digits, 10^-12 for 32 hexadecimal digits,
/// 10^-32 for 43 characters of base64url, and 10^-50 for 32 bytes.
const DIFFERENT_BYTES_MIN: usize = 6;

/// Whether `secret` has fewer than 6 different bytes, or repeats one shorter text. The length is not checked.
pub fn is_weak(secret: &[u8]) -> bool {
    let mut seen = [false; 256];
    for byte in secret {
        if let Some(seen) = seen.get_mut(usize::from(*byte)) {
            *seen = true;
        }
    }
    let different = seen.iter().filter(|seen| **seen).count();
    different < DIFFERENT_BYTES_MIN || repeats(secret)
}

/// Whether `secret` is a repetition of a text of at most half its length.
fn repeats(secret: &[u8]) -> bool {
    let longest = secret.len().div_euclid(2);
    (1..=longest).any(|period| secret.iter().zip(secret.iter().skip(period)).all(|(a, b)| a == b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;
    use proptest::prelude::*;

    #[test]
    fn few_different_bytes_or_one_repeated_text_are_weak() {
        for weak in [
            "", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "abababababababababababababababab",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaabcde", "changemechangemechangemechangeme", "01234567890123456789012345678901",
        ] {
            assert!(is_weak(weak.as_bytes()), "{weak}");
        }
        for strong in [
            "abcdefabcdefabcdefabcdefabcdeffa", "8f14e45fceea167a5a36dedd4bea2543", "correct horse battery staple 1234",
        ] {
            assert!(!is_weak(strong.as_bytes()), "{strong}");
        }
        assert!(is_weak(&[7; 32]) && is_weak(&[0; 64]));
    }

    proptest! {
        #[test]
        fn no_random_secret_is_weak(bytes in any::<[u8; 32]>()) {
            // proptest also generates simple inputs, such as 32 zeros.
            let spread: [u8; 32] = <sha2::Sha256 as sha2::Digest>::digest(bytes).into();
            prop_assert!(!is_weak(&spread));
            prop_assert!(!is_weak(Secret::from_random(spread).expose().as_bytes()));
            let hexadecimal: String = spread.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
            prop_assert!(!is_weak(hexadecimal.as_bytes()));
        }

        #[test]
        fn every_repetition_is_weak(text in "[ -~]{1,16}", count in 2_usize..6) {
            prop_assert!(is_weak(text.repeat(count).as_bytes()));
        }
    }
}
