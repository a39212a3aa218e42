//! The user: the account, its sessions and events, and the decisions of the user's object.

mod account;
mod bound_credential;
mod command;
mod cookie;
mod decide;
mod denial;
mod event;
mod event_class;
mod reply;
mod session;
mod sign_in;
mod token;

pub use account::{Account, AccountChange, AccountInput, OWNED_MAX, Status};
pub use bound_credential::{BoundCredential, CredentialState};
pub use command::{Command, Envelope, UserAction};
pub use cookie::SessionCookie;
pub use decide::{Change, Decision, Facts, decide};
pub use denial::Denial;
pub use event::{Actor, Event, EventKind, EventReason, SessionEnd, next_page_before};
pub use event_class::EventClass;
pub use reply::{Deleted, EXPORT_EVENTS_MAX, EXPORT_RECORDS_MAX, Effect, Export, Reply, Saved, Security};
#[cfg(test)]
pub(crate) use session::tests::session as session_for_test;
pub use session::{Session, applications_of};
pub use sign_in::SignIn;
pub use token::{Fate, Introspection, Redemption, Replay, TokenFate, TokenRevocation};
