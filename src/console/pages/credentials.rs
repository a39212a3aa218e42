//! The pages of credential sets.

use super::parts::{Danger, ENDS_SESSIONS_OF_ALL, Field, List, action, button, checkbox, csrf, end_sessions, lines};
use super::{Frame, framed};
use crate::admin::OVERLAP_SECONDS_MAX;
use crate::console::View;
use crate::credential::CredentialSet;
use crate::destination::Scope;
use crate::http::Response;
use crate::page::time;
use crate::store::Page;
use maud::{Markup, html};

/// The choices for the overlap of a rotation, in seconds and in words.
const OVERLAPS: [(u64, &str); 5] = [
    (0, "Ends at once"),
    (3_600, "Lives on for an hour"),
    (86_400, "Lives on for a day"),
    (604_800, "Lives on for a week"),
    (OVERLAP_SECONDS_MAX, "Lives on for 30 days"),
];

pub fn credentials_page(frame: &Frame<'_>, page: &Page<CredentialSet>) -> Response {
    let list = List {
        title: "Credential sets",
        columns: &["Name", "client_id", "Signs in", "State", "Changed"],
        none: html! { "There are no credential sets. An application needs one to sign users in." },
        add: (View::NewCredential, "New credential set"),
    };
    let rows: Vec<_> = page.records.iter().map(row).collect();
    let next = page.cursor.clone().map(|cursor| View::Credentials { cursor: Some(cursor) });
    list.page(frame, &rows, next.as_ref())
}

fn row(set: &CredentialSet) -> Markup {
    html! {
        tr {
            th scope="row" { a href=(View::Credential(set.client_id.clone()).address()) { (set.name) } }
            td data-label="client_id" { code { (set.client_id) } }
            td data-label="Signs in" { (bound_to(set)) }
            td { (state(set)) }
            td.nowrap data-label="Changed" { (time(set.updated_at)) }
        }
    }
}

fn bound_to(set: &CredentialSet) -> Markup {
    html! {
        @if let Some(user_id) = &set.user_id {
            "User " a href=(View::user(user_id.clone()).address()) { (user_id) }
        } @else {
            "any user"
        }
    }
}

fn state(set: &CredentialSet) -> Markup {
    if set.disabled {
        html! { span.badge.off { "disabled" } }
    } else {
        html! { span.badge { "enabled" } }
    }
}

pub fn new_credential_page(frame: &Frame<'_>) -> Response {
    let content = html! {
        h1 { "New credential set" }
        section.card aria-label="The new credential set" {
            form.fields method="post" {
                (csrf(frame))
                (name_fields("", ""))
                (Field { name: "user_id", label: "User ID", value: "", hint: "The one user it may sign in. Bind sets where you can." }.line(64, false))
                (checkbox("delegated", false, &html! { "Any user instead, named in each request (delegated)" }))
                (scope_boxes(&[]))
                (optional_fields(None))
                p { button.button type="submit" { "Create" } }
            }
        }
    };
    framed(frame, 200, None, "New credential set", &content)
}

pub fn credential_page(frame: &Frame<'_>, set: &CredentialSet) -> Response {
    let content = html! {
        div.head {
            h1 { (set.name) }
            p { (state(set)) }
        }
        section.card aria-label="Facts" {
            dl {
                dt { "client_id" } dd { code { (set.client_id) } }
                dt { "Signs in" } dd { (bound_to(set)) }
                @if set.is_of_service() { dt { "Number in WHMCS's API" } dd { (set.number()) } }
                dt { "Created" } dd { (time(set.created_at)) }
                dt { "Changed" } dd { (time(set.updated_at)) }
            }
        }
        section.card aria-labelledby="settings" {
            h2 #settings { "Settings" }
            form.fields method="post" {
                (action(frame, "save"))
                (name_fields(&set.name, &set.description))
                (scope_boxes(&set.scopes))
                (optional_fields(Some(set)))
                p { button.button type="submit" { "Save" } }
            }
        }
        div.pair {
            section.card aria-labelledby="rotate" {
                h2 #rotate { "New secret" }
                form.fields method="post" {
                    (action(frame, "rotate"))
                    div.field {
                        label for="overlap_seconds" { "The old secret" }
                        select #overlap_seconds name="overlap_seconds" {
                            @for (seconds, words) in OVERLAPS { option value=(seconds) { (words) } }
                        }
                    }
                    p { button.button.quiet type="submit" { "Rotate the secret" } }
                }
            }
            section.card aria-labelledby="switch" {
                @if set.disabled {
                    h2 #switch { "Disabled" }
                    p { "Signet issues no tokens to it, and refuses those that it has." }
                    (button(frame, "enable", "Enable"))
                } @else {
                    h2 #switch { "Enabled" }
                    p { "Disabling it takes effect at once, also for tokens that were already issued." }
                    (button(frame, "disable", "Disable"))
                }
            }
        }
        (end_sessions(frame, if set.delegated { ENDS_SESSIONS_OF_ALL } else { "Ends the sessions that it opened, at once." }))
        (Danger {
            name: "revoke",
            title: "Revoke",
            consequence: "Revoke it permanently: its application can no longer sign users in.",
            option: Some(("end_sessions", "Also end the sessions that it opened", true)),
            button: "Revoke this credential set",
        }.section(frame))
    };
    framed(frame, 200, None, &set.name, &content)
}

fn name_fields(name: &str, description: &str) -> Markup {
    html! {
        (Field { name: "name", label: "Name", value: name, hint: "" }.line(128, true))
        (Field { name: "description", label: "Description", value: description, hint: "" }.area())
    }
}

fn scope_boxes(on: &[Scope]) -> Markup {
    html! {
        fieldset {
            legend { "Destinations it may ask for" }
            div.boxes {
                @for scope in Scope::destinations() {
                    (checkbox(scope.as_str(), on.contains(&scope), &html! { (scope.label()) " " code.hint { (scope.as_str()) } }))
                }
            }
        }
    }
}

fn optional_fields(set: Option<&CredentialSet>) -> Markup {
    let service = set.and_then(|set| set.service_id.as_ref()).map_or("", |id| id.as_str());
    let logo = set.and_then(|set| set.logo_uri.as_deref()).unwrap_or_default();
    let page = set.and_then(|set| set.client_uri.as_deref()).unwrap_or_default();
    let redirects = set.map(|set| lines(&set.redirect_uris)).unwrap_or_default();
    html! {
        (Field { name: "service_id", label: "Service", value: service, hint: "Optional. Its id is signed into every token." }.line(64, false))
        (Field { name: "logo_uri", label: "Logo address", value: logo, hint: "Optional, for the record." }.line(1024, false))
        (Field { name: "client_uri", label: "Page of the application", value: page, hint: "Optional. People go back there from a link that has expired or was used." }.line(1024, false))
        (Field { name: "redirect_uris", label: "Redirect addresses", value: &redirects, hint: "Optional, for the record; one a line." }.area())
    }
}
