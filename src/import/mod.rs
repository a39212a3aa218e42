//! The import of accounts and credential sets: splitting a file into lines, parsing them, grouping them into batches, and reporting
//! the results. The edge reads the bytes and writes to storage.

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
pub use lines::{Lines, RawLine};
pub use reason::Reason;
pub use report::{Counts, LineOutcome, PROGRESS_LINES, Report};
pub use whmcs_list::{LIST_BYTES_MAX, WhmcsList};
