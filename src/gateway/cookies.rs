//! Signet's own cookies. The gateway removes them from requests and responses.

/// The beginning of the names of all of Signet's cookies, in lower case.
const OWN: &str = "__host-signet";

/// Removes Signet's cookies from the value of a `Cookie` header. Returns `None` if it has none of them.
///
/// The runtime joins repeated headers with commas, so a cookie whose value has one of Signet's cookies after a comma is removed
/// too.
pub fn without_own_cookies(header: &str) -> Option<String> {
    let has_own = |cookie: &&str| cookie.split(',').any(is_own_cookie);
    let (own, others): (Vec<_>, Vec<_>) = header.split(';').partition(has_own);
    (!own.is_empty()).then(|| others.join(";").trim_start().to_owned())
}

/// Whether a browser or a server may read `cookie`, which is `name=value` with optional attributes, as one of Signet's. Ignores
/// case, and all characters before the name except letters, digits and underscores.
pub fn is_own_cookie(cookie: &str) -> bool {
    let name = cookie.trim_start_matches(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    name.get(..OWN.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(OWN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::ConsoleCookie;
    use crate::user::SessionCookie;
    use proptest::prelude::*;

    #[test]
    fn every_spelling_of_an_own_cookie_is_recognised() {
        for cookie in [
            SessionCookie::NAME,
            ConsoleCookie::NAME,
            "__Host-signet=x; Path=/; Secure",
            "__host-SIGNET=x",
            " \t__Host-signet =x",
            "=__Host-signet=x",
            " = __Host-signet=x",
            "\u{a0}__Host-signet=x",
            "\u{b}__Host-signet=x",
            "__Host-signet-anything=x",
            "__Host-signet",
        ] {
            assert!(is_own_cookie(cookie), "{cookie:?}");
        }
        for cookie in ["signet=x", "a=__Host-signet", "__Secure-signet=x", "__Host-app=x", "___Host-signet=x", "é", ""]
        {
            assert!(!is_own_cookie(cookie), "{cookie:?}");
        }
    }

    #[test]
    fn other_cookies_are_unchanged() {
        for (before, after) in [
            ("a=1; b=2", None),
            ("", None),
            ("__Host-signet=x", Some("")),
            ("__Host-signet=x; a=1", Some("a=1")),
            ("a=1; __Host-signet=x", Some("a=1")),
            ("a=1; __Host-signet=x; b=2;c=\"3 ,4\" ", Some("a=1; b=2;c=\"3 ,4\" ")),
            ("__Host-signet=x; __Host-signet-admin=y;a=1", Some("a=1")),
            ("a=1, __Host-signet=x; b=2", Some("b=2")),
            ("a=1,__HOST-signet=x; b=é", Some("b=é")),
        ] {
            assert_eq!(without_own_cookies(before).as_deref(), after, "{before:?}");
        }
    }

    proptest! {
        #[test]
        fn no_own_cookie_is_left(header in "([a-c=;, ]|__Host-signet|__host-Signet-admin){0,8}") {
            if let Some(rest) = without_own_cookies(&header) {
                prop_assert!(!rest.split([';', ',']).any(is_own_cookie), "{} -> {}", header, rest);
            } else {
                prop_assert!(!header.split([';', ',']).any(is_own_cookie), "{}", header);
            }
        }
    }
}
