//! The pages of tokens.

use super::explain::explain;
use super::parts::{Danger, find};
use super::{Frame, framed};
use crate::console::View;
use crate::http::Response;
use crate::page::time;
use crate::settings::TokenRecords;
use crate::time::Timestamp;
use crate::token::KnownToken;
use crate::user::{Fate, TokenFate};
use maud::{Markup, html};

/// The form to find a token. Without records of tokens, Signet must know the user too.
pub(super) fn find_form(token_records: TokenRecords) -> Markup {
    let mut ids = vec![("jti", "Token id (jti)")];
    if token_records == TokenRecords::Off {
        ids.push(("user_id", "User ID of the token"));
    }
    find(&View::Tokens, &ids)
}

pub fn find_token_page(frame: &Frame<'_>, token_records: TokenRecords) -> Response {
    let content = html! {
        h1 { "Tokens" }
        section.card aria-label="Find a token" {
            (find_form(token_records))
            p.hint { "The token endpoint returns the id as " code { "jti" } ". The audit trail of its user has it too. Signet keeps the record for a day." }
            @if token_records == TokenRecords::Off { p.hint { "Only tokens that were used are found: " code { "TOKEN_RECORDS" } " is off." } }
        }
    };
    framed(frame, 200, None, "Tokens", &content)
}

pub fn token_page(frame: &Frame<'_>, token: &KnownToken, now: Timestamp) -> Response {
    let record = match token {
        KnownToken::Recorded(record, _) => Some(record),
        KnownToken::Settled(..) => None,
    };
    let is_pending = token.fate().is_none() && record.is_some_and(|record| now < record.expires_at);
    let content = html! {
        h1 { "Token" }
        section.card aria-labelledby="fate" {
            h2 #fate { "What became of it" }
            (explanation(token.fate(), is_pending))
        }
        section.card aria-labelledby="receipt" {
            h2 #receipt { "Receipt" }
            dl {
                dt { "Id" } dd { code { (token.jti()) } }
                dt { "User" } dd { a href=(View::user(token.user().clone()).address()) { (token.user()) } }
                @if let Some(client_id) = token.client_id() {
                    dt { "Application" } dd { a href=(View::Credential(client_id.clone()).address()) { code { (client_id) } } }
                }
                @if let Some(record) = record {
                    dt { "Scope" } dd { code { (record.scope) } }
                    dt { "Issued" } dd { (time(record.issued_at)) }
                    dt { "Expires" } dd { (time(record.expires_at)) }
                    @if let Some(id) = &record.service_id { dt { "Service" } dd { (id) } }
                    @if let Some(id) = &record.domain_id { dt { "Domain" } dd { (id) } }
                    @if let Some(path) = &record.sso_redirect_path { dt { "Path" } dd { code { (path.as_str()) } } }
                }
            }
        }
        @if is_pending {
            (Danger {
                name: "revoke",
                title: "Revoke",
                consequence: "Revoke it: its link can no longer sign its user in.",
                option: None,
                button: "Revoke this token",
            }.section(frame))
        }
    };
    framed(frame, 200, None, "Token", &content)
}

fn explanation(fate: Option<&TokenFate>, is_pending: bool) -> Markup {
    match fate {
        Some(TokenFate { fate: Fate::SignedIn, at, .. }) => html! {
            p { strong { "It signed its user in" } " on " (time(*at)) "." }
            p.hint { "If the user reports a problem, check what the client area did after the redirect." }
        },
        Some(TokenFate { fate: Fate::Denied(denial), at, .. }) => html! {
            p { strong { "It was denied" } " on " (time(*at)) ". " (explain(*denial)) }
            p.hint { "It cannot be used again. When the cause is fixed, the application must request another token." }
        },
        Some(TokenFate { fate: Fate::Revoked, at, .. }) => html! {
            p { strong { "It was revoked" } " on " (time(*at)) ", before anybody used it." }
        },
        None if !is_pending => html! {
            p { strong { "It expired." } " No browser opened its link in time." }
            p.hint { "The application should redirect the browser at once. A token is valid for a minute at most." }
        },
        None => html! {
            p { strong { "It is waiting." } " No browser has opened its link yet." }
        },
    }
}
