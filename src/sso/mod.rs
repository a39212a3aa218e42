//! The SSO endpoint: who may be redirected where.

mod answer;
mod denial;
mod destination;
mod nonce;
mod path;
mod request;
mod switch;

pub use answer::{Refusal, SESSION_COOKIE, cookie_cleared, signed_in};
pub use denial::Denial;
pub use destination::{ClientArea, DestinationInputs, MissingInput, Scope, ScopeSet};
pub use nonce::{BrowserNonce, NONCE_COOKIE, NONCE_MARK};
pub use path::RelativePath;
pub use request::{Journey, SsoRequest, parse_inputs};
pub use switch::SwitchConfirmation;
