//! The import of accounts and credential sets: a file's lines, what each asks for, in what batches they are done, and
//! what is reported. It is synchronous; the edge brings bytes and does the writing.

mod batch;
mod credential;
mod item;
mod lines;
mod reason;
mod report;
mod whmcs_list;

pub use batch::Batches;
pub use credential::CredentialEntry;
pub use item::{Content, Entry, Item};
pub use lines::{LINE_BYTES_MAX, Lines, RawLine};
pub use reason::Reason;
pub use report::{Counts, LineOutcome, PROGRESS_LINES, Report};
pub use whmcs_list::{LIST_BYTES_MAX, WhmcsList};
