//! The facts that the object keeps in memory, after any sequence of commands: they are those that loading the stored
//! rows again would give.

use super::*;
use crate::user::{AccountChange, AccountInput};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Stored rows, written as `edge::storage::rows` writes them.
#[derive(Default)]
struct Rows {
    account: Option<Account>,
    /// The state by credential set.
    credentials: BTreeMap<ClientId, CredentialState>,
    tokens: BTreeMap<TokenId, TokenRow>,
    /// The numbers of the events that are no sign-ins.
    events: Vec<u64>,
}

struct TokenRow {
    number: Option<u64>,
    session_expires_at: Option<Timestamp>,
    data: serde_json::Value,
}

impl Rows {
    fn save(&mut self, changes: &[Change], mut latest: u64) {
        for change in changes {
            latest = change.number_after(latest);
            match change.clone() {
                Change::SignIn(jti, sign_in) => {
                    let session_expires_at = Some(sign_in.session_expires_at());
                    let data = serde_json::to_value(sign_in).unwrap();
                    let row = TokenRow { number: Some(latest), session_expires_at, data };
                    assert!(self.tokens.insert(jti, row).is_none(), "a second final state");
                }
                Change::SettleToken(jti, fate) => {
                    let data = serde_json::to_value(fate).unwrap();
                    let row = TokenRow { number: None, session_expires_at: None, data };
                    assert!(self.tokens.insert(jti, row).is_none(), "a second final state");
                }
                Change::RefreshSession(session) => {
                    let row = self.tokens.get_mut(&session.token).unwrap();
                    row.session_expires_at = Some(session.expires_at());
                    row.data["last_seen_at"] = session.last_seen_at.seconds().into();
                }
                Change::EndSession(jti) => self.tokens.get_mut(&jti).unwrap().session_expires_at = None,
                Change::SaveAccount(account) => self.account = Some(account),
                Change::DeleteAccount => self.account = None,
                Change::SaveCredential(set) => drop(self.credentials.insert(set.client_id, set.state)),
                Change::EraseCallers => {
                    for row in self.tokens.values_mut() {
                        let fields = row.data.as_object_mut().unwrap();
                        fields.retain(|name, _| !["address", "user_agent", "destination", "nonce"].contains(&&**name));
                    }
                }
                Change::Record(_) => self.events.push(latest),
            }
        }
    }

    /// Loads the facts for a command about `token` in a new life of the object.
    fn load(&self, token: Option<&TokenId>, now: Timestamp) -> Facts {
        let live = self.tokens.iter().filter(|(_, row)| row.session_expires_at.is_some_and(|end| end > now));
        let session = |(jti, row): (&TokenId, &TokenRow)| {
            let mut data = row.data.clone();
            data["token"] = jti.as_str().into();
            data["ordinal"] = row.number.unwrap_or(0).into();
            serde_json::from_value(data).unwrap()
        };
        let numbers = self.tokens.values().filter_map(|row| row.number).chain(self.events.iter().copied());
        let credentials = self.credentials.iter().map(|(id, state)| (id.clone(), *state));
        Facts {
            account: self.account.clone(),
            sessions: live.map(session).collect(),
            credentials: credentials.map(|(client_id, state)| BoundCredential { client_id, state }).collect(),
            latest: numbers.max().unwrap_or(0),
            token: self.token(token),
            ..Facts::default()
        }
    }

    fn token(&self, jti: Option<&TokenId>) -> Option<TokenFate> {
        let row = self.tokens.get(jti?)?;
        Some(serde_json::from_value(row.data.clone()).unwrap())
    }
}

/// The facts in memory without what has no effect: expired sessions and the order of sessions.
fn effective(facts: Facts, now: Timestamp) -> Facts {
    let mut sessions: Vec<_> = facts.sessions.iter().filter(|session| session.is_live(now)).cloned().collect();
    sessions.sort_by(|a, b| a.token.cmp(&b.token));
    Facts { sessions, ..facts }
}

