//! The messages to and from the console's object, as JSON.

use super::{ConsoleSession, Count};
use crate::id::SessionId;
use crate::secret::SecretDigest;
use serde::{Deserialize, Serialize};

/// A command with the current administration token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsoleEnvelope {
    /// The digest of the current administration token. Before it executes the command, the object deletes all sessions that
    /// another token opened. They stay ended if the operator changes the token back.
    pub admin_token: SecretDigest,
    pub command: ConsoleCommand,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsoleCommand {
    /// Opens a session, and ends the session whose cookie the browser presented. Reply: `Done`.
    Open { session: ConsoleSession, replaces: Option<SessionId> },
    /// Checks that the session is active, and refreshes its idle limit. Reply: `Done` or `Missing`.
    Check(SessionId),
    /// Ends a session. Reply: `Done`.
    End(SessionId),
    /// Adds to the daily counts. Reply: `Done`.
    Count(Vec<Count>),
    /// Reads the daily counts from this day on, in whole days (UTC) since 1970. Reply: `Counts`.
    Counts(u64),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsoleReply {
    Counts(Vec<Count>),
    Done,
    /// There is no such active session.
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
