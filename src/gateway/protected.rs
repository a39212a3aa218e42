//! Where a session is required.

use percent_encoding::percent_decode_str;

/// The greatest number of entries.
const ENTRIES_MAX: usize = 100;
/// How many layers of percent-encoding are taken off before a path counts as hostile.
const LAYERS_MAX: usize = 4;

/// The setting `PROTECTED_PATHS`: every path that begins with one of these is for signed-in users only.
///
/// Servers read one path in many ways, so a path is protected if any reading of it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProtectedPaths(Vec<String>);

impl ProtectedPaths {
    /// Parses a JSON list of paths; none protects nothing.
    ///
    /// # Errors
    /// What is wrong, in words.
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

    /// Whether a session is required at `path`, percent-encoded as it came.
    pub fn protect(&self, path: &str) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let mut reading = path.to_owned();
        for _ in 0..LAYERS_MAX {
            if self.begins(&reading) || self.begins(&canonical(&reading)) {
                return true;
            }
            let decoded = percent_decode_str(&reading).decode_utf8_lossy().into_owned();
            if decoded == reading {
                return false;
            }
            reading = decoded;
        }
        true
    }

    fn begins(&self, reading: &str) -> bool {
        let reading = reading.to_ascii_lowercase();
        self.0.iter().any(|path| reading.starts_with(path.as_str()) || path.strip_suffix('/') == Some(&reading))
    }
}

/// `path` as a lenient server reads it: backslashes are slashes, several slashes are one, what follows a semicolon in
/// a segment is dropped, and so are dot segments (RFC 3986 section 5.2.4).
fn canonical(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    let is_directory = path.ends_with(['/', '\\']);
    for segment in path.split(['/', '\\']) {
        match segment.split(';').next().unwrap_or_default().trim() {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            name => segments.push(name),
        }
    }
    let slash = if is_directory && !segments.is_empty() { "/" } else { "" };
    format!("/{}{slash}", segments.join("/"))
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
            "/billing/",
            "/billing",
            "/billing/x/y",
            "/clientarea.php",
            "/clientarea.php/x",
            "/clientarea.phps",
            "/CLIENTAREA.PHP",
        ] {
            assert!(paths.protect(path), "{path}");
        }
        for path in ["/", "/index.php", "/billings", "/x/billing/", "/clientarea"] {
            assert!(!paths.protect(path), "{path}");
        }
    }

    #[test]
    fn every_reading_of_a_path_counts() {
        let paths = paths(r#"["/billing/"]"#);
        for path in [
            "//billing/x",
            "/./billing/x",
            "/public/../billing/x",
            "/public/..%2fbilling/x",
            "/public/%2e%2e/billing/x",
            "/%62illing/x",
            "/%2562illing/x",
            "/%252562illing/x",
            "/billing%2fx",
            "/%2fbilling/x",
            "/%5cbilling%5cx",
            "/\\billing\\x",
            "/;a=b/billing/x",
            "/billing;a=b/x",
            "/billing;/x",
            "/%20/../billing/x",
            "/billing/../public",
            "/%252525252525252562illing/x",
        ] {
            assert!(paths.protect(path), "{path}");
        }
    }

    #[test]
    fn nothing_is_protected_unless_it_is_listed() {
        assert!(!ProtectedPaths::parse(None).unwrap().protect("/"));
        assert!(!paths("[]").protect("/%25252525252525"));
        assert!(paths(r#"["/"]"#).protect("/anything"));
    }

    #[test]
    fn the_setting_takes_plain_paths_alone() {
        for bad in [
            "",
            "/billing",
            "{}",
            "[1]",
            r#"["billing"]"#,
            r#"[""]"#,
            r#"["//billing"]"#,
            r#"["/a/../b"]"#,
            r#"["/a%2fb"]"#,
            r#"["/a?b"]"#,
            r#"["/a;b"]"#,
            r#"["/é"]"#,
        ] {
            assert!(ProtectedPaths::parse(Some(bad)).is_err(), "{bad}");
        }
        let many = serde_json::to_string(&vec!["/a"; 101]).unwrap();
        assert!(ProtectedPaths::parse(Some(&many)).is_err());
    }

    proptest! {
        /// However a protected path is encoded, it stays protected.
        #[test]
        fn no_encoding_opens_a_protected_path(rest in "[a-z0-9/._-]{0,12}", mask in any::<u64>(), layers in 0_usize..4) {
            let mut path = format!("/billing/{}", rest.replace("..", "x"));
            for layer in 0..layers {
                let is_encoded = |n: usize| n > 0 && mask.rotate_left(layer as u32 * 7) >> (n % 64) & 1 == 1;
                path = path.bytes().enumerate().map(|(n, b)| {
                    if is_encoded(n) || b == b'%' { format!("%{b:02x}") } else { char::from(b).to_string() }
                }).collect();
            }
            prop_assert!(paths(r#"["/billing/"]"#).protect(&path), "{}", path);
        }

        #[test]
        fn no_path_panics(path in any::<String>()) {
            let _ = paths(r#"["/billing/"]"#).protect(&path);
        }
    }
}
