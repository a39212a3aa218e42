//! The runtime's rate limits.

use super::fault::Fault;
use worker::Env;

/// The binding's name in wrangler.toml.
pub(super) const BINDING: &str = "FAILURES";

/// Counts a failed attempt under each of `keys`, and says whether it is one too many for any of them. Without the binding,
/// none ever is; nor when it fails, for a limit must not become an outage.
pub(super) async fn exceeded(env: &Env, keys: Vec<String>, request_id: &str) -> bool {
    let Ok(limiter) = env.rate_limiter(BINDING) else { return false };
    let mut is_exceeded = false;
    for key in keys {
        match limiter.limit(key).await {
            Ok(outcome) => is_exceeded |= !outcome.success,
            Err(error) => {
                worker::console_error!("{}", Fault::storage("rate limit")(error).log_line("limit", request_id))
            }
        }
    }
    is_exceeded
}
