//! What the Worker asks of the console's object, and what it answers. Both travel as JSON.

use super::{ConsoleSession, Count};
use crate::id::SessionId;
use crate::secret::SecretDigest;
use serde::{Deserialize, Serialize};

/// What reaches the console's object: a command, and the administration token in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsoleEnvelope {
    /// The digest of the administration token in force. Before the command, the object deletes every session that another
    /// token opened. So a changed token ends them for good, even if it is changed back later.
    pub admin_token: SecretDigest,
    /// What is asked.
    pub command: ConsoleCommand,
}

/// What can be asked of the console's object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsoleCommand {
    /// Open a session, and end the one that the browser presented. Answer: `Done`.
    Open {
        /// The new session.
        session: ConsoleSession,
        /// The session that the browser presented.
        replaces: Option<SessionId>,
    },
    /// Is this session alive? Refreshes its idle limit. Answer: `Done`, `Missing`.
    Check(SessionId),
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
            (
                ConsoleCommand::Open { session: session.clone(), replaces: Some(sid.clone()) },
                json!({"open": {"session": row, "replaces": SID}}),
            ),
            (ConsoleCommand::Open { session, replaces: None }, json!({"open": {"session": row, "replaces": null}})),
            (ConsoleCommand::Check(sid.clone()), json!({"check": SID})),
            (ConsoleCommand::End(sid), json!({"end": SID})),
            (ConsoleCommand::Count(counts()), json!({"count": rows()})),
            (ConsoleCommand::Counts(20_000), json!({"counts": 20_000})),
        ] {
            assert_wire(command.clone(), wire.clone());
            let envelope = ConsoleEnvelope { admin_token: digest.clone(), command };
            assert_wire(envelope, json!({"admin_token": token, "command": wire}));
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
