//! The pages of users: the account, its sessions and its audit trail.

use super::parts::{Danger, Field, action, button, checkbox, find, lines, table};
use super::{Frame, framed};
use crate::console::View;
use crate::destination::Scope;
use crate::http::Response;
use crate::id::UserId;
use crate::page::time;
use crate::session::browser;
use crate::user::{Account, Actor, Event, EventReason, Session, SessionEnd, Status, applications_of};
use maud::{Markup, html};
use serde_json::{Value, json};

pub struct UserPage<'a> {
    pub id: &'a UserId,
    pub account: &'a Account,
    /// The active sessions, newest first.
    pub sessions: &'a [Session],
    /// A page of the audit trail, newest first.
    pub events: &'a [(u64, Event)],
    /// The cursor of the next page of events.
    pub older: Option<String>,
}

pub(super) fn find_form() -> Markup {
    find(&View::Users, &[("user_id", "User ID")])
}

pub fn find_user_page(frame: &Frame<'_>) -> Response {
    let content = html! {
        h1 { "Users" }
        section.card aria-label="Find a user" {
            (find_form())
            p.hint { "To create an account, search for its User ID." }
        }
    };
    framed(frame, 200, None, "Users", &content)
}

pub fn unknown_user_page(frame: &Frame<'_>, id: &UserId) -> Response {
    let content = html! {
        h1 { "User " (id) }
        p.notice role="status" { "There is no such account." }
        section.card aria-labelledby="account" {
            h2 #account { "Create it" }
            (account_form(frame, None))
        }
    };
    framed(frame, 404, None, &format!("User {id}"), &content)
}

pub fn user_page(frame: &Frame<'_>, page: &UserPage<'_>) -> Response {
    let UserPage { id, account, sessions, events, ref older } = *page;
    let content = html! {
        div.head {
            h1 { "User " (id) }
            p {
                span.badge.off[account.status == Status::Closed] { (account.status.as_str()) }
                @if !account.sso { " " span.badge.off { "single sign-on off" } }
            }
        }
        section.card aria-labelledby="account" {
            h2 #account { "Account" }
            (account_form(frame, Some(account)))
            p.hint { "Created " (time(account.created_at)) ", changed " (time(account.updated_at)) "." }
        }
        section.card aria-labelledby="sessions" {
            h2 #sessions { "Sessions" }
            @if sessions.is_empty() { p { "Nobody is signed in." } } @else { (session_table(frame, sessions)) }
        }
        section.card aria-labelledby="events" {
            h2 #events { "Audit trail" }
            @if events.is_empty() { p { "There are no events." } } @else { (event_table(id, events)) }
            @if older.is_some() {
                p { a.button.quiet href=(View::User { id: id.clone(), cursor: older.clone() }.address()) { "Older events" } }
            }
        }
        section.card aria-labelledby="export" {
            h2 #export { "Export" }
            p { "Everything that Signet stores about this user, as JSON." }
            p { a.button.quiet href=(View::Export(id.clone()).address()) download=(format!("user-{id}.json")) { "Download" } }
        }
        (Danger {
            name: "delete",
            title: "Delete",
            consequence: "Delete the account: its sessions end, its credential sets are revoked, and nobody signs in to it any more.",
            option: Some(("erase", "Also erase addresses and browsers from the audit trail", false)),
            button: "Delete this account",
        }.section(frame))
    };
    framed(frame, 200, None, &format!("User {id}"), &content)
}

/// The greatest number of services and domains that the form of an account lists. A form must not exceed 64 KiB.
const LISTED_MAX: usize = 400;

/// The form of an account. It leaves out lists that are longer than [`LISTED_MAX`], and does not change them.
fn account_form(frame: &Frame<'_>, account: Option<&Account>) -> Markup {
    let status = account.map_or(Status::Active, |account| account.status);
    let listed = account.filter(|account| account.owned() <= LISTED_MAX);
    let services = listed.map(|account| lines(&account.services)).unwrap_or_default();
    let domains = listed.map(|account| lines(&account.domains)).unwrap_or_default();
    html! {
        form.fields method="post" {
            (action(frame, "save"))
            @if let Some(account) = account { input type="hidden" name="shown" value=(shown(account)); }
            div.field {
                label for="status" { "Status" }
                select #status name="status" aria-describedby="status-hint" {
                    @for each in Status::ALL { option value=(each.as_str()) selected[each == status] { (each.as_str()) } }
                }
                p.hint #status-hint { "Active and Inactive accounts may sign in. Closing one ends its sessions." }
            }
            (checkbox("sso", account.is_none_or(|account| account.sso), &html! { "Single sign-on is allowed" }))
            @if account.is_some() { (checkbox("end_sessions", false, &html! { "Also end all sessions" })) }
            @if let Some(account) = account.filter(|_| listed.is_none()) {
                p.hint {
                    "It owns " (account.services.len()) " services and " (account.domains.len()) " domains. "
                    "That is too many for this form; the administration API changes them."
                }
            } @else {
                (Field { name: "services", label: "Services", value: &services, hint: "The ids it owns, one a line." }.area())
                (Field { name: "domains", label: "Domains", value: &domains, hint: "The ids it owns, one a line." }.area())
            }
            p { button.button type="submit" { @if account.is_some() { "Save" } @else { "Create" } } }
        }
    }
}