/// A command about the token `n`, whose session has the id `n` too, and that token.
fn command(kind: u8, n: u8, now: Timestamp) -> (Command, Option<TokenId>) {
    let set = |state| BoundCredential {
        client_id: ClientId::parse(if n.is_multiple_of(2) { "portal" } else { "panel" }).unwrap(),
        state,
    };
    let set_credential = |state, end_sessions| Command::SetCredential { set: set(state), end_sessions, by: None };
    let put = |status| AccountInput { status, sso: None, services: BTreeSet::new(), domains: BTreeSet::new() };
    let redeem = Redemption {
        jti: jti(n),
        expires_at: now.plus(60),
        client_id: set(CredentialState::Enabled).client_id,
        delegated: n.is_multiple_of(3),
        browser_session: n.is_multiple_of(5).then(|| sid(n / 2)),
        session_id: sid(n),
        ..redemption()
    };
    let command = match kind {
        0..=5 => return (Command::Redeem(redeem), Some(jti(n))),
        6 => {
            let by = None;
            let revocation = TokenRevocation { jti: jti(n), client_id: portal(), expires_at: now.plus(60), by };
            return (Command::RevokeToken(revocation), Some(jti(n)));
        }
        7..=9 => Command::CheckSession(sid(n)),
        10 => Command::EndSession(sid(n), SessionEnd::SignedOut),
        11 => Command::AsUser(sid(n), UserAction::EndOtherSessions),
        12 => Command::AsUser(sid(n), UserAction::SetSso(n > 9)),
        13 => Command::EndSessions { client_id: (n > 9).then(portal), why: SessionEnd::Administrator },
        14..=15 => Command::PutAccount { account: put(Status::Active), end_sessions: n > 200 },
        16 => Command::PatchAccount {
            change: AccountChange { status: (n > 128).then_some(Status::Closed), ..AccountChange::default() },
            end_sessions: n > 200,
        },
        17 => set_credential(CredentialState::Revoked, n > 128),
        18..=20 => set_credential(CredentialState::Enabled, false),
        _ => Command::DeleteAccount { erase: n > 128 },
    };
    (command, None)
}

proptest! {
    #[test]
    fn memory_is_what_a_new_life_of_the_object_loads(
        steps in proptest::collection::vec((0..22_u8, any::<u8>(), 0..900_u64), 1..150)
    ) {
        let (mut rows, mut memory, mut now) = (Rows::default(), Facts::default(), NOW);
        for (kind, n, seconds) in steps {
            now = now.plus(seconds);
            let (command, token) = command(kind, n, now);
            let loaded = rows.load(token.as_ref(), now);
            let facts = Facts { token: rows.token(token.as_ref()), ..memory };
            prop_assert_eq!(effective(facts.clone(), now), effective(loaded.clone(), now));
            let decision = ask_from(here(), facts.clone(), command.clone(), now);
            let again = ask_from(here(), loaded, command, now);
            prop_assert_eq!(&decision.reply, &again.reply);
            prop_assert_eq!(decision.changes.len(), again.changes.len());
            rows.save(&decision.changes, facts.latest);
            memory = facts.after(decision.changes, now);
        }
    }
}

#[test]
fn what_one_command_needs_is_not_kept() {
    let facts = Facts {
        token: redeemed(),
        events: vec![(1, event(EventKind::Denied))],
        tokens: vec![(jti(TOKEN), fate(Fate::Revoked))],
        has_callers: true,
        latest: 1,
        ..user_with([session(OTHER)])
    };
    let expected = Facts { latest: 1, ..user_with([session(OTHER)]) };
    assert_eq!(facts.after(vec![], NOW), expected);
}

#[test]
fn a_sign_in_drops_expired_sessions_from_memory() {
    let facts = user_with([expired(session(OTHER))]);
    let changes = redeem_here(facts.clone(), redemption()).changes;
    assert_eq!(facts.after(changes, NOW), Facts { latest: 1, ..user_with([opened()]) });
}
