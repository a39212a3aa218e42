//! The runtime's rate limits.

use super::fault::Fault;
use super::platform::now;
use crate::http::Request;
use crate::id::ClientId;
use crate::limit::{RefusedAddresses, address_key, client_key};
use std::cell::RefCell;
use worker::Env;

/// The binding's name in wrangler.toml.
pub(super) const BINDING: &str = "FAILURES";

thread_local! {
    /// The addresses that the binding reported to this isolate.
    static REFUSED: RefCell<RefusedAddresses> = RefCell::default();
}

/// Whether the address that `request` comes from is over its limit.
pub(super) fn refuses(request: &Request) -> bool {
    request.caller().address.is_some_and(|address| is_refused(&address_key(&address)))
}

fn is_refused(address_key: &str) -> bool {
    REFUSED.with_borrow(|refused| refused.contains(address_key, now()))
}

/// Counts a failed attempt at the secret of `client_id`, and returns whether it is over the limit. An attempt from a refused
/// address is over the limit and is not counted. Without the binding, no other attempt is.
pub(super) async fn exceeds(request: &Request, client_id: Option<&ClientId>, env: &Env, request_id: &str) -> bool {
    let mut exceeds = false;
    if let Some(key) = request.caller().address.map(|address| address_key(&address)) {
        if is_refused(&key) {
            return true;
        }
        if count(&key, env, request_id).await {
            REFUSED.with_borrow_mut(|refused| refused.add(key, now()));
            exceeds = true;
        }
    }
    if let Some(key) = client_id.map(client_key) {
        exceeds |= count(&key, env, request_id).await;
    }
    exceeds
}

/// Counts an attempt under `key`, and returns whether it is over the limit. If the binding fails, it is not: a limit must not
/// become an outage.
async fn count(key: &str, env: &Env, request_id: &str) -> bool {
    let Ok(limiter) = env.rate_limiter(BINDING) else { return false };
    match limiter.limit(key.to_owned()).await {
        Ok(outcome) => !outcome.success,
        Err(error) => {
            worker::console_error!("{}", Fault::storage("rate limit")(error).log_line("limit", request_id));
            false
        }
    }
}
