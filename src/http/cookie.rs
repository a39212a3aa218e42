//! The `Cookie` header.

/// The value of the cookie `name` in a `Cookie` header. `None` if two cookies have that name, or if the value has other
/// characters than `A-Z a-z 0-9 _ . -`, of which all values of Signet consist.
///
/// Only `;` separates cookies, and only spaces and tabs around a name or a value are removed (RFC 6265bis sections 5.4
/// and 5.7). Browsers protect `__Host-` cookies by their exact names. A lenient parser could accept a cookie that another host
/// set under a similar name.
pub(super) fn find<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let blanks = [' ', '\t'];
    let pairs = header.split(';').filter_map(|pair| pair.split_once('='));
    let mut values = pairs.filter(|(key, _)| key.trim_matches(blanks) == name).map(|(_, value)| value);
    let value = values.next().filter(|_| values.next().is_none())?.trim_matches(blanks);
    value.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b)).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_cookie_is_found_unless_there_are_two() {
        for (header, value) in [
            ("a=1", Some("1")),
            ("b=2; a=1", Some("1")),
            ("b=2;a=1", Some("1")),
            ("\t a \t=\t 1 ", Some("1")),
            ("a=", Some("")),
            ("a=aZ0_.-", Some("aZ0_.-")),
            ("a=1; a=1", None),
            ("a=1; a=?", None),
            ("a=1; a", Some("1")),
            ("A=1", None),
            ("aa=1", None),
            ("a", None),
            ("", None),
        ] {
            assert_eq!(find(header, "a"), value, "{header:?}");
        }
    }

    #[test]
    fn rfc_6265bis_5_4_a_comma_does_not_separate_cookies() {
        for header in ["b=2, a=1", "b=2,a=1", "x=1,a=2;y=3", "a=1, a=2", "a=1, b=2", "a=1,b=2"] {
            assert_eq!(find(header, "a"), None, "{header:?}");
        }
    }

    #[test]
    fn rfc_6265bis_5_7_only_spaces_and_tabs_are_removed() {
        let others = "\u{85}\u{a0}\u{1680}\u{2000}\u{2003}\u{2028}\u{2029}\u{202f}\u{205f}\u{3000}\u{feff}\u{fffd}\u{b}\u{c}\u{1c}\u{1f}\0";
        for mark in others.chars() {
            for header in [format!("{mark}a=1"), format!("a{mark}=1"), format!("b=2; {mark} a=1"), format!("a=1{mark}")]
            {
                assert_eq!(find(&header, "a"), None, "{header:?}");
            }
        }
    }

    #[test]
    fn a_value_with_other_characters_is_refused() {
        for value in ["\"1\"", "x=y", "1 2", "1/2", "1+2", "%31", "é", "1,2", "1~"] {
            assert_eq!(find(&format!("a={value}"), "a"), None, "{value:?}");
        }
    }

    proptest! {
        #[test]
        fn a_name_with_another_character_is_not_the_cookie(mark in "[^ \t;=]", place in 0_usize..2) {
            let header = if place == 0 { format!("{mark}a=1") } else { format!("a{mark}=1") };
            prop_assert_eq!(find(&header, "a"), None);
        }

        #[test]
        fn no_header_panics(header in any::<String>()) {
            let _ = find(&header, "a");
        }
    }
}
