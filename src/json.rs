//! What serde leaves open about JSON.

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::fmt::Write as _;

/// For an optional field of a change: tells one that is null, which its type must allow, from one that is not there.
///
/// # Errors
/// Those of the field's type.
pub fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A JSON string as PHP's `json_encode` spells it: a slash with a backslash before it, and everything in ASCII.
pub fn php_string(text: &str) -> String {
    let mut spelled = String::new();
    for c in Value::from(text).to_string().chars() {
        match c {
            '/' => spelled.push_str("\\/"),
            c if c.is_ascii() => spelled.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(spelled, "\\u{unit:04x}");
                }
            }
        }
    }
    spelled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_spelled_as_php_does() {
        for (text, spelled) in [
            ("https://a/é😀", r#""https:\/\/a\/\u00e9\ud83d\ude00""#),
            ("\"<&>\n", r#""\"<&>\n""#),
            ("\u{7f}\u{2028}", "\"\u{7f}\\u2028\""),
        ] {
            assert_eq!(php_string(text), spelled);
            assert_eq!(serde_json::from_str::<String>(spelled).unwrap(), text);
        }
    }
}
