//! What the Worker asks of a user's object, and what it answers. Both travel as JSON.

use crate::id::{ClientId, OwnedId, SessionId, TokenId};
use crate::sso::{Denial, Scope};
use crate::time::Timestamp;
use crate::user::{Account, AccountChange, AccountInput, Event, Session, SessionEnd};
use serde::{Deserialize, Serialize};

/// One request to the object: a command, and who caused it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// The request, as in the log.
    pub request_id: String,
    /// Where the request came from.
    pub caller: Caller,
    /// What is asked.
    pub command: Command,
}

/// Where a request came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The client's address, as Cloudflare saw it.
    pub address: Option<String>,
    /// The client's `User-Agent`, shortened.
    pub user_agent: Option<String>,
}

/// What can be asked of a user's object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Sign the user in with a token. Answer: `SignedIn`, `Repeated` or `Denied`.
    Redeem(Redemption),
    /// Is this session alive? Refreshes its idle limit. Answer: `Session`, `Missing`.
    CheckSession(SessionId),
    /// End a session. Answer: `Done`, `Missing`.
    EndSession(SessionId, SessionEnd),
    /// End all sessions. Answer: `Done`.
    EndSessions,
    /// List the live sessions. Answer: `Sessions`.
    ListSessions,
    /// Read the account. Answer: `Account`, `Missing`.
    GetAccount,
    /// Create or replace the account. Answer: `Account`, `Created`.
    PutAccount(AccountInput),
    /// Change the account. Answer: `Account`, `Missing`.
    PatchAccount(AccountChange),
    /// Delete the account and end its sessions. Answer: `Done`, `Missing`.
    DeleteAccount,
    /// List events older than the one numbered `before`, newest first. Answer: `Events`.
    ListEvents {
        /// The number of an event; none for the newest.
        before: Option<u64>,
        /// How many at most.
        limit: u64,
    },
    /// What became of a token? Answer: `Fate`.
    GetToken(TokenId),
    /// Revoke a token. Answer: `Done`.
    RevokeToken(TokenId),
    /// Refuse every token of a credential set from now on. Answer: `Done`.
    RevokeCredential(ClientId),
    /// Take a `RevokeCredential` back. Answer: `Done`.
    RestoreCredential(ClientId),
}

/// All that is needed to redeem a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redemption {
    /// The token.
    pub jti: TokenId,
    /// When it dies.
    pub expires_at: Timestamp,
    /// The credential set that asked for it.
    pub client_id: ClientId,
    /// Where the user is going.
    pub destination: Option<Scope>,
    /// The service that must be the user's.
    pub service_id: Option<OwnedId>,
    /// The domain that must be the user's.
    pub domain_id: Option<OwnedId>,
    /// This user's session that the browser presents, its cookie checked.
    pub presented: Option<SessionId>,
    /// The id of the session to open.
    pub session_id: SessionId,
    /// How long the session may live without use, in seconds.
    pub session_idle: u64,
    /// How long the session may live in all, in seconds.
    pub session_max: u64,
}

/// What the object answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// The token was spent on this new session.
    SignedIn(Session),
    /// The token had opened this session in the same browser; nothing changed.
    Repeated(Session),
    /// The user is not signed in.
    Denied(Denial),
    /// The session is alive.
    Session(Session),
    /// The live sessions, newest first.
    Sessions(Vec<Session>),
    /// The account as it is now.
    Account(Account),
    /// The account as it is now, and it is new.
    Created(Account),
    /// Numbered events, newest first.
    Events(Vec<(u64, Event)>),
    /// What became of the token; none while it may still be redeemed.
    Fate(Option<TokenFate>),
    /// It is done.
    Done,
    /// There is no such thing.
    Missing,
}

/// What became of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenFate {
    /// What became of it.
    pub fate: Fate,
    /// When.
    pub at: Timestamp,
}

/// What can become of a token. Each is final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It signed its user in.
    SignedIn,
    /// It was refused, and is spent.
    Denied(Denial),
    /// It was revoked before anyone redeemed it.
    Revoked,
}
