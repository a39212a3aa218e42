//! The part of WHMCS's API that deals with single sign-on, at `/includes/api.php`, so that what was written for WHMCS needs
//! only another host name. Names, texts and statuses are WHMCS's.

mod action;
mod answer;
mod api_credential;
mod request;

pub use action::{Action, CreateSsoToken, CredentialReference, ListCredentials, UpdateCredential};
pub use answer::{ApiAnswer, Encoding, php_string};
pub use api_credential::{ActionName, AddressRange, ApiCredential, ApiCredentialChange, ApiCredentialInput};
pub use request::{ApiParams, ApiRequest};
