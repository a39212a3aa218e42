//! The user: the account, its sessions, its audit trail, and the one place that decides on them.

mod account;
mod command;
mod decide;
mod event;
mod session;

pub use account::{Account, AccountChange, AccountInput, OWNED_MAX, Status};
pub use command::{
    Caller, Command, Effect, Fate, Introspection, Redemption, Reply, Saved, Security, TokenFate, Turn, UserAction,
};
pub use decide::{Change, Decision, Facts, SESSIONS_MAX, decide};
pub use event::{EVENT_TTL, EVENTS_KEPT, Event, EventKind, EventReason, SessionEnd, next_page_before};
pub use session::{Session, SessionCookie};