/// The account as the form shows it. Signet writes only the fields that were changed in the form, because another administrator may
/// have changed others.
fn shown(account: &Account) -> Value {
    let Account { status, sso, services, domains, .. } = account;
    if account.owned() > LISTED_MAX {
        return json!({"status": status, "sso": sso});
    }
    json!({"status": status, "sso": sso, "services": services, "domains": domains})
}

fn session_table(frame: &Frame<'_>, sessions: &[Session]) -> Markup {
    html! {
        (table("Sessions", &["Browser", "Signed in", "Last used", "From", "Application", "Destination", ""], &html! {
            @for session in sessions { (session_row(frame, session)) }
        }))
        @let applications = applications_of(sessions);
        div.actions {
            (button(frame, "end_sessions", "End all sessions"))
            @if applications.len() > 1 {
                @for client_id in applications {
                    form method="post" {
                        (action(frame, "end_sessions"))
                        input type="hidden" name="client_id" value=(client_id);
                        button.button.quiet type="submit" { "End those of " code { (client_id) } }
                    }
                }
            }
        }
    }
}

fn session_row(frame: &Frame<'_>, session: &Session) -> Markup {
    html! {
        tr {
            th id=(session.id) scope="row" { (browser(session.user_agent.as_deref().unwrap_or_default())) }
            td data-label="Signed in" { (time(session.created_at)) }
            td data-label="Last used" { (time(session.last_seen_at)) }
            td data-label="From" { (session.address.as_deref().unwrap_or("unknown")) }
            td data-label="Application" { code { (session.client_id) } }
            td data-label="Destination" { (session.destination.map_or("Client Area Home", Scope::label)) }
            td {
                form method="post" {
                    (action(frame, "end_session"))
                    input type="hidden" name="session_id" value=(session.id);
                    button.button.quiet.small.nowrap type="submit" aria-describedby=(session.id) { "End" }
                }
            }
        }
    }
}

fn event_table(user: &UserId, events: &[(u64, Event)]) -> Markup {
    html! {
        (table("Audit trail", &["When", "What", "Details", "From"], &html! {
            @for (_, event) in events { (event_row(user, event)) }
        }))
    }
}

fn event_row(user: &UserId, event: &Event) -> Markup {
    html! {
        tr {
            th.nowrap scope="row" { (time(event.at)) }
            td { code { (event.event.as_str()) } }
            td { (details(user, event)) }
            td data-label="From" {
                (event.address.as_deref().unwrap_or("unknown"))
                @if let Some(user_agent) = &event.user_agent { br; span.hint { (browser(user_agent)) } }
            }
        }
    }
}

fn details(user: &UserId, event: &Event) -> Markup {
    html! {
        @match event.reason {
            Some(EventReason::Denial(denial)) => div { (super::explain::explain(denial)) },
            Some(EventReason::SessionEnd(end)) => div { (why_ended(end)) },
            Some(EventReason::Actor(Actor::User)) => div { "The user did it." },
            Some(EventReason::Actor(Actor::Application)) => div { "The application did it." },
            None => {}
        }
        @if let Some(status) = event.status {
            div { (status.as_str()) ", single sign-on " (if event.sso == Some(false) { "off" } else { "on" }) }
        }
        @if let Some(id) = &event.client_id {
            div { "application " a href=(View::Credential(id.clone()).address()) { code { (id) } } }
        }
        @if let Some(jti) = &event.jti {
            @let token = View::Token { jti: jti.clone(), user: Some(user.clone()) };
            div { "token " a href=(token.address()) { code { (jti) } } }
        }
        div.hint { "request " code { (event.request_id) } }
    }
}

const fn why_ended(end: SessionEnd) -> &'static str {
    match end {
        SessionEnd::SignedOut => "The user signed out.",
        SessionEnd::Switched => "The browser switched to another user.",
        SessionEnd::User => "The user ended it.",
        SessionEnd::Administrator => "An administrator ended it.",
        SessionEnd::Application => "An administrator ended the sessions of its application.",
        SessionEnd::TokenReplayed => "Its link was opened again from elsewhere, so it may have been stolen.",
    }
}
