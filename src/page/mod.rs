//! The pages that people see. They work without JavaScript.

use crate::http::Failure;
use crate::time::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

/// The look of every page.
#[cfg(not(feature = "demo"))]
const STYLE: &str = include_str!("style.css");
/// The look of every page, and of the demo.
#[cfg(feature = "demo")]
const STYLE: &str = concat!(include_str!("style.css"), include_str!("../demo/demo.css"));

/// What a page has inline, for its Content-Security-Policy.
#[derive(Clone, Copy, Debug, Default)]
pub struct Inline {
    /// A style sheet beside that of every page.
    pub style: Option<&'static str>,
    /// A script. No page needs one.
    pub script: Option<&'static str>,
}

impl Inline {
    /// Its sources (Content Security Policy Level 3, section 2.3.1): each text by its hash, and nothing else.
    pub fn sources(self) -> String {
        let hash = |text: &str| format!(" 'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
        let styles: String = [STYLE].into_iter().chain(self.style).map(hash).collect();
        let script = self.script.map_or_else(String::new, |text| format!("; script-src{}", hash(text)));
        format!("style-src{styles}{script}")
    }
}

/// A whole page.
pub fn layout(title: &str, content: &Markup) -> Markup {
    layout_with(Inline::default(), title, content)
}

/// A whole page with more inline than others. See [`Inline::sources`].
pub fn layout_with(inline: Inline, title: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                meta name="color-scheme" content="light dark";
                title { (title) " · Signet" }
                style { (PreEscaped(STYLE)) }
                @if let Some(style) = inline.style { style { (PreEscaped(style)) } }
            }
            body class=[inline.style.map(|_| "console")] {
                (content)
                @if let Some(script) = inline.script { script { (PreEscaped(script)) } }
            }
        }
    }
}

/// The page of a failure. `home` is where it offers to go on.
pub fn failure(failure: &Failure, home: Option<&str>) -> Markup {
    let title = match failure.status {
        401 if failure.error == "invalid_session" => "Please sign in",
        _ if failure.error == "invalid_form" => "Nothing was changed",
        _ if failure.error == "https_required" => "Use https",
        401 | 403 => "This link did not sign you in",
        404 => "Page not found",
        429 | 500.. => "Please try again",
        _ => "This link does not work",
    };
    layout(
        title,
        &html! {
            main.card {
                p.status.bad { (failure.status) " " (status_phrase(failure.status)) }
                h1 { (title) }
                p.message role="alert" { (failure.description) }
                @if failure.error == "invalid_token" {
                    p.hint { "Go back to the application you came from and sign in from there again. A sign-in link works once, for a minute." }
                }
                @if failure.error == "invalid_form" {
                    p { a href="/account/security" { "Open your sessions" } }
                }
                @if failure.way_back.is_some() || home.is_some() {
                    p.actions {
                        @if let Some(way) = &failure.way_back { a.button href=(way.address) { (way.label) } }
                        @if let Some(home) = home {
                            a.button.quiet[failure.way_back.is_some()] href=(home) { "Go to the client area" }
                        }
                    }
                }
            }
        },
    )
}

/// The page on the way to `location`, after a form was done: see [`crate::http::Response::after_form`]. A browser may be set
/// to ignore `Refresh`, so it has a link too.
pub fn after_form(done: &str, label: &str, location: &str) -> Markup {
    layout(
        done,
        &html! {
            main.card {
                h1 { (done) }
                p.message { "You will be taken on automatically. If nothing happens, use the link." }
                p { a.button href=(location) { (label) } }
            }
        },
    )
}

/// A moment, for people and for machines.
pub fn time(at: Timestamp) -> Markup {
    html! { time datetime=(at.to_rfc3339()) { (at.to_text()) } }
}

/// The question before a browser changes from one user to another. Its form posts to the address
/// of the page, and so leaves out what that already says; `repeated` are the fields that it does not.
pub fn switch<'a>(
    from: &str,
    to: &str,
    confirmation: &str,
    repeated: impl Iterator<Item = (&'static str, &'a str)>,
    home: &str,
) -> Markup {
    layout(
        "Switch account?",
        &html! {
            main.card {
                p.status { "Already signed in" }
                h1 { "Switch account?" }
                p.message { "This browser is signed in as User ID " strong { (from) } ". The link you opened is for User ID " strong { (to) } "." }
                p.hint { "If you did not ask for this, stay where you are." }
                form method="post" {
                    input type="hidden" name="switch" value=(confirmation);
                    @for (name, value) in repeated {
                        input type="hidden" name=(name) value=(value);
                    }
                    p.actions {
                        a.button href=(home) { "Stay signed in as " (from) }
                        button.button.quiet type="submit" { "Sign in as " (to) }
                    }
                }
            }
        },
    )
}

/// The reason phrase of a status (RFC 9110 section 15).
pub const fn status_phrase(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        421 => "Misdirected Request",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        _ => "Error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::WayBack;

    #[test]
    fn texts_are_escaped() {
        let bad = Failure { description: "<script>alert(1)</script>".into(), ..Failure::NOT_FOUND };
        let page = failure(&bad, Some("https://my.example/?\"><script>")).into_string();
        assert!(!page.contains("<script>"), "{page}");
        let way_back = Box::new(WayBack { label: "<b>".into(), address: "https://a.example/?\"><b>".into() });
        let page = failure(&Failure { way_back: Some(way_back), ..bad }, None).into_string();
        assert!(!page.contains("<b>"), "{page}");
    }

    #[test]
    fn a_failure_offers_the_way_back_before_the_client_area() {
        let way_back = Box::new(WayBack { label: "Go back to P".into(), address: "https://a.example/".into() });
        let dead = Failure { way_back: Some(way_back), ..Failure::NOT_FOUND };
        let page = failure(&dead, Some("https://my.example/")).into_string();
        let links: Vec<_> = page.match_indices("<a ").map(|(at, _)| &page[at..at + 45]).collect();
        assert!(links.len() == 2 && links[0].contains("https://a.example/"), "{links:?}");
        assert!(!failure(&Failure::NOT_FOUND, None).into_string().contains("<a "));
    }
}
