//! The SSO endpoint: who may be redirected where.

mod answer;
mod denial;
mod nonce;
mod request;
mod switch;

pub use answer::signed_in;
pub use nonce::{BrowserNonce, NONCE_MARK};
pub use request::{Journey, SsoRequest};
pub use switch::{SwitchConfirmation, switch_page};
