//! The rate limit of failed attempts, by address and by client.

use super::platform::{self, now};
use super::run::settled;
use super::{Fault, RequestContext};
use crate::http::{Failure, Request};
use crate::limit::{RefusedAddresses, TOO_MANY_ATTEMPTS, address_key, client_key};
use std::cell::RefCell;
use worker::Env;

/// The binding's name in wrangler.toml.
const BINDING: &str = "FAILURES";

thread_local! {
    /// The addresses that the binding has refused in this isolate.
    static REFUSED: RefCell<RefusedAddresses> = RefCell::default();
}

/// Whether this isolate knows that the address of `request` is over its limit. Costs no call of the binding.
pub(crate) fn refuses(request: &Request) -> bool {
    let has_refused = REFUSED.with_borrow(|refused| !refused.is_empty());
    has_refused && request.address().is_some_and(|address| is_refused(&address_key(&address)))
}

fn is_refused(address_key: &str) -> bool {
    REFUSED.with_borrow(|refused| refused.contains(address_key, now()))
}

/// Counts a failed attempt to prove knowledge of a secret.
///
/// # Errors
/// 429 if the address or the client is over the limit. This replaces the reason in the log.
pub(crate) async fn count_failed_attempt(context: &RequestContext) -> Result<(), Failure> {
    if exceeds(context).await {
        context.audit.reason.set(None);
        return Err(TOO_MANY_ATTEMPTS);
    }
    Ok(())
}

/// Counts a failed attempt for the address and the client. Returns whether one of them is over the limit. An attempt
/// from an address that this isolate knows to be over its limit is not counted.
async fn exceeds(context: &RequestContext) -> bool {
    let mut exceeds = false;
    if let Some(key) = context.request.address().map(|address| address_key(&address)) {
        if is_refused(&key) {
            return true;
        }
        if count(&key, context).await {
            REFUSED.with_borrow_mut(|refused| refused.add(key, now()));
            exceeds = true;
        }
    }
    let client_key = context.audit.client_id.borrow().as_ref().map(client_key);
    if let Some(key) = client_key {
        exceeds |= count(&key, context).await;
    }
    exceeds
}

/// Whether failed attempts are limited.
pub(crate) fn is_bound(env: &Env) -> bool {
    platform::is_bound(env, "FAILURES.limit")
}

/// Counts an attempt under `key`. Returns whether the key is over the limit. Without the binding, or if it fails, no
/// key is over the limit: a failing rate limit must not block sign-ins.
async fn count(key: &str, context: &RequestContext) -> bool {
    if !is_bound(&context.env) {
        return false;
    }
    let counted = match platform::is_within_limit(&context.env, BINDING, key) {
        Ok(counted) => settled(counted).await,
        Err(error) => Err(error),
    };
    match counted {
        Ok(is_within_limit) => is_within_limit.is_falsy(),
        Err(error) => {
            let fault = Fault::Storage("rate limit", platform::error_text(&error));
            worker::console_error!("{}", fault.log_line("limit", &context.audit.request_id));
            false
        }
    }
}
