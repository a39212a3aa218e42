//! The user: the account, its sessions, its audit trail, and the one place that decides on them.

mod account;
mod bound_credential;
mod command;
mod cookie;
mod decide;
mod denial;
mod event;
mod reply;
mod session;

pub use account::{Account, AccountChange, AccountInput, OWNED_MAX, Status};
pub use bound_credential::{BoundCredential, CredentialState};
pub use command::{Command, Envelope, Introspection, Redemption, Replay, TokenRevocation, UserAction};
pub use cookie::SessionCookie;
pub use decide::{Change, Facts, decide};
pub use denial::Denial;
pub use event::{Actor, Event, EventClass, EventKind, EventReason, SessionEnd, next_page_before};
pub use reply::{
    Deleted, EXPORT_EVENTS_MAX, EXPORT_RECORDS_MAX, Effect, Export, Fate, Reply, Saved, Security, TokenFate,
};
#[cfg(test)]
pub(crate) use session::tests::session as session_for_test;
pub use session::{Session, applications_of};
