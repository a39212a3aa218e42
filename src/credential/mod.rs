//! Credential sets, which are OAuth clients, and the authentication of clients.

mod authentication;
mod input;
mod set;

pub use authentication::{Client, ClientAuthentication, ClientProblem};
pub use input::{CredentialChange, CredentialInput};
pub use set::{CredentialSet, GrantType, StoredSecret};
