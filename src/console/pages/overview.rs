//! The overview page: a chart of sign-ins and denials.

use super::explain::explain_reason;
use super::parts::table;
use super::{Frame, framed, tokens, users};
use crate::console::{Counters, Day, View};
use crate::http::Response;
use crate::settings::TokenRecords;
use crate::time::{Timestamp, month_name};
use chrono::Datelike;
use maud::{Markup, html};

/// The size of the chart, in units of its `viewBox`.
const WIDTH: u64 = 640;
const HEIGHT: u64 = 150;
const TOP: u64 = 14;
/// The days between two labels of the chart.
const LABEL_DAYS: u64 = 3;
/// The length of the longest bar of the table, in units of its `viewBox`.
const BAR: u64 = 100;

pub fn overview_page(frame: &Frame<'_>, counters: &Counters, token_records: TokenRecords) -> Response {
    let content = html! {
        h1 { "Overview" }
        section.card aria-labelledby="sign-ins" {
            h2 #sign-ins { "Sign-ins of the last " (counters.days.len()) " days" }
            dl.figures {
                div { dt { "signed in" } dd { (counters.signed_in()) } }
                div { dt { "denied" } dd { (counters.denied()) } }
            }
            (chart(counters))
        }
        section.card aria-labelledby="denials" {
            h2 #denials { "Denials by reason" }
            @if counters.denials.is_empty() { p { "There were no denials." } } @else { (denials(counters)) }
        }
        div.pair {
            section.card aria-labelledby="find-user" { h2 #find-user { "Find a user" } (users::find_form()) }
            section.card aria-labelledby="find-token" {
                h2 #find-token { "Find a token" }
                @match token_records {
                    TokenRecords::Kv => (tokens::find_form(token_records)),
                    TokenRecords::Off => p { a href=(View::Tokens.address()) { "Find a token by its id and its user" } },
                }
            }
        }
    };
    framed(frame, 200, None, "Overview", &content)
}

fn start(day: &Day) -> Timestamp {
    Timestamp::from_seconds(day.day.saturating_mul(86_400))
}

/// The day on the axis of the chart: `24 Nov`.
fn label(day: &Day) -> String {
    start(day).date_time().map_or_else(String::new, |at| format!("{} {:.3}", at.day(), month_name(at)))
}

/// Scales `part` so that `whole` becomes `length`. A part that is not 0 becomes at least 1.
fn scaled(part: u64, whole: u64, length: u64) -> u64 {
    match part {
        0 => 0,
        _ => part.saturating_mul(length).checked_div(whole).unwrap_or(0).max(1),
    }
}

/// The chart, with a stacked column for each day, and its numbers as a table.
fn chart(counters: &Counters) -> Markup {
    let highest = counters.days.iter().map(|day| day.signed_in.saturating_add(day.denied)).max().unwrap_or(0);
    let step = WIDTH.checked_div(counters.days.len() as u64).unwrap_or(WIDTH);
    let (margin, width) = (step / 6, step.saturating_mul(2) / 3);
    html! {
        figure {
            svg viewBox=(format!("0 0 {WIDTH} {}", HEIGHT + 24)) role="img" aria-label="Sign-ins and denials, a column for each day" {
                line.axis x1="0" x2=(WIDTH) y1=(HEIGHT) y2=(HEIGHT) {}
                @for (x, day) in (0_u64..).map(|index| index.saturating_mul(step)).zip(&counters.days) {
                    @let good = scaled(day.signed_in, highest, HEIGHT - TOP);
                    @let bad = scaled(day.denied, highest, HEIGHT - TOP);
                    @let top_of_good = HEIGHT.saturating_sub(good);
                    @let top = top_of_good.saturating_sub(bad);
                    rect.good-fill x=(x.saturating_add(margin)) y=(top_of_good) width=(width) height=(good) {}
                    rect.bad-fill x=(x.saturating_add(margin)) y=(top) width=(width) height=(bad) {}
                    @if day.day % LABEL_DAYS == counters.days.last().map_or(0, |last| last.day % LABEL_DAYS) {
                        text x=(x.saturating_add(step / 2)) y=(HEIGHT + 18) text-anchor="middle" { (label(day)) }
                    }
                }
            }
            figcaption { span.key {} "signed in " span.key.bad {} "denied, or failed" }
        }
        details {
            summary { "The numbers by day" }
            table {
                thead { tr { th scope="col" { "Day (UTC)" } th.number scope="col" { "Signed in" } th.number scope="col" { "Denied" } } }
                tbody {
                    @for day in counters.days.iter().rev() {
                        tr {
                            th scope="row" { (start(day).to_date()) }
                            td.number { (day.signed_in) }
                            td.number { (day.denied) }
                        }
                    }
                }
            }
        }
    }
}

fn denials(counters: &Counters) -> Markup {
    let highest = counters.denials.first().map_or(0, |(_, count)| *count);
    html! {
        (table("Denials by reason", &["Reason", "Meaning", "Times", ""], &html! {
            @for (reason, count) in &counters.denials { (denial(reason, *count, highest)) }
        }))
    }
}

fn denial(reason: &str, count: u64, highest: u64) -> Markup {
    html! {
        tr {
            th.nowrap scope="row" { code { (reason) } }
            td { (explain_reason(reason)) }
            td data-label="Times" { (count) }
            td.bar-cell {
                svg viewBox=(format!("0 0 {BAR} 8")) aria-hidden="true" preserveAspectRatio="none" height="8" {
                    rect.bad-fill width=(scaled(count, highest, BAR)) height="8" {}
                }
            }
        }
    }
}
