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
    /// It is done; the session is alive.
    Done,
    /// There is no such session.
    Missing,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::assert_wire;
    use crate::log::Outcome;
    use crate::time::Timestamp;
    use serde_json::json;

    const SID: &str = "AgICAgICAgICAgICAgICAg";

    fn counts() -> Vec<Count> {
        let outcomes = [Outcome::Granted, Outcome::Denied, Outcome::Failed, Outcome::Deferred];
        outcomes.map(|outcome| Count { day: 20_000, outcome, reason: "closed".into(), count: 3 }).to_vec()
    }

    fn rows() -> Vec<serde_json::Value> {
        let words = ["granted", "denied", "failed", "deferred"];
        words.map(|word| json!({"day": 20_000, "outcome": word, "reason": "closed", "count": 3})).to_vec()
    }

    #[test]
    fn wire_form_of_each_command_is_unchanged() {
        let (sid, token) = (SessionId::parse(SID).unwrap(), "A".repeat(43));
        let digest: SecretDigest = serde_json::from_value(json!(token)).unwrap();
        let session = ConsoleSession::new(sid.clone(), digest.clone(), Timestamp::from_seconds(7));
        let row = json!({"id": SID, "admin_token": token, "opened_at": 7, "last_seen_at": 7});
        for (command, wire) in [
            (ConsoleCommand::Open(session), json!({"open": row})),
            (ConsoleCommand::Check(sid.clone(), digest), json!({"check": [SID, token]})),
            (ConsoleCommand::End(sid), json!({"end": SID})),
            (ConsoleCommand::Count(counts()), json!({"count": rows()})),
            (ConsoleCommand::Counts(20_000), json!({"counts": 20_000})),
        ] {
            assert_wire(command, wire);
        }
    }

    #[test]
    fn wire_form_of_each_reply_is_unchanged() {
        for (reply, wire) in [
            (ConsoleReply::Counts(counts()), json!({"counts": rows()})),
            (ConsoleReply::Done, json!("done")),
            (ConsoleReply::Missing, json!("missing")),
        ] {
            assert_wire(reply, wire);
        }
    }
}
