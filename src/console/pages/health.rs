//! The health page.

use super::parts::table;
use super::{Frame, framed};
use crate::console::{Check, Level};
use crate::http::Response;
use maud::{Markup, html};

pub fn health_page(frame: &Frame<'_>, checks: &[Check]) -> Response {
    let is_healthy = checks.iter().all(|check| check.level != Level::Bad);
    let content = html! {
        div.head {
            h1 { "Health" }
            p.status.good[is_healthy].bad[!is_healthy] { @if is_healthy { "Signet is healthy" } @else { "Something is wrong" } }
        }
        section.card aria-label="Findings" {
            (table("Findings", &["Checked", "State", "Finding"], &html! {
                @for check in checks { (finding(check)) }
            }))
        }
        p.hint { "For monitoring, " code { "GET /healthz" } " needs no token: it answers 200, or 503 with the names of what is missing." }
    };
    framed(frame, 200, None, "Health", &content)
}

fn finding(check: &Check) -> Markup {
    html! {
        tr {
            th scope="row" { (check.name) }
            td {
                @match check.level {
                    Level::Good => span.badge { "OK" },
                    Level::Note => span.badge.note { "note" },
                    Level::Bad => span.badge.off { "wrong" },
                }
            }
            td { (check.finding) }
        }
    }
}
