//! Credential sets: OAuth clients, and how they prove who they are.

mod authentication;
mod input;
mod set;

pub use authentication::{Client, ClientAuthentication, ClientProblem};
pub use input::{CredentialChange, CredentialInput};
pub use set::{Binding, CredentialSet, GrantType, StoredSecret};
