//! The platform: the context of a request, settings, time, random bytes, rate limits and the log.

pub(crate) mod assertion_keys;
mod context;
pub(crate) mod decisions;
mod error;
pub(crate) mod limits;
pub(crate) mod platform;
pub(crate) mod run;
pub(crate) mod settings;

pub(crate) use context::{AuditContext, Deferred, RequestContext, run_to_end};
pub(crate) use error::{Error, Fault};
