//! The layout of the pages that people see. They work without JavaScript.

use crate::http::{Request, Response};
use crate::time::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

#[cfg(not(feature = "demo"))]
const STYLE: &str = include_str!("style.css");
#[cfg(feature = "demo")]
const STYLE: &str = concat!(include_str!("style.css"), include_str!("../demo/demo.css"));

/// The inline style and script of a page, which its Content-Security-Policy allows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Inline {
    /// A style sheet that is added to the common one.
    pub style: Option<&'static str>,
    pub script: Option<&'static str>,
}

impl Inline {
    /// The directives that allow the inline texts by their hashes (Content Security Policy Level 3, section 2.3.1).
    pub fn sources(self) -> String {
        let hash = |text: &str| format!(" 'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
        let styles: String = [STYLE].into_iter().chain(self.style).map(hash).collect();
        let script = self.script.map_or_else(String::new, |text| format!("; script-src{}", hash(text)));
        format!("style-src{styles}{script}")
    }
}

pub fn layout(title: &str, content: &Markup) -> Markup {
    layout_with(Inline::default(), title, content)
}

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

/// The response with a page. Its Content-Security-Policy allows forms to lead to Signet only: see [`after_form`].
pub fn response(status: u16, markup: Markup) -> Response {
    response_with(Inline::default(), status, markup)
}

/// The response with a page whose layout has the same `inline`.
pub fn response_with(inline: Inline, status: u16, markup: Markup) -> Response {
    let policy = format!(
        "default-src 'none'; {}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        inline.sources()
    );
    Response { body: markup.into_string(), ..Response::empty(status) }
        .with("Content-Type", "text/html; charset=utf-8")
        .with("Content-Security-Policy", &policy)
}

/// The answer to a form, which takes the browser to `location`. `done` is the title, `label` the text of the link.
///
/// A browser gets a page that refreshes to `location`, not a redirect: browsers apply `form-action` to every redirect after a form
/// (Content Security Policy Level 3, section 6.4.1), and would stop if `location` redirects to another origin. Other callers get
/// a redirect.
pub fn after_form(request: &Request, done: &str, label: &str, location: &str) -> Response {
    if !request.wants_page() {
        return Response::redirect(303, location);
    }
    // Some browsers ignore `Refresh`, so the page has a link too.
    let markup = layout(
        done,
        &html! {
            main.card {
                h1 { (done) }
                p.message { "You will be taken on automatically. If nothing happens, use the link." }
                p { a.button href=(location) { (label) } }
            }
        },
    );
    response(200, markup).with("Refresh", &format!("0; url={location}"))
}

/// A time with its machine-readable form.
pub fn time(at: Timestamp) -> Markup {
    html! { time datetime=(at.to_rfc3339()) { (at.to_text()) } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Hsts, Method, request_for_test};

    #[test]
    fn after_a_form_browsers_get_a_page_that_refreshes_and_programs_a_redirect() {
        let request = |accept| request_for_test(Method::Post, "/", &[("accept", accept)], "");
        let place = "https://my.example/?a=b;c&d";
        let page = after_form(&request("text/html"), "Done", "Go on", place);
        assert_eq!((page.status, page.header("Location")), (200, None));
        assert_eq!(page.header("Refresh"), Some("0; url=https://my.example/?a=b;c&d"));
        assert_eq!(page.sent_header("Cache-Control", Hsts::Off), Some("no-store"));
        assert!(page.body.contains(r#"href="https://my.example/?a=b;c&amp;d""#), "{}", page.body);
        let redirect = after_form(&request("application/json"), "Done", "Go on", place);
        assert_eq!(
            (redirect.status, redirect.header("Location"), redirect.header("Refresh")),
            (303, Some(place), None)
        );
    }
}
