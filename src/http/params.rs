//! Form parameters (`application/x-www-form-urlencoded`).

use super::Failure;
use std::fmt;

const COUNT_MAX: usize = 100;

/// Parameters of a query or a form. Each name occurs once, and no value is empty. `Debug` shows only the names.
#[derive(Default)]
pub struct Params(Vec<(String, String)>);

impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl Params {
    /// Parses a query and a body together. A parameter without a value counts as absent (RFC 6749 section 3.2).
    ///
    /// # Errors
    /// 400 if a name occurs twice (RFC 6749 section 3.2) or if there are more than 100 parameters.
    pub fn parse(query: &[u8], body: &[u8]) -> Result<Self, Failure> {
        let mut params: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(query).chain(form_urlencoded::parse(body)) {
            if params.iter().any(|(known, _)| *known == name) {
                return Err(Failure::REPEATED_PARAMETER);
            }
            if params.len() == COUNT_MAX {
                return Err(Failure::TOO_MANY_PARAMETERS);
            }
            params.push((name.into_owned(), value.into_owned()));
        }
        params.retain(|(_, value)| !value.is_empty());
        Ok(Self(params))
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The parsed value of the parameter `name`. `None` if it is absent.
    ///
    /// # Errors
    /// `failure` if the value is invalid.
    pub fn parsed<T>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Option<T>,
        failure: Failure,
    ) -> Result<Option<T>, Failure> {
        self.get(name).map(|value| parse(value).ok_or(failure)).transpose()
    }
}

/// Parses a whole number of decimal digits. Unlike Rust's parser, it refuses a plus sign.
pub fn parse_number(text: &str) -> Option<u64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn query_and_body_are_parsed_together() {
        let params = Params::parse(b"a=1&empty=", b"b=%C3%A9+x").unwrap();
        assert_eq!(params.get("a"), Some("1"));
        assert_eq!(params.get("b"), Some("é x"));
        assert_eq!(params.get("empty"), None);
    }

    proptest! {
        #[test]
        fn any_repetition_is_refused(
            name in "[a-z_]{1,8}", a in "[a-z]{0,3}", b in "[a-z]{0,3}", in_query in any::<bool>()
        ) {
            let (first, second) = (format!("{name}={a}"), format!("{name}={b}"));
            let refused = if in_query {
                Params::parse(first.as_bytes(), second.as_bytes())
            } else {
                Params::parse(b"", format!("{first}&{second}").as_bytes())
            };
            prop_assert!(refused.is_err());
        }

        #[test]
        fn no_bytes_panic(query in any::<Vec<u8>>(), body in any::<Vec<u8>>()) {
            let _ = Params::parse(&query, &body);
        }
    }

    #[test]
    fn a_number_is_digits_only() {
        for (text, number) in [
            ("0", Some(0)),
            ("007", Some(7)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("+5", None),
            ("-5", None),
            ("5.0", None),
            (" 5", None),
            ("", None),
        ] {
            assert_eq!(parse_number(text), number, "{text:?}");
        }
    }

    #[test]
    fn the_number_of_parameters_is_limited() {
        let many: String = (0..101).map(|n| format!("p{n}=1&")).collect();
        assert!(Params::parse(b"", many.as_bytes()).is_err());
    }
}
