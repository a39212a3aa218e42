//! Parts that several pages have.

use super::{COPY, framed};
use crate::console::{Notice, Section, View};
use crate::http::Response;
use crate::secret::Secret;
use maud::{Markup, html};

/// The common parts of a page.
#[derive(Clone, Copy)]
pub struct Frame<'a> {
    pub section: Section,
    pub csrf_token: &'a str,
    pub notice: Option<Notice>,
}

/// The hidden field with the CSRF token.
pub(super) fn csrf(frame: &Frame<'_>) -> Markup {
    html! { input type="hidden" name="csrf_token" value=(frame.csrf_token); }
}

/// The hidden fields of a form that is one of several on its page.
pub(super) fn action(frame: &Frame<'_>, action: &str) -> Markup {
    html! {
        (csrf(frame))
        input type="hidden" name="action" value=(action);
    }
}

/// A form that is only a button.
pub(super) fn button(frame: &Frame<'_>, name: &str, label: &str) -> Markup {
    html! { form method="post" { (action(frame, name)) button.button.quiet type="submit" { (label) } } }
}

/// An input field.
pub(super) struct Field<'a> {
    pub(super) name: &'a str,
    pub(super) label: &'a str,
    pub(super) value: &'a str,
    pub(super) hint: &'a str,
}

impl Field<'_> {
    /// A field of one line.
    pub(super) fn line(&self, max_length: u16, is_required: bool) -> Markup {
        self.with_label(|hint| {
            html! {
                input id=(self.name) type="text" name=(self.name) value=(self.value) maxlength=(max_length)
                    required[is_required] autocomplete="off" spellcheck="false" aria-describedby=[hint];
            }
        })
    }

    /// A field of several lines.
    pub(super) fn area(&self) -> Markup {
        self.with_label(|hint| {
            html! {
                textarea id=(self.name) name=(self.name) autocomplete="off" spellcheck="false"
                    aria-describedby=[hint] { "\n" (self.value) }
            }
        })
    }

    fn with_label(&self, input: impl Fn(Option<&str>) -> Markup) -> Markup {
        let id = format!("{}-hint", self.name);
        let hint = (!self.hint.is_empty()).then_some(id.as_str());
        html! {
            div.field {
                label for=(self.name) { (self.label) }
                (input(hint))
                @if hint.is_some() { p.hint id=(id) { (self.hint) } }
            }
        }
    }
}

pub(super) fn checkbox(name: &str, is_on: bool, label: &Markup) -> Markup {
    html! { label.box { input type="checkbox" name=(name) checked[is_on]; span { (label) } } }
}

/// The form of an action that cannot be undone. A checkbox must confirm it.
pub(super) struct Danger<'a> {
    /// The value of `action`, which is also the id of the section.
    pub(super) name: &'a str,
    pub(super) title: &'a str,
    /// The label of the checkbox that confirms.
    pub(super) consequence: &'a str,
    /// The name and the label of another checkbox, and whether it is checked at first.
    pub(super) option: Option<(&'a str, &'a str, bool)>,
    pub(super) button: &'a str,
}

impl Danger<'_> {
    pub(super) fn section(&self, frame: &Frame<'_>) -> Markup {
        html! {
            section.card.danger aria-labelledby=(self.name) {
                h2 id=(self.name) { (self.title) }
                form.fields method="post" {
                    (action(frame, self.name))
                    label.box { input type="checkbox" name="confirmed" required; span { (self.consequence) } }
                    @if let Some((name, label, is_on)) = self.option { (checkbox(name, is_on, &html! { (label) })) }
                    p { button.button.quiet type="submit" { (self.button) } }
                }
            }
        }
    }
}

/// The section that ends the sessions of an application. `effect` explains when that happens.
pub(super) fn end_sessions(frame: &Frame<'_>, effect: &str) -> Markup {
    html! {
        section.card aria-labelledby="sessions" {
            h2 #sessions { "Sessions" }
            p { (effect) }
            (button(frame, "end_sessions", "End its sessions"))
        }
    }
}

/// The effect of [`end_sessions`] for an application whose sessions may be those of any user.
pub(super) const ENDS_SESSIONS_OF_ALL: &str = "Ends the sessions that it opened, of all users, within about a minute.";

/// A table. On a narrow screen its rows become blocks. A column with an empty name has buttons or bars.
pub(super) fn table(label: &str, columns: &[&str], rows: &Markup) -> Markup {
    html! {
        div.scroll role="group" aria-label=(label) tabindex="0" {
            table {
                thead {
                    tr { @for name in columns { @if name.is_empty() { td {} } @else { th scope="col" { (name) } } } }
                }
                tbody { (rows) }
            }
        }
    }
}

/// A form that searches by ids, each with the name of its field and a label.
pub(super) fn find(view: &View, ids: &[(&str, &str)]) -> Markup {
    html! {
        form.find method="get" action=(view.address()) {
            @for (name, label) in ids {
                div.field {
                    label for=(name) { (label) }
                    input id=(name) type="text" name=(name) required maxlength="64" autocomplete="off" spellcheck="false";
                }
            }
            button.button type="submit" { "Find" }
        }
    }
}

/// The list of credential sets or API credentials.
pub(super) struct List<'a> {
    pub(super) title: &'a str,
    pub(super) columns: &'a [&'a str],
    /// The text of a page without rows.
    pub(super) none: Markup,
    /// The page with the form for a new record, and the text of the link to it.
    pub(super) add: (View, &'a str),
}

impl List<'_> {
    /// A page of the list, with a link to the `next` one.
    pub(super) fn page(&self, frame: &Frame<'_>, rows: &[Markup], next: Option<&View>) -> Response {
        let (add, label) = &self.add;
        let content = html! {
            div.head {
                h1 { (self.title) }
                p { a.button href=(add.address()) { (label) } }
            }
            section.card aria-label=(self.title) {
                @if rows.is_empty() {
                    p { (self.none) }
                } @else {
                    (table(self.title, self.columns, &html! { @for row in rows { (row) } }))
                }
            }
            @if let Some(next) = next { p { a.button.quiet href=(next.address()) { "Next page" } } }
        };
        framed(frame, 200, None, self.title, &content)
    }
}

/// Joins texts, one on each line.
pub(super) fn lines<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.as_ref().to_owned()).collect::<Vec<_>>().join("\n")
}

/// The page that shows a new secret, once. It also shows the `id` that the application needs, and its `name`.
pub fn secret_page(
    frame: &Frame<'_>,
    status: u16,
    title: &str,
    (name, id): (&str, &str),
    secret: &Secret,
    then: &View,
) -> Response {
    let content = html! {
        h1 { (title) }
        section.card aria-labelledby="secret-title" {
            h2 #secret-title { "The secret" }
            p { "It is shown now and never again. Signet keeps only a digest of it." }
            p.secret { code #secret { (secret.expose()) } }
            p.actions {
                button.button #copy type="button" hidden { "Copy the secret" }
                span #copied role="status" {}
            }
            dl { dt { (name) } dd { code { (id) } } }
        }
        p { a.button.quiet href=(then.address()) { "I have kept it" } }
    };
    framed(frame, status, Some(COPY), title, &content)
}
