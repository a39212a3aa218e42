//! Storage: KV, the objects of users and of the console, and the operations that span both.

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
pub(crate) mod tokens;
pub(crate) mod user_object;

use crate::edge::runtime::RequestContext;
use crate::id::UserId;
use calls::UserObject;
use kv::Kv;

impl RequestContext {
    pub(crate) fn kv(&self) -> Kv {
        Kv::open(&self.env)
    }

    /// The object of `user`. A new object is placed by the setting `OBJECT_LOCATION`.
    pub(crate) fn user(&self, user: &UserId) -> UserObject {
        UserObject { location: self.settings.object_location.clone(), ..self.user_near_caller(user) }
    }

    /// The object of `user`. A new object is placed near the caller: call this only if the browser of the user sent the
    /// request.
    pub(crate) fn user_near_caller(&self, user: &UserId) -> UserObject {
        UserObject {
            env: self.env.clone(),
            user: user.clone(),
            location: None,
            request_id: self.audit.request_id.clone(),
            request: self.request.clone(),
        }
    }
}
