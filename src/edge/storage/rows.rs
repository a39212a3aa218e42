//! The rows of the user's object.

use super::sql::{Sql, Statement, json, seconds};
use crate::id::TokenId;
use crate::store::{SWEEP_DELAY, TOKEN_RECORD_TTL, USER_MIGRATIONS};
use crate::time::Timestamp;
use crate::user::{
    Account, BoundCredential, Change, Command, EXPORT_EVENTS_MAX, EXPORT_RECORDS_MAX, Event, EventClass, Facts,
    Introspection, Redemption, Replay, Session, TokenFate, TokenRevocation,
};
use serde::Deserialize;
use worker::{Result, State};

pub(super) struct Rows(Sql);

/// A row that [`Rows::load_all`] selects.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Fact {
    Account(Account),
    Credential(BoundCredential),
    /// The highest number in the audit log, and the live sessions.
    SignIns(u64, Vec<Session>),
    Token(TokenFate),
}

impl Rows {
    pub(super) fn open(state: &State) -> Self {
        Self(Sql::new(state, &USER_MIGRATIONS))
    }

    /// The facts that `command` needs at `now`. `known` are the facts [after](Facts::after) the previous command, if
    /// they are in memory: then only the rows are loaded that this command alone needs, and for a redemption none.
    pub(super) fn load(&self, known: Option<Facts>, command: &Command, now: Timestamp) -> Result<Facts> {
        if !self.0.open_tables()? {
            return Ok(Facts::default());
        }
        let mut facts = match known {
            Some(facts) if matches!(command, Command::Redeem(_)) => facts,
            Some(facts) => Facts { token: self.load_token(command, now)?, ..facts },
            None => self.load_all(named(command), now)?,
        };
        match command {
            Command::ListEvents { before, limit } => facts.events = self.events(*before, *limit, now)?,
            Command::DeleteAccount { erase } => facts.has_callers = *erase && self.has_callers()?,
            Command::Export => {
                facts.events = self.events(None, EXPORT_EVENTS_MAX, now)?;
                facts.tokens = self.tokens(now)?;
            }
            _ => {}
        }
        Ok(facts)
    }

    /// Loads the facts that are kept in memory, and the final state of the token `jti`, by one statement. It scans the
    /// tokens once.
    fn load_all(&self, jti: Option<&TokenId>, now: Timestamp) -> Result<Facts> {
        // The primary key finds the highest number of each class of events without a scan.
        let latest = EventClass::ALL
            .map(|class| format!("ifnull((SELECT max(number) FROM event WHERE class = '{}'), 0)", class.as_str()));
        let query = format!(
            "SELECT '{{\"account\":' || data || '}}' FROM account \
             UNION ALL SELECT json_object('credential', json_object('client_id', client_id, 'state', state)) \
             FROM credential \
             UNION ALL SELECT '{{\"sign_ins\":[' || max(ifnull(max(number), 0), {}) || ',[' || \
             ifnull(group_concat(json_set(data, '$.token', jti, '$.ordinal', ifnull(number, 0))) \
             FILTER (WHERE session_expires_at > ?), '') || ']]}}' FROM token \
             UNION ALL SELECT '{{\"token\":' || data || '}}' FROM token WHERE jti = ?",
            latest.join(", ")
        );
        let mut facts = Facts::default();
        for fact in self.0.select(&query, vec![seconds(now), jti.map(TokenId::as_str).into()])? {
            match fact {
                Fact::Account(account) => facts.account = Some(account),
                Fact::Credential(set) => facts.credentials.push(set),
                Fact::SignIns(latest, sessions) => (facts.latest, facts.sessions) = (latest, sessions),
                Fact::Token(fate) => facts.token = Some(fate).filter(|fate| fate.is_kept(now)),
            }
        }
        Ok(facts)
    }

    /// The final state of the token in `command`.
    pub(super) fn load_token(&self, command: &Command, now: Timestamp) -> Result<Option<TokenFate>> {
        let Some(jti) = named(command) else { return Ok(None) };
        let fate: Option<TokenFate> =
            self.0.select("SELECT data FROM token WHERE jti = ?", vec![jti.as_str().into()])?.pop();
        Ok(fate.filter(|fate| fate.is_kept(now)))
    }

