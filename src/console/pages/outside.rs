//! The pages that need no session.

use super::{answer, failure_title};
use crate::console::{SIGN_IN_PATH, View};
use crate::failure_response::status_phrase;
use crate::http::{BROWSER_CHALLENGE, Failure, Response};
use maud::{Markup, html};

pub const ADMINISTRATION_OFF: &str =
    "Administration is off. Set CONSOLE_ORIGIN to an address of its own, apart from the client area, to turn it on.";

/// The form that signs an administrator in and then shows `then`. `failure` is that of the previous attempt.
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

/// The failure page for requests whose session was not checked or is not active.
pub fn refusal_page(failure: &Failure) -> Response {
    let message = html! {
        p.message role="alert" { (failure.description) }
        p { a.button href=(View::Overview.address()) { "Open the console" } }
    };
    failure.add_header(card(failure.status, failure_title(failure), &message))
}

/// The answer at an origin that does not serve administration: 421 (RFC 9110 section 15.5.20), with the right address.
pub fn misdirected_page(console_origin: Option<&str>) -> Response {
    match console_origin {
        Some(origin) => {
            let address = format!("{origin}{}", View::Overview.address());
            let message = html! {
                p.message { "The console has an address of its own: " strong { (origin) } "." }
                p { a.button href=(address) { "Open the console" } }
            };
            card(421, "The console is elsewhere", &message)
        }
        None => card(421, "Administration is off", &html! { p.message { (ADMINISTRATION_OFF) } }),
    }
}

fn card(status: u16, title: &str, content: &Markup) -> Response {
    let body = html! {
        main.card {
            p.status.bad { (status) " " (status_phrase(status)) }
            h1 { (title) }
            (content)
        }
    };
    answer(status, None, title, &body)
}
