//! What the Worker asks of the console's object, and what it answers. Both travel as JSON.

use super::{ConsoleSession, Count};
use crate::id::SessionId;
use crate::secret::SecretDigest;
use serde::{Deserialize, Serialize};

/// What can be asked of the console's object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsoleCommand {
    /// Open a session. Answer: `Done`.
    Open(ConsoleSession),
    /// Is this session alive, while this is the digest of the administration token in force? Refreshes its idle limit.
    /// Answer: `Done`, `Missing`.
    Check(SessionId, SecretDigest),
    /// End a session. Answer: `Done`.
    End(SessionId),
    /// Add to the counts. Answer: `Done`.
    Count(Vec<Count>),
    /// The counts from this day on, in whole days (UTC) since 1970. Answer: `Counts`.
    Counts(u64),
}

/// What the console's object answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsoleReply {
    /// The counts.
    Counts(Vec<Count>),
    /// It is done, or so it is.
    Done,
    /// There is no such session.
    Missing,
}
