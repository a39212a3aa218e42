//! Signing in.

use super::answer;
use crate::console::{SIGN_IN_PATH, View};
use crate::http::{BROWSER_CHALLENGE, Failure, Response};
use maud::html;

/// The page that signs an administrator in, who wants to see `then`. `failure` is why it did not work before.
pub fn sign_in_page(then: &View, failure: Option<&Failure>) -> Response {
    let body = html! {
        main.card {
            p.status { "Signet console" }
            h1 { "Sign in" }
            @if let Some(failure) = failure { p.notice.bad role="alert" { (failure.description) } }
            form.fields method="post" action=(SIGN_IN_PATH) {
                input type="hidden" name="then" value=(then.address());
                div.field {
                    label for="admin_token" { "Administration token" }
                    input #admin_token type="password" name="admin_token" required maxlength="1024"
                        autocomplete="current-password" aria-describedby="admin_token-hint";
                    p.hint #admin_token-hint { "The secret " code { "ADMIN_TOKEN" } " of this deployment." }
                }
                p { button.button type="submit" { "Sign in" } }
            }
        }
    };
    answer(401, None, "Sign in", &body).with(BROWSER_CHALLENGE.0, BROWSER_CHALLENGE.1)
}
