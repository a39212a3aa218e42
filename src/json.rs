//! Helpers for parsing JSON with serde.

mod objects;

use objects::Objects;
use serde::de::{Error, IgnoredAny, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;
use std::fmt;

/// Distinguishes an explicit `null` from a missing field: `None` is a missing field, `Some(None)` is `null`.
pub fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A text, or a whole number in place of its digits.
pub struct NumberOrText(String);

impl NumberOrText {
    pub fn into_text(self) -> String {
        self.0
    }
}

impl<'de> Deserialize<'de> for NumberOrText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl Visitor<'_> for TextVisitor {
            type Value = NumberOrText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a whole number")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<NumberOrText, E> {
                Ok(NumberOrText(number.to_string()))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<NumberOrText, E> {
                Ok(NumberOrText(text.to_owned()))
            }
        }
        deserializer.deserialize_any(TextVisitor)
    }
}

/// Parses JSON. A struct must be an object; serde alone also accepts an array of the fields' values.
pub fn parse<'de, T: Deserialize<'de>>(text: &'de str) -> serde_json::Result<T> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = T::deserialize(Objects(&mut deserializer))?;
    deserializer.end()?;
    Ok(value)
}

/// Parses JSON that must be an object.
///
/// # Errors
/// For JSON that is not an object, an error of the category `Data`.
pub fn parse_object<'de, T: Deserialize<'de>>(text: &'de str) -> serde_json::Result<T> {
    if !text.trim_ascii_start().starts_with('{') {
        serde_json::from_str::<IgnoredAny>(text)?;
        return Err(serde_json::Error::custom("not an object"));
    }
    parse(text)
}

/// Describes an error for the log: `data error at line 1 column 20`. serde's own message quotes the input, which may be a secret
/// or personal data.
pub fn error_place(error: &serde_json::Error) -> String {
    let category = match error.classify() {
        Category::Io => "read",
        Category::Syntax => "syntax",
        Category::Data => "data",
        Category::Eof => "end",
    };
    format!("{category} error at line {} column {}", error.line(), error.column())
}

/// Asserts that `value` serializes to `wire`, and that `wire` deserializes to `value`.
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
    fn an_array_of_the_fields_is_refused() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Point {
            x: u8,
            y: u8,
        }
        assert_eq!(parse_object::<Point>(" {\"y\":2,\"x\":1}").unwrap(), Point { x: 1, y: 2 });
        assert_eq!(serde_json::from_str::<Point>("[1,2]").unwrap(), Point { x: 1, y: 2 }, "serde accepts an array");
        for (text, is_json) in
            [("[1,2]", true), (" []", true), ("null", true), ("5", true), ("", false), ("[1,2", false), ("x", false)]
        {
            let error = parse_object::<Point>(text).unwrap_err();
            assert_eq!(error.is_data(), is_json, "{text}");
        }
    }

    #[test]
    fn a_struct_is_an_object_at_any_depth() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Point(u8, u8);
        #[derive(Debug, PartialEq, Deserialize)]
        struct Labeled {
            label: Option<String>,
        }
        #[derive(Debug, PartialEq, Deserialize)]
        enum Shape {
            Dot(Point),
            Label(Labeled),
            Nothing,
        }
        let label = |text: &str| Shape::Label(Labeled { label: Some(text.to_owned()) });
        let shapes = r#"[{"Dot": [1, 2]}, {"Label": {"label": "a\\b"}}, "Nothing"]"#;
        assert_eq!(parse::<Vec<Shape>>(shapes).unwrap(), [Shape::Dot(Point(1, 2)), label("a\\b"), Shape::Nothing]);
        assert_eq!(parse::<Labeled>(r#"{"label": null, "other": [1.5, {}]}"#).unwrap(), Labeled { label: None });
        for array in [r#"[{"Label": ["a"]}]"#, r#"[{"Dot": {"0": 1, "1": 2}}]"#] {
            assert!(parse::<Vec<Shape>>(array).unwrap_err().is_data(), "{array}");
        }
        assert!(parse::<Labeled>("{} x").unwrap_err().is_syntax());
    }

    #[test]
    fn the_description_of_an_error_quotes_nothing() {
        for (text, place) in [
            ("\n[\"hunter2\",1]", "data error at line 2 column 10"),
            ("hunter2", "syntax error at line 1 column 1"),
            ("[12", "end error at line 1 column 3"),
        ] {
            let error = serde_json::from_str::<Vec<u8>>(text).unwrap_err();
            assert_eq!(error_place(&error), place, "{error}");
        }
    }
}
