//! Paths that stay inside the client area. Two independent checks protect every redirect: the grammar of [`RelativePath`], and the
//! result of the WHATWG parser in [`join`].

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use url::Url;

/// The greatest length of a path, in bytes.
const PATH_BYTES_MAX: usize = 1024;

/// A path relative to the client area, with its query and fragment, such as `cart.php?a=view`.
///
/// It starts with a letter, a digit, `_` or `?`, after one optional slash. It has no dot segment, control character, white space
/// or backslash, and no colon before the first `/`, `?` or `#`, so that no parser reads a scheme or a host in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct RelativePath(String);

impl RelativePath {
    pub fn parse(text: &str) -> Option<Self> {
        let path = text.strip_prefix('/').unwrap_or(text);
        let first_segment = path.split(['/', '?', '#']).next().unwrap_or_default();
        let is_valid = text.len() <= PATH_BYTES_MAX
            && path.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '?')
            && !first_segment.contains(':')
            && !path.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\')
            && !has_dot_segment(path);
        is_valid.then(|| Self(path.to_owned()))
    }

    /// The path, without a leading slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for RelativePath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("not a relative path"))
    }
}

/// Whether a segment is `.` or `..`, each dot possibly percent-encoded, as the WHATWG parser reads it.
fn has_dot_segment(path: &str) -> bool {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    path.split('/').any(|segment| {
        let plain = segment.to_ascii_lowercase().replace("%2e", ".");
        plain == "." || plain == ".."
    })
}

/// Resolves `path` against `base`, which ends in a slash. Returns the URL, which is ASCII, if it has the same origin and is below
/// `base`.
pub(super) fn join(base: &Url, path: &str) -> Option<Url> {
    let url = base.join(path).ok()?;
    let stays = url.origin() == base.origin()
        && url.username().is_empty()
        && url.password().is_none()
        && url.path().starts_with(base.path());
    stays.then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn base() -> Url {
        Url::parse("https://my.example/billing/").unwrap()
    }

    #[test]
    fn a_path_is_kept_except_its_leading_slash() {
        for (text, kept) in [
            ("cart.php", "cart.php"),
            ("/cart.php", "cart.php"),
            ("index.php?rp=/store/vps&currency=2&x[]=1", "index.php?rp=/store/vps&currency=2&x[]=1"),
            ("/viewinvoice.php?id=7#pay", "viewinvoice.php?id=7#pay"),
            ("?a=b", "?a=b"),
            ("a/b:c", "a/b:c"),
            ("x?url=https://other.example/", "x?url=https://other.example/"),
            ("x?up=../..", "x?up=../.."),
        ] {
            assert_eq!(RelativePath::parse(text).unwrap().as_str(), kept, "{text}");
        }
    }

    #[test]
    fn a_path_that_could_leave_the_client_area_is_refused() {
        for bad in [
            "", "/", "//evil.example", "///evil.example", "\\\\evil.example", "/\\evil.example", "/\t/evil.example",
            "https:evil.example", "https://evil.example", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:x",
            "%2f%2fevil.example", "/%5cevil.example", "/.//evil.example", "./x", "../x", "a/../x", "a/%2e%2E/x",
            "a/.%2e", "a/..", "@evil.example", ":80/x", "#x", " x", "x y", "x\u{a0}y", "x\ny", "x\0", "x\\y",
            "／／evil.example", "\u{202e}x", ".well-known/x", "a:b", "-x",
        ] {
            assert_eq!(RelativePath::parse(bad), None, "{bad:?}");
        }
        assert_eq!(RelativePath::parse(&"a".repeat(1025)), None);
    }

    fn assert_stays_inside(text: &str) {
        let Some(path) = RelativePath::parse(text) else { return };
        let url = join(&base(), path.as_str()).unwrap();
        assert!(url.as_str().starts_with("https://my.example/billing/"), "{text:?} -> {url}");
        assert!(url.as_str().bytes().all(|b| b.is_ascii_graphic()), "{text:?} -> {url}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn no_path_leaves_the_client_area(text in "[a-z]{0,2}[/\\\\.:@?#%0-9a-fA-F\t\n\u{a0}éx／。\\[\\]-]{0,12}") {
            assert_stays_inside(&text);
        }

        #[test]
        fn no_text_leaves_the_client_area(text in any::<String>()) {
            assert_stays_inside(&text);
        }
    }
}
