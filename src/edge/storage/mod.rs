//! What is stored, and where: KV, the objects of users and of the console, and what is kept in both.

pub(crate) mod accounts;
pub(crate) mod administration;
pub(crate) mod calls;
pub(crate) mod console_object;
pub(crate) mod counters;
pub(crate) mod credentials;
pub(crate) mod imports;
pub(crate) mod kv;
mod object;
mod rows;
pub(crate) mod sessions;
mod sql;
pub(crate) mod user_object;

use crate::edge::runtime::{Fault, RequestContext};
use crate::id::UserId;
use calls::UserObject;
use kv::Kv;

/// Who calls a user's object, and so decides where a new one is placed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placement {
    /// Near the user, who sent this request.
    NearCaller,
    /// Where the setting `OBJECT_LOCATION` says.
    AsConfigured,
}

impl RequestContext {
    /// The KV namespace.
    pub(crate) fn kv(&self) -> Result<Kv, Fault> {
        Kv::open(&self.env)
    }

    /// The object of `user`.
    pub(crate) fn user(&self, user: &UserId, placement: Placement) -> UserObject {
        UserObject {
            env: self.env.clone(),
            user: user.clone(),
            location: match placement {
                Placement::NearCaller => None,
                Placement::AsConfigured => self.settings.object_location.clone(),
            },
            request_id: self.audit.request_id.clone(),
            caller: self.request.caller(),
        }
    }

    /// Completes a call that the answer does not wait for.
    pub(crate) fn after_answer<T>(&self, call: impl Future<Output = Result<T, Fault>> + 'static) {
        let audit = self.audit.clone();
        self.worker.wait_until(async move {
            if let Err(fault) = call.await {
                audit.report(&fault);
            }
        });
    }
}
