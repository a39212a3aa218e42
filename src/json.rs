//! What serde leaves open about JSON.

use serde::{Deserialize, Deserializer};

/// For an optional field of a change: tells one that is null, which its type must allow, from one that is not there.
///
/// # Errors
/// Those of the field's type.
pub fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