    /// The entries of the audit log, newest first: sign-ins are rows of tokens, all others are rows of events.
    fn events(&self, before: Option<u64>, limit: u64, now: Timestamp) -> Result<Vec<(u64, Event)>> {
        let query = "SELECT '[' || number || ',' || data || ']' FROM (\
             SELECT number, data FROM event WHERE number < ?1 AND expires_at > ?2 \
             UNION ALL SELECT number, json_set(data, '$.event', 'sso.signed_in', '$.jti', jti) \
             FROM token WHERE number < ?1 AND expires_at > ?2\
             ) ORDER BY number DESC LIMIT ?3";
        let before = before.unwrap_or(u64::from(u32::MAX)).into();
        self.0.select(query, vec![before, seconds(now), limit.into()])
    }

    /// The final states of tokens, newest first.
    fn tokens(&self, now: Timestamp) -> Result<Vec<(TokenId, TokenFate)>> {
        let query = "SELECT '[' || json_quote(jti) || ',' || data || ']' FROM token \
                     WHERE data ->> '$.at' > ? ORDER BY data ->> '$.at' DESC LIMIT ?";
        self.0.select(query, vec![seconds(now.minus(TOKEN_RECORD_TTL)), EXPORT_RECORDS_MAX.into()])
    }

    fn has_callers(&self) -> Result<bool> {
        let query = "SELECT count(*) FROM (SELECT data FROM event UNION ALL SELECT data FROM token) \
                     WHERE coalesce(data ->> '$.address', data ->> '$.user_agent', data ->> '$.destination', \
                     data ->> '$.nonce') IS NOT NULL";
        Ok(self.0.value::<u64>(query)? > 0)
    }

    /// Saves all changes, or none if one fails. The first write creates the tables. New entries of the audit log get
    /// the numbers after `latest`, and are kept for `event_ttl` seconds.
    pub(super) fn save_all(&self, changes: &[Change], latest: u64, now: Timestamp, event_ttl: u64) -> Result<()> {
        let (mut statements, mut latest) = (Vec::new(), latest);
        for change in changes {
            latest = change.number_after(latest);
            statements.extend(self::statements(change, latest, now, now.plus(event_ttl))?);
        }
        self.0.write(statements)
    }

    /// Deletes the oldest sign-ins above their quota, except those whose token or session is not over.
    fn trim_sign_ins(&self, now: Timestamp) -> Result<()> {
        self.0.exec(
            "DELETE FROM token WHERE number <= \
             (SELECT number FROM token WHERE number IS NOT NULL ORDER BY number DESC LIMIT 1 OFFSET ?) \
             AND data ->> '$.at' <= ? AND ifnull(session_expires_at, 0) <= ?",
            vec![EventClass::SignIn.quota().into(), seconds(now.minus(TOKEN_RECORD_TTL)), seconds(now)],
        )
    }

    /// Deletes expired rows and entries of the audit log above the quotas, and the tables if they are empty. Returns
    /// when to sweep again: after [`SWEEP_DELAY`] if a token or a session is not over, else when the next entry of the
    /// audit log expires; `None` if no row expires.
    pub(super) async fn sweep(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        if !self.0.open_tables()? {
            return Ok(None);
        }
        self.0.exec(
            "DELETE FROM token WHERE expires_at <= ?1 AND ifnull(session_expires_at, 0) <= ?1",
            vec![seconds(now)],
        )?;
        self.0.exec("DELETE FROM event WHERE expires_at <= ?", vec![seconds(now)])?;
        for class in EventClass::ALL {
            let (query, bindings) = trim(class);
            self.0.exec(&query, bindings)?;
        }
        self.trim_sign_ins(now)?;
        let live = self.0.select::<u64>(
            "SELECT count(*) FROM token WHERE data ->> '$.at' > ? OR session_expires_at > ?",
            vec![seconds(now.minus(TOKEN_RECORD_TTL)), seconds(now)],
        )?;
        let next = match live.as_slice() {
            [0] => self.0.value(
                "SELECT min(expires_at) FROM (SELECT expires_at FROM token UNION ALL SELECT expires_at FROM event)",
            )?,
            _ => Some(now.plus(SWEEP_DELAY)),
        };
        if next.is_none() && self.is_empty()? {
            self.0.delete_all().await?;
        }
        Ok(next)
    }

