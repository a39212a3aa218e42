//! Credential sets: OAuth clients, and how they prove who they are.

mod input;
mod set;

pub use input::{CredentialChange, CredentialInput};
pub use set::{Binding, ClientAuthentication, CredentialSet, GrantType, StoredSecret};
