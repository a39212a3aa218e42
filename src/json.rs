//! What serde leaves open about JSON.

use serde::de::{Error as _, IgnoredAny};
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;

/// Distinguishes an explicit `null`, which the type must allow, from a missing field.
///
/// # Errors
/// Those of the field's type.
pub fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A text, or a number that spells it.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum NumberOrText {
    /// A whole number.
    Number(u64),
    /// A text.
    Text(String),
}

impl NumberOrText {
    /// The text, or the digits of the number.
    pub fn into_text(self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text,
        }
    }
}

/// Parses a JSON object as `T`. serde alone would take an array too: the fields in their order, without their names.
///
/// # Errors
/// Those of serde, and one of its category `Data` for JSON that is no object.
pub fn parse_object<'de, T: Deserialize<'de>>(text: &'de str) -> serde_json::Result<T> {
    if !text.trim_ascii_start().starts_with('{') {
        serde_json::from_str::<IgnoredAny>(text)?;
        return Err(serde_json::Error::custom("not an object"));
    }
    serde_json::from_str(text)
}

/// What is wrong with a text that does not parse, and where: `data error at line 1 column 20`. serde's own words quote what
/// stands there, which may be a secret or somebody's data, and so are not for the log.
pub fn error_place(error: &serde_json::Error) -> String {
    let category = match error.classify() {
        Category::Io => "read",
        Category::Syntax => "syntax",
        Category::Data => "data",
        Category::Eof => "end",
    };
    format!("{category} error at line {} column {}", error.line(), error.column())
}

/// Asserts that `wire` is the JSON form of `value`, both ways.
#[cfg(test)]
#[track_caller]
pub fn assert_wire<T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(
    value: T,
    wire: serde_json::Value,
) {
    assert_eq!(serde_json::to_value(&value).unwrap(), wire);
    assert_eq!(serde_json::from_value::<T>(wire).unwrap(), value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_struct_is_an_object_and_no_array_of_its_fields() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Point {
            x: u8,
            y: u8,
        }
        assert_eq!(parse_object::<Point>(" {\"y\":2,\"x\":1}").unwrap(), Point { x: 1, y: 2 });
        assert_eq!(serde_json::from_str::<Point>("[1,2]").unwrap(), Point { x: 1, y: 2 }, "as serde has it");
        for (text, is_json) in
            [("[1,2]", true), (" []", true), ("null", true), ("5", true), ("", false), ("[1,2", false), ("x", false)]
        {
            let error = parse_object::<Point>(text).unwrap_err();
            assert_eq!(error.is_data(), is_json, "{text}");
        }
    }

    #[test]
    fn the_place_of_an_error_quotes_nothing() {
        for (text, place) in [
            ("\n[\"hunter2\",1]", "data error at line 2 column 10"),
            ("hunter2", "syntax error at line 1 column 1"),
            (r#"[12"#, "end error at line 1 column 3"),
        ] {
            let error = serde_json::from_str::<Vec<u8>>(text).unwrap_err();
            assert_eq!(error_place(&error), place, "{error}");
        }
    }
}
