//! The paths that require a session.

use super::readings::{canonical, readings};

const ENTRIES_MAX: usize = 100;
/// Marks of a segment that names a program. The server passes the rest of the path to the program (`PATH_INFO`, RFC 3875 section
/// 4.1.5). Some servers read an encoded question mark as the beginning of the query.
const PROGRAMS: [&str; 5] = [".php", ".phtml", ".cgi", ".fcgi", "?"];

/// The setting `PROTECTED_PATHS`: every path that begins with one of these requires a session.
///
/// Servers decode a path in different ways, so a path is protected if any reading of it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProtectedPaths(Vec<String>);

impl ProtectedPaths {
    /// Parses a JSON list of paths.
    ///
    /// # Errors
    /// The mistake in the setting.
    pub fn parse(json: Option<&str>) -> Result<Self, &'static str> {
        let Some(json) = json else { return Ok(Self::default()) };
        let paths: Vec<String> = serde_json::from_str(json).map_err(|_| "is not a list of paths")?;
        let is_plain = |path: &String| {
            let marks = b"/-_.~@:!$'()*+,=";
            path.starts_with('/')
                && canonical(path) == *path
                && path.bytes().all(|b| b.is_ascii_alphanumeric() || marks.contains(&b))
        };
        if paths.len() > ENTRIES_MAX || !paths.iter().all(is_plain) {
            return Err("has more than 100 entries, or one that is not a plain path such as /billing/");
        }
        Ok(Self(paths.iter().map(|path| path.to_ascii_lowercase()).collect()))
    }

    /// Whether `path` with `query` requires a session. Both are percent-encoded.
    ///
    /// Many servers route by the query, as in `/index.php?rp=/billing/`. So a name or a value of the query is checked like the path
    /// if it contains a slash.
    pub fn protect(&self, path: &str, query: &str) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let (paths, is_complete) = readings(path);
        let parts = query.split(['&', ';', '=']).map(|part| part.replace('+', " "));
        let mut routes = parts.flat_map(|part| readings(&part).0);
        // A path with more layers of encoding than `readings` removes is an attempt to hide something.
        !is_complete
            || paths.iter().any(|path| self.contains(path))
            || routes.any(|route| route.contains(['/', '\\']) && self.contains(&route))
    }

    /// Whether `reading`, its [`canonical`] form, or the part after a program begins with a protected path.
    fn contains(&self, reading: &str) -> bool {
        let reading = reading.to_ascii_lowercase();
        let canonical = canonical(&reading);
        let is_program = |segment: &str| PROGRAMS.iter().any(|mark| segment.contains(mark));
        let infos = canonical.match_indices('/').skip(1).filter_map(|(at, _)| {
            let (before, info) = canonical.split_at_checked(at)?;
            is_program(before.rsplit('/').next()?).then_some(info)
        });
        [reading.as_str(), &canonical].into_iter().chain(infos).any(|path| {
            self.0.iter().any(|entry| path.starts_with(entry.as_str()) || entry.strip_suffix('/') == Some(path))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn paths(json: &str) -> ProtectedPaths {
        ProtectedPaths::parse(Some(json)).unwrap()
    }

    #[test]
    fn a_path_is_protected_by_its_beginning() {
        let paths = paths(r#"["/billing/", "/clientarea.php"]"#);
        for path in [
            "/billing/", "/billing", "/billing/x/y", "/clientarea.php", "/clientarea.php/x", "/clientarea.phps",
            "/CLIENTAREA.PHP",
        ] {
            assert!(paths.protect(path, ""), "{path}");
        }
        for path in ["/", "/index.php", "/billings", "/x/billing/", "/clientarea"] {
            assert!(!paths.protect(path, ""), "{path}");
        }
    }

    #[test]
    fn every_reading_of_a_path_is_checked() {
        let paths = paths(r#"["/billing/"]"#);
        for path in [
            "//billing/x", "/./billing/x", "/public/../billing/x", "/public/..%2fbilling/x",
            "/public/%2e%2e/billing/x", "/%62illing/x", "/%2562illing/x", "/%252562illing/x", "/billing%2fx",
            "/%2fbilling/x", "/%5cbilling%5cx", "/\\billing\\x", "/;a=b/billing/x", "/billing;a=b/x", "/billing;/x",
            "/%20/../billing/x", "/billing/../public", "/%252525252525252562illing/x", "/%u0062illing/x",
            "/%U0062illing/x", "/%25u0062illing/x", "/public/..%u002fbilling/x", "/public/..%u005cbilling/x",
            "/public/..%c0%afbilling/x", "/public/%c0%ae%c0%ae/billing/x", "/%c1%a2illing/x", "/%e0%81%a2illing/x",
            "/%f0%80%81%a2illing/x", "/%f8%80%80%81%a2illing/x", "/%fc%80%80%80%81%a2illing/x", "/%25c1%25a2illing/x",
            // Only lenient servers decode these dots.
            "/./%62illing/%c0%ae%c0%ae/x",
        ] {
            assert!(paths.protect(path, ""), "{path}");
        }
    }

    #[test]
    fn rfc_3875_4_1_5_a_path_after_a_program_is_checked() {
        let paths = paths(r#"["/account/users"]"#);
        for path in [
            "/index.php/account/users", "/index.php/account/users/7", "/shop/INDEX.PHP/Account/Users",
            "/index.php//account/users", "/index.php/x/../account/users", "/index.php%2faccount%2fusers",
            "/index.php;x=1/account/users", "/index.php5/account/users", "/index.phtml/account/users",
            "/cgi-bin/a.cgi/account/users", "/a.php/b.php/account/users", "/index.php%3frp=/account/users",
            "/%3frp=/account/users",
        ] {
            assert!(paths.protect(path, ""), "{path}");
        }
        for path in
            ["/index.php", "/index.php/account", "/index.html/account/users", "/x/account/users", "/account/user"]
        {
            assert!(!paths.protect(path, ""), "{path}");
        }
    }

    #[test]
    fn a_path_in_the_query_is_checked() {
        let paths = paths(r#"["/account/users", "/billing/"]"#);
        for query in [
            "rp=/account/users", "rp=/account/users/7&x=1", "x=1&rp=/account/users", "x=1;rp=/account/users",
            "rp=%2faccount%2fusers", "rp=%252Faccount/users", "rp=/%61ccount/users", "rp=/%u0061ccount/users",
            "rp=+/account/users", "rp=//account/x/../users", "RP=/ACCOUNT/USERS", "rp=account/users",
            "rp[]=/account/users", "/account/users", "/account/users&x=1", "rp=/billing/", "rp=/billing",
            "rp=index.php/billing/", "rp=/account/users/%25252525252525",
        ] {
            assert!(paths.protect("/", query), "{query}");
            assert!(paths.protect("/index.php", query), "{query}");
        }
        for query in [
            "", "rp=/account", "rp=/public/account/users", "tab=billing", "page=billing&x=/",
            "next=https://my.example/billing/", "q=%25252525252525",
        ] {
            assert!(!paths.protect("/", query), "{query}");
        }
    }

    #[test]
    fn only_listed_paths_are_protected() {
        assert!(!ProtectedPaths::parse(None).unwrap().protect("/", ""));
        assert!(!paths("[]").protect("/%25252525252525", ""));
        assert!(paths(r#"["/"]"#).protect("/anything", ""));
    }

    #[test]
    fn the_setting_accepts_plain_paths_only() {
        for bad in [
            "", "/billing", "{}", "[1]", r#"["billing"]"#, r#"[""]"#, r#"["//billing"]"#, r#"["/a/../b"]"#,
            r#"["/a%2fb"]"#, r#"["/a?b"]"#, r#"["/a;b"]"#, r#"["/é"]"#,
        ] {
            assert!(ProtectedPaths::parse(Some(bad)).is_err(), "{bad}");
        }
        let many = serde_json::to_string(&vec!["/a"; 101]).unwrap();
        assert!(ProtectedPaths::parse(Some(&many)).is_err());
    }

    proptest! {
        #[test]
        fn no_encoding_opens_a_protected_path(rest in "[a-z0-9/._-]{0,12}", mask in any::<u64>(), layers in 0_usize..4) {
            let mut path = format!("/billing/{}", rest.replace("..", "x"));
            for layer in 0..layers {
                let is_encoded = |n: usize| n > 0 && mask.rotate_left(layer as u32 * 7) >> (n % 64) & 1 == 1;
                path = path.bytes().enumerate().map(|(n, b)| {
                    if is_encoded(n) || b == b'%' { format!("%{b:02x}") } else { char::from(b).to_string() }
                }).collect();
            }
            prop_assert!(paths(r#"["/billing/"]"#).protect(&path, ""), "{}", path);
        }

        #[test]
        fn no_overlong_utf_8_opens_a_protected_path(lengths in prop::collection::vec(1_u32..=6, 9)) {
            let encode = |(byte, length): (u8, &u32)| match length {
                1 => format!("%{byte:02x}"),
                length => {
                    let first = !(0xff_u8 >> length);
                    let middle = "%80".repeat(*length as usize - 2);
                    // Two bytes have room for five bits in the first.
                    let first = if *length == 2 { first | byte >> 6 } else { first };
                    let middle = if *length == 2 { middle } else { format!("{}%{:02x}", &middle[3..], 0x80 | byte >> 6) };
                    format!("%{first:02x}{middle}%{:02x}", 0x80 | byte & 0x3f)
                }
            };
            let path: String = "/billing/".bytes().zip(&lengths).map(encode).collect();
            prop_assert!(paths(r#"["/billing/"]"#).protect(&path, ""), "{}", path);
            prop_assert!(paths(r#"["/billing/"]"#).protect("/", &format!("rp={path}")), "{}", path);
        }

        #[test]
        fn no_address_panics(path in any::<String>(), query in any::<String>()) {
            let _ = paths(r#"["/billing/"]"#).protect(&path, &query);
        }

        #[test]
        fn no_encoding_panics(path in "(%|%u|[0-9a-fC-F]|é|/|\\\\|;|\\.php){0,40}") {
            let _ = paths(r#"["/billing/"]"#).protect(&path, &path);
        }
    }
}
