//! The administration API: its requests, and the shape of its answers.

mod answer;
mod request;

pub use answer::{account_json, api_credential_json, credential_json, event_page_json, token_json};
pub use request::{AdminRequest, ApiCredentialRequest, CredentialRequest, OVERLAP_SECONDS_MAX, UserRequest};
