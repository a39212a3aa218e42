//! The pages of tokens.

use super::explain::explain;
use super::parts::{Danger, find};
use super::{Frame, framed};
use crate::console::View;
use crate::http::Response;
use crate::page::time;
use crate::time::Timestamp;
use crate::token::TokenRecord;
use crate::user::{Fate, TokenFate};
use maud::{Markup, html};

pub(super) fn find_form() -> Markup {
    find(&View::Tokens, "jti", "Token id (jti)")
}

pub fn find_token_page(frame: &Frame<'_>) -> Response {
    let content = html! {
        h1 { "Tokens" }
        section.card aria-label="Find a token" {
            (find_form())
            p.hint { "The token endpoint returns the id as " code { "jti" } ". The audit trail of its user has it too. Signet keeps the record for a day." }
        }
    };
    framed(frame, 200, None, "Tokens", &content)
}

pub fn token_page(frame: &Frame<'_>, record: &TokenRecord, fate: Option<&TokenFate>, now: Timestamp) -> Response {
    let is_pending = fate.is_none() && now < record.expires_at;
    let content = html! {
        h1 { "Token" }
        section.card aria-labelledby="fate" {
            h2 #fate { "What became of it" }
            (explanation(record, fate, now))
        }
        section.card aria-labelledby="receipt" {
            h2 #receipt { "Receipt" }
            dl {
                dt { "Id" } dd { code { (record.jti) } }
                dt { "User" } dd { a href=(View::user(record.user_id.clone()).address()) { (record.user_id) } }
                dt { "Application" } dd { a href=(View::Credential(record.client_id.clone()).address()) { code { (record.client_id) } } }
                dt { "Scope" } dd { code { (record.scope) } }
                dt { "Issued" } dd { (time(record.issued_at)) }
                dt { "Expires" } dd { (time(record.expires_at)) }
                @if let Some(id) = &record.inputs.service_id { dt { "Service" } dd { (id) } }
                @if let Some(id) = &record.inputs.domain_id { dt { "Domain" } dd { (id) } }
                @if let Some(path) = &record.inputs.sso_redirect_path { dt { "Path" } dd { code { (path.as_str()) } } }
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

fn explanation(record: &TokenRecord, fate: Option<&TokenFate>, now: Timestamp) -> Markup {
    match fate {
        Some(TokenFate { fate: Fate::SignedIn, at }) => html! {
            p { strong { "It signed its user in" } " on " (time(*at)) "." }
            p.hint { "If the user reports a problem, check what the client area did after the redirect." }
        },
        Some(TokenFate { fate: Fate::Denied(denial), at }) => html! {
            p { strong { "It was denied" } " on " (time(*at)) ". " (explain(*denial)) }
            p.hint { "It cannot be used again. When the cause is fixed, the application must request another token." }
        },
        Some(TokenFate { fate: Fate::Revoked, at }) => html! {
            p { strong { "It was revoked" } " on " (time(*at)) ", before anybody used it." }
        },
        None if now >= record.expires_at => html! {
            p { strong { "It expired." } " No browser opened its link in time." }
            p.hint { "The application should redirect the browser at once. A token is valid for a minute at most." }
        },
        None => html! {
            p { strong { "It is waiting." } " No browser has opened its link yet." }
        },
    }
}
