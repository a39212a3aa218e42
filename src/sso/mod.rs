//! The requests, redirects, pages and refusals of the SSO endpoint.

mod answer;
mod denial;
mod nonce;
mod redirect;
mod request;
mod switch;

pub use answer::signed_in_response;
pub use nonce::BrowserNonce;
pub use redirect::Redirect;
pub use request::SsoRequest;
pub use switch::{SwitchConfirmation, switch_page};
