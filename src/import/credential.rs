//! A credential set of an import, and what it changes in the stored one.

use super::Reason;
use crate::credential::{CredentialInput, CredentialSet};
use crate::id::{ClientId, OwnedId};
use crate::secret::Secret;
use crate::time::Timestamp;
use crate::user::Effect;

/// A credential set to write, with its own id and secret.
#[derive(Debug)]
pub struct CredentialEntry {
    pub client_id: ClientId,
    pub secret: Secret,
    /// The number of the set in WHMCS, if the import has it.
    pub number: Option<u32>,
    /// The other fields, as in `POST /admin/v1/credentials`.
    pub input: CredentialInput,
    /// A service. The set is bound to its owner, if `input` names no user.
    pub owner_of: Option<OwnedId>,
}

impl CredentialEntry {
    /// The number of the set, unless the stored set has another.
    pub fn number(&self) -> u32 {
        self.number.unwrap_or_else(|| self.client_id.number())
    }

    /// Returns the set to store at `now` in place of `old`, and the effect. If the entry has the current secret, the old secret of a
    /// rotation stays valid.
    ///
    /// # Errors
    /// [`Reason::Unfit`], or [`Reason::BoundOtherwise`]: the binding of a stored set cannot change.
    pub fn replace(self, old: Option<CredentialSet>, now: Timestamp) -> Result<(CredentialSet, Effect), Reason> {
        let number = self.number.or_else(|| old.as_ref().and_then(|old| old.number));
        let new = self.input.into_set(self.client_id, &self.secret, now).map_err(Reason::Unfit)?;
        let new = CredentialSet { number, ..new };
        let Some(old) = old else { return Ok((new, Effect::Created)) };
        if new.user_id != old.user_id {
            return Err(Reason::BoundOtherwise);
        }
        let secret = if old.secret.is_current(&self.secret) { old.secret.clone() } else { new.secret };
        let new = CredentialSet { secret, created_at: old.created_at, ..new };
        let is_same = CredentialSet { updated_at: old.updated_at, ..new.clone() } == old;
        Ok(if is_same { (old, Effect::Unchanged) } else { (new, Effect::Changed) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::NOW_FOR_TEST as NOW;
    use serde_json::{Value, json};

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn secret(text: &str) -> Secret {
        Secret::new(text)
    }

    fn input() -> Value {
        json!({"name": "Portal", "scopes": ["clientarea:invoices"], "user_id": "42"})
    }

    fn entry(input: Value) -> CredentialEntry {
        CredentialEntry {
            client_id: ClientId::parse("portal").unwrap(),
            secret: secret(SECRET),
            number: None,
            input: serde_json::from_value(input).unwrap(),
            owner_of: None,
        }
    }

    fn stored() -> CredentialSet {
        entry(input()).replace(None, NOW).unwrap().0
    }

    #[test]
    fn a_new_set_is_created() {
        let (set, effect) = entry(input()).replace(None, NOW).unwrap();
        assert_eq!((effect, set.created_at, set.updated_at), (Effect::Created, NOW, NOW));
        assert!(set.secret.is_current(&secret(SECRET)));
        assert_eq!(set.number, None);
    }

    #[test]
    fn an_identical_entry_changes_nothing() {
        let later = NOW.plus(60);
        assert_eq!(entry(input()).replace(Some(stored()), later), Ok((stored(), Effect::Unchanged)));
        let numbered = CredentialSet { number: Some(7), ..stored() };
        assert_eq!(entry(input()).replace(Some(numbered.clone()), later), Ok((numbered, Effect::Unchanged)));
    }

    #[test]
    fn a_different_field_is_a_change_that_keeps_the_date_of_creation() {
        let later = NOW.plus(60);
        for (field, value) in [
            ("name", json!("Other")),
            ("description", json!("d")),
            ("scopes", json!([])),
            ("service_id", json!(12)),
            ("logo_uri", json!("https://a.example/l")),
            ("client_uri", json!("https://a.example/")),
            ("redirect_uris", json!(["https://a.example/"])),
            ("disabled", json!(true)),
        ] {
            let mut input = input();
            input[field] = value;
            let (set, effect) = entry(input).replace(Some(stored()), later).unwrap();
            assert_eq!((effect, set.created_at, set.updated_at), (Effect::Changed, NOW, later), "{field}");
            assert_eq!(set.secret, stored().secret, "{field}");
        }
        let numbered = CredentialEntry { number: Some(7), ..entry(input()) };
        let (set, effect) = numbered.replace(Some(stored()), later).unwrap();
        assert_eq!((effect, set.number(), set.created_at), (Effect::Changed, 7, NOW));
    }

    #[test]
    fn another_secret_replaces_the_stored_one() {
        let other = CredentialEntry { secret: secret("another secret of thirty-two or more"), ..entry(input()) };
        let (set, effect) = other.replace(Some(stored()), NOW.plus(60)).unwrap();
        assert_eq!(effect, Effect::Changed);
        assert!(set.secret.verify(&secret("another secret of thirty-two or more"), NOW));
        assert!(!set.secret.verify(&secret(SECRET), NOW));
    }

    #[test]
    fn a_rotation_is_ended_by_its_old_secret_and_not_by_its_new_one() {
        let rotated = |text| CredentialSet { secret: stored().secret.rotate(&secret(text), 60, NOW), ..stored() };
        let brings_new = CredentialSet { secret: rotated(SECRET).secret, ..stored() };
        assert_eq!(entry(input()).replace(Some(brings_new.clone()), NOW), Ok((brings_new, Effect::Unchanged)));
        let (set, effect) = entry(input()).replace(Some(rotated("new")), NOW).unwrap();
        assert_eq!(effect, Effect::Changed);
        assert!(set.secret.verify(&secret(SECRET), NOW) && !set.secret.verify(&secret("new"), NOW));
    }

    #[test]
    fn the_binding_of_a_set_cannot_change() {
        for binding in [json!({"user_id": "43"}), json!({"delegated": true})] {
            let mut other = json!({"name": "Portal", "scopes": ["clientarea:invoices"]});
            other.as_object_mut().unwrap().extend(binding.as_object().unwrap().clone());
            assert_eq!(entry(other.clone()).replace(Some(stored()), NOW), Err(Reason::BoundOtherwise));
            let (set, _) = entry(other).replace(None, NOW).unwrap();
            assert_eq!(entry(input()).replace(Some(set), NOW), Err(Reason::BoundOtherwise));
        }
    }

    #[test]
    fn an_invalid_set_is_refused_with_the_message_of_post() {
        for (invalid, text) in [
            (json!({"name": "", "scopes": [], "user_id": "1"}), "The name must have 1 to 128 characters."),
            (json!({"name": "P", "scopes": []}), "Give either user_id or \"delegated\": true."),
        ] {
            assert_eq!(entry(invalid).replace(None, NOW), Err(Reason::Unfit(text)));
        }
    }
}
