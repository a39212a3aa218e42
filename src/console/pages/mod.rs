//! The pages. They work without JavaScript. The page of a new secret has an optional script that copies it.

mod api_credentials;
mod credentials;
mod explain;
mod health;
mod outside;
mod overview;
mod parts;
mod tokens;
mod users;

pub use api_credentials::{api_credential_page, api_credentials_page, new_api_credential_page};
pub use credentials::{credential_page, credentials_page, new_credential_page};
pub use health::health_page;
pub use outside::{ADMINISTRATION_OFF, misdirected_page, refusal_page, sign_in_page};
pub use overview::overview_page;
pub use parts::{Frame, secret_page};
pub use tokens::{find_token_page, token_page};
pub use users::{UserPage, find_user_page, unknown_user_page, user_page};

use super::{SIGN_OUT_PATH, Section};
use crate::failure_response::status_phrase;
use crate::http::{Failure, Response};
use crate::page::{self, Inline, layout_with};
use maud::{Markup, html};

const STYLE: &str = include_str!("../console.css");
const COPY: &str = include_str!("../copy.js");

/// The response with a page. Addresses of the console hold no secret, so its forms may send them in `Referer` and `Origin`.
fn answer(status: u16, script: Option<&'static str>, title: &str, body: &Markup) -> Response {
    let inline = Inline { style: Some(STYLE), script };
    page::response_with(inline, status, layout_with(inline, &format!("{title} · Console"), body)).with_own_referrer()
}

/// The response with a page that has the navigation.
fn framed(frame: &Frame<'_>, status: u16, script: Option<&'static str>, title: &str, content: &Markup) -> Response {
    let body = html! {
        a.skip href="#content" { "Skip to the content" }
        header.bar {
            strong { "Signet console" }
            nav aria-label="Console" {
                ul {
                    @for section in Section::ALL {
                        li {
                            a href=(section.view().address()) aria-current=[(section == frame.section).then_some("page")] {
                                (section.label())
                            }
                        }
                    }
                }
            }
            form method="post" action=(SIGN_OUT_PATH) {
                (parts::csrf(frame))
                button.button.quiet.small type="submit" { "Sign out" }
            }
        }
        main.wide #content {
            @if let Some(notice) = frame.notice { p.notice role="status" { (notice.message()) } }
            (content)
        }
    };
    answer(status, script, title, &body)
}

/// The failure page for an administrator who is signed in.
pub fn failure_page(frame: &Frame<'_>, failure: &Failure) -> Response {
    let title = failure_title(failure);
    let content = html! {
        h1 { (title) }
        p.notice.bad role="alert" { (failure.description) }
        p.hint {
            (failure.status) " " (status_phrase(failure.status)) "."
            @if failure.status != 404 { " The browser's Back button keeps what you wrote." }
        }
    };
    failure.add_header(framed(frame, failure.status, None, title, &content))
}

const fn failure_title(failure: &Failure) -> &'static str {
    match failure.status {
        404 => "Not found",
        429 | 500.. => "Please try again",
        _ => "Nothing was changed",
    }
}

#[cfg(test)]
mod tests;
