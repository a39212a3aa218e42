//! The single sign-on actions of WHMCS's API, at `/includes/api.php`. Names, texts and statuses are those of WHMCS, so that an
//! existing client needs only another host name.

mod action;
mod action_name;
mod address_range;
mod answer;
mod api_credential;
mod request;

pub use action::{Action, CreateSsoToken, CredentialReference, ListCredentials, UpdateCredential};
pub use action_name::ActionName;
pub use address_range::AddressRange;
pub use answer::{ApiAnswer, Encoding, php_string};
pub use api_credential::{ApiCredential, ApiCredentialChange, ApiCredentialInput};
pub use request::{ApiParams, ApiRequest};