    /// Whether a user without tokens and events needs no row any more. The state of a revoked set is not needed, because
    /// a set without a stored state is refused too.
    fn is_empty(&self) -> Result<bool> {
        let query = "SELECT (SELECT count(*) FROM account) \
                     + (SELECT count(*) FROM credential WHERE state <> 'revoked')";
        Ok(self.0.value::<u64>(query)? == 0)
    }
}

/// The statements that save a change. `latest` is the number of its entry in the audit log.
fn statements(change: &Change, latest: u64, now: Timestamp, event_expires_at: Timestamp) -> Result<Vec<Statement>> {
    let one = |query: &'static str, bindings| vec![(query.into(), bindings)];
    Ok(match change {
        Change::SignIn(jti, sign_in) => one(
            // Fails by the primary key if the token has a final state.
            "INSERT INTO token (jti, number, expires_at, session_expires_at, data) VALUES (?, ?, ?, ?, ?)",
            vec![
                jti.as_str().into(),
                latest.into(),
                seconds(event_expires_at),
                seconds(sign_in.session_expires_at()),
                json(sign_in)?,
            ],
        ),
        Change::SettleToken(jti, fate) => one(
            // Fails by the primary key too.
            "INSERT INTO token (jti, expires_at, data) VALUES (?, ?, ?)",
            vec![jti.as_str().into(), seconds(now.plus(TOKEN_RECORD_TTL)), json(fate)?],
        ),
        Change::RefreshSession(session) => one(
            // The platform binds numbers as REAL. A column is an INTEGER by its type, a value in JSON by the cast.
            "UPDATE token SET session_expires_at = ?, \
             data = json_set(data, '$.last_seen_at', CAST(? AS INTEGER)) WHERE jti = ?",
            vec![seconds(session.expires_at()), seconds(session.last_seen_at), session.token.as_str().into()],
        ),
        Change::EndSession(jti) => one(
            "UPDATE token SET session_expires_at = NULL, data = json_remove(data, '$.destination', '$.nonce') WHERE jti = ?",
            vec![jti.as_str().into()],
        ),
        Change::SaveAccount(account) => {
            one("INSERT OR REPLACE INTO account (only, data) VALUES (1, ?)", vec![json(account)?])
        }
        Change::DeleteAccount => one("DELETE FROM account", Vec::new()),
        Change::SaveCredential(set) => one(
            "INSERT OR REPLACE INTO credential (client_id, state) VALUES (?, ?)",
            vec![set.client_id.as_str().into(), set.state.as_str().into()],
        ),
        Change::EraseCallers => [
            "UPDATE event SET data = json_remove(data, '$.address', '$.user_agent')",
            "UPDATE token SET data = json_remove(data, '$.address', '$.user_agent', '$.destination', '$.nonce')",
        ]
        .map(|query| (query.into(), Vec::new()))
        .into(),
        Change::Record(event) => {
            let class = event.class();
            let mut statements = one(
                "INSERT INTO event (class, number, expires_at, data) VALUES (?, ?, ?, ?)",
                vec![class.as_str().into(), latest.into(), seconds(event_expires_at), json(event)?],
            );
            statements.extend(class.is_always_within_quota().then(|| trim(class)));
            statements
        }
    })
}

/// Deletes the oldest events of a class above its quota.
fn trim(class: EventClass) -> Statement {
    let query = "DELETE FROM event WHERE class = ? AND number <= \
         (SELECT number FROM event WHERE class = ? ORDER BY number DESC LIMIT 1 OFFSET ?)";
    (query.into(), vec![class.as_str().into(), class.as_str().into(), class.quota().into()])
}

/// The token in `command`.
const fn named(command: &Command) -> Option<&TokenId> {
    match command {
        Command::Redeem(Redemption { jti, .. })
        | Command::IntrospectToken(Introspection { jti, .. })
        | Command::GetToken(jti)
        | Command::NoteReplay(Replay { jti, .. })
        | Command::RevokeToken(TokenRevocation { jti, .. }) => Some(jti),
        Command::CheckSession(_)
        | Command::PeekSession(_)
        | Command::AsUser(..)
        | Command::EndSession(..)
        | Command::EndSessions { .. }
        | Command::ListSessions(_)
        | Command::GetAccount
        | Command::PutAccount { .. }
        | Command::PatchAccount { .. }
        | Command::DeleteAccount { .. }
        | Command::Export
        | Command::SetCredential { .. }
        | Command::ListEvents { .. } => None,
    }
}
