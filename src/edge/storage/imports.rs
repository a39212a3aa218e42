//! Writes the lines of an import in batches.

use super::kv::Kv;
use super::{accounts, credentials};
use crate::credential::CredentialSet;
use crate::edge::runtime::{Fault, RequestContext, platform};
use crate::id::{ClientId, OwnedId, UserId};
use crate::import::{Content, CredentialEntry, Entry, Item, LineOutcome, Reason};
use crate::store;
use crate::time::Timestamp;
use crate::user::Effect;
use futures_util::future::join_all;
use std::collections::BTreeSet;

/// The result of a line.
pub(crate) struct Written {
    pub(crate) line: u64,
    /// `None` for a blank line.
    pub(crate) outcome: Result<Option<LineOutcome>, Fault>,
}

/// Writes the lines of a batch concurrently. Returns their results in order. Removes the claims on dropped services
/// after all lines are written, so that a service can move from one account to another within a batch.
pub(crate) async fn write_batch(context: &RequestContext, batch: Vec<Item>) -> Vec<Written> {
    let now = platform::now();
    let writes = batch.into_iter().map(|item| async move { (item.line, write(context, item.content, now).await) });
    let results = join_all(writes).await.into_iter().map(|(line, written)| async move {
        let outcome = match written {
            Ok((effect, dropped)) => remove_dropped(context, dropped).await.map(|()| effect.map(Ok)),
            Err(LineError::Refused(reason)) => Ok(Some(Err(reason))),
            Err(LineError::Fault(fault)) => Err(fault),
        };
        Written { line, outcome }
    });
    join_all(results).await
}

/// The services that a user's account dropped.
type Dropped = Option<(UserId, BTreeSet<OwnedId>)>;

async fn write(
    context: &RequestContext,
    content: Content,
    now: Timestamp,
) -> Result<(Option<Effect>, Dropped), LineError> {
    match content {
        Content::Blank => Ok((None, None)),
        Content::Refused(reason) => Err(reason.into()),
        Content::Entry(Entry::Account(user, account)) => {
            let saved = accounts::put(context, &user, account, false).await?;
            Ok((Some(saved.effect), Some((user, saved.dropped))))
        }
        Content::Entry(Entry::Credential(entry)) => Ok((Some(write_set(context, *entry, now).await?), None)),
    }
}

async fn remove_dropped(context: &RequestContext, dropped: Dropped) -> Result<(), Fault> {
    match dropped {
        Some((user, services)) => accounts::remove_claims(context, &user, &services).await,
        None => Ok(()),
    }
}

/// Why a line was not written.
enum LineError {
    /// The line is refused. Nothing was written.
    Refused(Reason),
    Fault(Fault),
}

impl From<Reason> for LineError {
    fn from(reason: Reason) -> Self {
        Self::Refused(reason)
    }
}

impl From<Fault> for LineError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Writes a set with an existing id, secret and number. All checks come before the first write:
/// 1. find the owner of the service to bind the set to, if the line names one,
/// 2. read the stored set, and combine it with the line,
/// 3. check that no other set has the number,
/// 4. write the number, delete the old number, write the set, and store its state in the user's object.
async fn write_set(context: &RequestContext, mut entry: CredentialEntry, now: Timestamp) -> Result<Effect, LineError> {
    let kv = context.kv();
    // 1.
    if let Some(service) = &entry.owner_of {
        entry.input.user_id = Some(accounts::owner_of(context, service).await?.ok_or(Reason::NoOwner)?);
    }
    // 2.
    let old = kv.credential(&entry.client_id).await?;
    let old_number = old.as_ref().map(CredentialSet::number);
    let (set, effect) = entry.replace(old, now)?;
    let is_new = effect != Effect::Unchanged;
    // 3.
    if is_new && is_taken(&kv, &set).await? {
        return Err(Reason::NumberTaken.into());
    }
    // 4.
    let writing = async {
        if !is_new {
            return Ok(());
        }
        kv.put(&store::credential_number_key(set.number()), &set.client_id, None).await?;
        if let Some(number) = old_number.filter(|number| *number != set.number()) {
            kv.delete(&store::credential_number_key(number)).await?;
        }
        kv.put_credential(&set).await
    };
    let has_changed = credentials::write(context, &set, true, writing).await?;
    Ok(if has_changed && !is_new { Effect::Changed } else { effect })
}

/// Whether another set has the number of `set`. The number of a deleted set is free.
async fn is_taken(kv: &Kv, set: &CredentialSet) -> Result<bool, Fault> {
    let holder: Option<ClientId> = kv.get(&store::credential_number_key(set.number())).await?;
    let Some(holder) = holder.filter(|holder| *holder != set.client_id) else { return Ok(false) };
    Ok(kv.credential(&holder).await?.is_some_and(|holder| holder.number() == set.number()))
}
