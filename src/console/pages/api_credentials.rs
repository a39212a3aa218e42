//! The pages of API credentials.

use super::parts::{Danger, ENDS_SESSIONS_OF_ALL, Field, List, action, checkbox, csrf, end_sessions, lines};
use super::{Frame, framed};
use crate::console::View;
use crate::http::Response;
use crate::page::time;
use crate::store::Page;
use crate::whmcs::{ActionName, ApiCredential};
use maud::{Markup, html};

pub fn api_credentials_page(frame: &Frame<'_>, page: &Page<ApiCredential>) -> Response {
    let list = List {
        title: "API credentials",
        columns: &["Name", "Identifier", "Actions", "From", "Changed"],
        none: html! { "There are no API credentials. A program that calls WHMCS's API at " code { "/includes/api.php" } " needs one." },
        add: (View::NewApiCredential, "New API credential"),
    };
    let rows: Vec<_> = page.records.iter().map(row).collect();
    let next = page.cursor.clone().map(|cursor| View::ApiCredentials { cursor: Some(cursor) });
    list.page(frame, &rows, next.as_ref())
}

fn row(credential: &ApiCredential) -> Markup {
    html! {
        tr {
            th scope="row" { a href=(View::ApiCredential(credential.identifier.clone()).address()) { (credential.name) } }
            td data-label="Identifier" { code { (credential.identifier) } }
            td data-label="Actions" { @for action in &credential.actions { div { (action.as_str()) } } @if credential.actions.is_empty() { "none" } }
            td data-label="From" { @for range in &credential.allowed_addresses { div { (range.to_text()) } } @if credential.allowed_addresses.is_empty() { "anywhere" } }
            td.nowrap data-label="Changed" { (time(credential.updated_at)) }
        }
    }
}

pub fn new_api_credential_page(frame: &Frame<'_>) -> Response {
    let content = html! {
        h1 { "New API credential" }
        section.card aria-label="The new API credential" {
            form.fields method="post" {
                (csrf(frame))
                (fields(None))
                p { button.button type="submit" { "Create" } }
            }
        }
    };
    framed(frame, 200, None, "New API credential", &content)
}

pub fn api_credential_page(frame: &Frame<'_>, credential: &ApiCredential) -> Response {
    let content = html! {
        h1 { (credential.name) }
        section.card aria-label="Facts" {
            dl {
                dt { "Identifier" } dd { code { (credential.identifier) } }
                dt { "Created" } dd { (time(credential.created_at)) }
                dt { "Changed" } dd { (time(credential.updated_at)) }
            }
        }
        section.card aria-labelledby="settings" {
            h2 #settings { "Settings" }
            form.fields method="post" {
                (action(frame, "save"))
                (fields(Some(credential)))
                p { button.button type="submit" { "Save" } }
            }
        }
        (end_sessions(frame, ENDS_SESSIONS_OF_ALL))
        (Danger {
            name: "revoke",
            title: "Revoke",
            consequence: "Revoke it permanently: Signet refuses every later call with it.",
            option: Some(("end_sessions", "Also end the sessions that it opened", true)),
            button: "Revoke this API credential",
        }.section(frame))
    };
    framed(frame, 200, None, &credential.name, &content)
}

fn fields(credential: Option<&ApiCredential>) -> Markup {
    let name = credential.map_or("", |credential| credential.name.as_str());
    let on = |action| credential.is_some_and(|credential| credential.actions.contains(&action));
    let ranges: Vec<_> = credential.iter().flat_map(|c| &c.allowed_addresses).map(|range| range.to_text()).collect();
    html! {
        (Field { name: "name", label: "Name", value: name, hint: "" }.line(128, true))
        fieldset {
            legend { "Actions it may call" }
            div.boxes { @for action in ActionName::ALL { (checkbox(action.as_str(), on(action), &html! { (action.as_str()) })) } }
        }
        (Field { name: "allowed_addresses", label: "Allowed addresses", value: &lines(&ranges), hint: "Addresses or ranges such as 192.0.2.0/24, one a line. None: from anywhere." }.area())
    }
}
