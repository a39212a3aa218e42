//! Cursors: the signed position of the next page of a list.

use crate::http::Failure;
use crate::id::UserId;
use crate::secret::{KeyRing, Purpose};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The greatest length of a cursor, in bytes.
const BYTES_MAX: usize = 2_048;

/// A list with pages. A cursor is signed and names its list, so no other text and no cursor of another list is accepted.
#[derive(Clone, Copy, Debug)]
pub enum PagedList<'a> {
    Credentials,
    ApiCredentials,
    /// The audit trail of a user.
    Events(&'a UserId),
}

#[derive(Serialize, Deserialize)]
struct Cursor<T> {
    list: String,
    /// The position of the page, in the form of the store.
    at: T,
}

impl PagedList<'_> {
    /// Signs the cursor of the page that begins at `at`.
    pub fn seal(self, at: impl Serialize, keys: &KeyRing) -> serde_json::Result<String> {
        keys.sign(Purpose::Cursor, &Cursor { list: self.name(), at })
    }

    /// Returns the position of the page whose cursor is `text`.
    ///
    /// # Errors
    /// 400 if `text` is not a cursor of this list.
    pub fn open<T: DeserializeOwned>(self, text: &str, keys: &KeyRing) -> Result<T, Failure> {
        const FOREIGN: Failure = Failure::bad_request("The cursor is not one of this list.");
        let cursor = if text.len() > BYTES_MAX { None } else { keys.open::<Cursor<T>>(Purpose::Cursor, text) };
        cursor.filter(|cursor| cursor.list == self.name()).map(|cursor| cursor.at).ok_or(FOREIGN)
    }

    fn name(self) -> String {
        match self {
            Self::Credentials => "credentials".to_owned(),
            Self::ApiCredentials => "api-credentials".to_owned(),
            Self::Events(user) => format!("events:{user}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::keys_for_test;
    use serde_json::json;

    fn keys() -> KeyRing {
        keys_for_test(7)
    }

    #[test]
    fn a_cursor_is_valid_for_its_own_list_only() {
        let (one, two) = (UserId::parse("1").unwrap(), UserId::parse("2").unwrap());
        let lists =
            [PagedList::Credentials, PagedList::ApiCredentials, PagedList::Events(&one), PagedList::Events(&two)];
        for (n, made) in lists.iter().enumerate() {
            let cursor = made.seal("x", &keys()).unwrap();
            for (m, asked) in lists.iter().enumerate() {
                assert_eq!(
                    asked.open::<String>(&cursor, &keys()).ok(),
                    (n == m).then(|| "x".to_owned()),
                    "{made:?} {asked:?}"
                );
            }
        }
    }

    #[test]
    fn a_text_that_is_not_a_cursor_is_refused() {
        let list = PagedList::Credentials;
        let right = list.seal("x", &keys()).unwrap();
        for bad in [
            String::new(),
            "x".into(),
            "7".into(),
            r#"{"list":"credentials","at":"x"}"#.into(),
            format!("{right}x"),
            right.replacen('.', ". ", 1),
            list.seal("x", &keys_for_test(8)).unwrap(),
            list.seal(7, &keys()).unwrap(),
            keys().sign(Purpose::Form, &json!({"list": "credentials", "at": "x"})).unwrap(),
            list.seal("x".repeat(BYTES_MAX), &keys()).unwrap(),
        ] {
            assert_eq!(list.open::<String>(&bad, &keys()).unwrap_err().status, 400, "{bad:?}");
        }
        assert_eq!(list.open::<String>(&right, &keys()).as_deref(), Ok("x"));
    }

    #[test]
    fn wire_form_is_unchanged() {
        let user = UserId::parse("42").unwrap();
        for (cursor, wire) in [
            (PagedList::Credentials.seal("x", &keys()), json!({"list": "credentials", "at": "x"})),
            (PagedList::ApiCredentials.seal("x", &keys()), json!({"list": "api-credentials", "at": "x"})),
            (PagedList::Events(&user).seal(7, &keys()), json!({"list": "events:42", "at": 7})),
        ] {
            assert_eq!(keys().open::<serde_json::Value>(Purpose::Cursor, &cursor.unwrap()), Some(wire));
        }
    }
}
