//! What is stored, and where: KV, the objects of users and of the console, and what is kept in both.

pub(crate) mod accounts;
pub(crate) mod administration;
pub(crate) mod console_object;
pub(crate) mod counters;
pub(crate) mod credentials;
pub(crate) mod imports;
pub(crate) mod kv;
pub(crate) mod object;
mod rows;
pub(crate) mod sessions;
mod sql;
pub(crate) mod user_object;

use crate::edge::runtime::{Fault, RequestContext};
use crate::id::UserId;
use crate::user::{Command, Reply, Turn};
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

    /// Asks the object of `user`: one request.
    pub(crate) async fn ask(&self, user: &UserId, placement: Placement, command: Command) -> Result<Reply, Fault> {
        let hint = match placement {
            Placement::NearCaller => None,
            Placement::AsConfigured => self.settings.object_location.as_deref(),
        };
        user_object::ask(&self.env, user, hint, &self.turn(command)).await
    }

    /// Asks the object of `user` to do what the answer need not wait for.
    pub(crate) fn ask_after_answer(&self, user: UserId, command: Command) {
        let (env, audit, turn) = (self.env.clone(), self.audit.clone(), self.turn(command));
        self.worker.wait_until(async move {
            if let Err(fault) = user_object::ask(&env, &user, None, &turn).await {
                audit.report(&fault);
            }
        });
    }

    fn turn(&self, command: Command) -> Turn {
        Turn { request_id: self.audit.request_id.clone(), caller: self.request.caller(), command }
    }
}
