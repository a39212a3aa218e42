//! What several pages have.

use super::{COPY, framed};
use crate::console::{Notice, Section, View};
use crate::http::Response;
use crate::secret::Secret;
use maud::{Markup, html};

/// What is around a page.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The part of the console it belongs to.
    pub section: Section,
    /// The proof for its forms.
    pub csrf_token: &'a str,
    /// What was just done.
    pub notice: Option<Notice>,
}

/// The hidden fields of a form.
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

/// A field to fill in.
pub(super) struct Field<'a> {
    pub(super) name: &'a str,
    pub(super) label: &'a str,
    pub(super) value: &'a str,
    pub(super) hint: &'a str,
}

impl Field<'_> {
    pub(super) fn line(&self, longest: u16, is_required: bool) -> Markup {
        let hint = format!("{}-hint", self.name);
        html! {
            div.field {
                label for=(self.name) { (self.label) }
                input id=(self.name) type="text" name=(self.name) value=(self.value) maxlength=(longest)
                    required[is_required] autocomplete="off" spellcheck="false"
                    aria-describedby=[(!self.hint.is_empty()).then_some(&hint)];
                @if !self.hint.is_empty() { p.hint id=(hint) { (self.hint) } }
            }
        }
    }

    /// The same, with room for several lines.
    pub(super) fn area(&self) -> Markup {
        let hint = format!("{}-hint", self.name);
        html! {
            div.field {
                label for=(self.name) { (self.label) }
                textarea id=(self.name) name=(self.name) autocomplete="off" spellcheck="false"
                    aria-describedby=[(!self.hint.is_empty()).then_some(&hint)] { "\n" (self.value) }
                @if !self.hint.is_empty() { p.hint id=(hint) { (self.hint) } }
            }
        }
    }
}

/// A box to tick.
pub(super) fn tick(name: &str, is_on: bool, label: &Markup) -> Markup {
    html! { label.box { input type="checkbox" name=(name) checked[is_on]; span { (label) } } }
}

/// A form that must be confirmed before it does what cannot be undone.
pub(super) fn danger(frame: &Frame<'_>, name: &str, title: &str, consequence: &str, button: &str) -> Markup {
    html! {
        section.card.danger aria-labelledby=(name) {
            h2 id=(name) { (title) }
            form.fields method="post" {
                (action(frame, name))
                label.box { input type="checkbox" name="confirmed" required; span { (consequence) } }
                p { button.button.quiet type="submit" { (button) } }
            }
        }
    }
}

/// A table, of which a narrow screen makes blocks. A column without a name has buttons or bars.
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

/// A form that finds something by its id.
pub(super) fn find(view: &View, name: &str, label: &str) -> Markup {
    html! {
        form.find method="get" action=(view.address()) {
            div.field {
                label for=(name) { (label) }
                input id=(name) type="text" name=(name) required maxlength="64" autocomplete="off" spellcheck="false";
            }
            button.button type="submit" { "Find" }
        }
    }
}

/// A link to the next page of a list.
pub(super) fn next_page(next: Option<View>) -> Markup {
    html! { @if let Some(next) = next { p { a.button.quiet href=(next.address()) { "Next page" } } } }
}

/// Identifiers, one a line.
pub(super) fn lines<T: AsRef<str>>(items: &[T]) -> String {
    items.iter().map(AsRef::as_ref).collect::<Vec<_>>().join("\n")
}

/// The page that shows a new secret, this once. `names` are what the application needs beside it.
pub fn secret_page(
    frame: &Frame<'_>,
    status: u16,
    title: &str,
    names: &[(&str, &str)],
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
            dl { @for (name, value) in names { dt { (name) } dd { code { (value) } } } }
        }
        p { a.button.quiet href=(then.address()) { "I have kept it" } }
    };
    framed(frame, status, Some(COPY), title, &content)
}
