//! What several pages have.

use super::{COPY, framed};
use crate::console::{Notice, Section, View};
use crate::http::Response;
use crate::secret::Secret;
use maud::{Markup, html};

/// What is around a page.
#[derive(Clone, Copy)]
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
pub(super) struct Danger<'a> {
    /// The action, which also names the form.
    pub(super) name: &'a str,
    pub(super) title: &'a str,
    /// What happens, beside the box that confirms it.
    pub(super) consequence: &'a str,
    /// The name and the label of a box for more, and whether it is ticked at first, if there is one.
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
                    @if let Some((name, label, is_on)) = self.option { (tick(name, is_on, &html! { (label) })) }
                    p { button.button.quiet type="submit" { (self.button) } }
                }
            }
        }
    }
}

/// The section that ends the sessions of an application. `words` say when that takes effect.
pub(super) fn end_sessions(frame: &Frame<'_>, words: &str) -> Markup {
    html! {
        section.card aria-labelledby="sessions" {
            h2 #sessions { "Sessions" }
            p { (words) }
            form method="post" {
                (action(frame, "end_sessions"))
                button.button.quiet type="submit" { "End its sessions" }
            }
        }
    }
}

/// When the end of the sessions that may be anybody's takes effect.
pub(super) const ENDS_ANYBODYS: &str = "Ends the sessions that it opened, of all users, within about a minute.";

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

/// A list that is read a page at a time and can be added to.
pub(super) struct List<'a> {
    pub(super) title: &'a str,
    pub(super) columns: &'a [&'a str],
    /// What is said when nothing is listed.
    pub(super) none: Markup,
    /// The page that adds to it, and the words that lead there.
    pub(super) add: (View, &'a str),
}

impl List<'_> {
    /// The page of these rows, with a link to the `next`.
    pub(super) fn page(&self, frame: &Frame<'_>, rows: &[Markup], next: Option<&View>) -> Response {
        let (add, words) = &self.add;
        let content = html! {
            div.head {
                h1 { (self.title) }
                p { a.button href=(add.address()) { (words) } }
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

/// Identifiers, one a line.
pub(super) fn lines<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.as_ref().to_owned()).collect::<Vec<_>>().join("\n")
}

/// The page that shows a new secret, this once. `id` is what the application needs beside it, and what that is called.
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
