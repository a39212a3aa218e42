//! The pages of the demo.

use super::{SIGN_IN_PATH, Trace, USERS};
use crate::destination::Scope;
use crate::page::layout;
use crate::time::Timestamp;
use crate::user::{Event, Session};
use maud::{Markup, html};

/// The page at `/`, with the form that chooses a user and a destination.
pub fn home(signed_in_as: Option<&str>) -> Markup {
    layout(
        "Single sign-on demo",
        &html! {
            main.wide {
                header {
                    p.status { "Signet demo · running on this machine" }
                    h1 { "Sign a user in with one click" }
                    p.message {
                        "This page stands for your application. It knows its user, requests a token from Signet, and redirects the browser to the client area. "
                        "There the user is signed in, without a password."
                    }
                    ol.flow aria-label="What happens when you press the button" {
                        li { b { "Token" } " The application gets a signed token, good for one use and 60 seconds." }
                        li { b { "Redirect" } " The browser takes it to the SSO endpoint." }
                        li { b { "Decision" } " The Durable Object of the user checks the account." }
                        li { b { "Destination" } " The browser opens it, signed in." }
                    }
                }
                @if let Some(user) = signed_in_as {
                    p.notice { "This browser is signed in as " strong { (user) } ". Choose another user to see Signet ask before it switches." }
                }
                form.card method="post" action=(SIGN_IN_PATH) {
                    fieldset {
                        legend { "1. Who is the user?" }
                        @for (index, user) in USERS.iter().enumerate() {
                            label.choice {
                                input type="radio" name="user" value=(user.id) checked[index == 0] required;
                                span { strong { (user.id) } span.hint { (user.expectation) } }
                            }
                        }
                    }
                    fieldset {
                        legend { "2. Where to?" }
                        label for="destination" { "Destination" }
                        select #destination name="destination" {
                            option value=(Scope::BASE.as_str()) { "Client Area Home" }
                            @for scope in Scope::destinations() {
                                option value=(scope.as_str()) selected[scope.as_str() == "clientarea:invoices"] {
                                    (scope.label()) " (" (scope.as_str()) ")"
                                }
                            }
                        }
                        label for="path" { "Path, for Custom Redirect" }
                        input #path type="text" name="path" value="cart.php?a=view" maxlength="1024" autocomplete="off" spellcheck="false";
                    }
                    p.actions { button.button type="submit" { "Sign in" } }
                }
                section {
                    h2 { "Then try this" }
                    ul {
                        li { "Sign in as " strong { "clara" } " or " strong { "otto" } ", and read why they are denied." }
                        li { "Sign in as " strong { "alice" } ", come back, and sign in as " strong { "ivan" } ": Signet asks before it switches accounts." }
                        li { "Open " a href="/admin" { "the console" } " of the operator. Its token is " code { "ADMIN_TOKEN" } " in " code { ".dev.vars" } "." }
                        li { "Do the same with curl, as the README shows." }
                    }
                }
            }
        },
    )
}

/// The content of a page of the demo's client area.
pub struct Visit<'a> {
    pub label: &'a str,
    pub user: &'a str,
    pub session: &'a Session,
    pub trace: &'a Trace,
    /// The event of the decision in the user's audit trail.
    pub decision: Option<&'a Event>,
    /// The duration of the session check, in milliseconds.
    pub check_ms: u64,
    pub now: Timestamp,
}

/// A page of the demo's client area, with the steps of the sign-in.
pub fn client_area(visit: &Visit<'_>) -> Markup {
    let Visit { label, user, session, trace, decision, check_ms, now } = *visit;
    let claims = serde_json::to_string_pretty(&trace.claims).unwrap_or_default();
    layout(
        label,
        &html! {
            main.wide {
                header {
                    p.status.good { "Signed in as " strong { (user) } }
                    h1 { (label) }
                    p.message { "This page stands for your client area. Signet signed " strong { (user) } " in without a password." }
                    div.actions {
                        a.button href="/" { "Back to the demo" }
                        a.button.quiet href="/account/security" { "Your sessions" }
                        form method="post" action="/oauth/logout" { button.button.quiet type="submit" { "Sign out" } }
                    }
                }
                section.card {
                    h2 { "What happened on the way" }
                    ol.steps {
                        li {
                            (step("The application asked for a token", "POST /oauth/token → 200", Some(trace.token_ms)))
                            details {
                                summary { "The token's claims" }
                                pre tabindex="0" { code { (claims) } }
                            }
                        }
                        li {
                            (step("The browser opened the link", "/oauth/singlesignon", trace.redirect.as_ref().map(|r| r.ms)))
                            p.hint { "Signet checked the signature, the claims and the time of the token, then asked the Durable Object of " (user) "." }
                        }
                        @if let Some(decision) = decision {
                            li {
                                (step("The object decided", decision.event.as_str(), None))
                                p.hint { "In one transaction it checked the account, marked the token as used and opened the session." }
                            }
                        }
                        @if let Some(redirect) = &trace.redirect {
                            li { (step("The browser was redirected", &format!("{} → {}", redirect.status, redirect.location), None)) }
                        }
                        li { (step("This page asked who is signed in", "GET /oauth/session → 200", Some(check_ms))) }
                    }
                }
                section.card {
                    h2 { "The session" }
                    dl {
                        dt { "User ID" } dd { (user) }
                        dt { "Session" } dd { code { (session.id) } }
                        dt { "Opened by token" } dd { code { (session.token) } }
                        dt { "For application" } dd { code { (session.client_id) } }
                        dt { "Destination" } dd { (session.destination.map_or("client area home", Scope::as_str)) }
                        dt { "Opened" } dd { (duration(now.since(session.created_at))) " ago" }
                        dt { "Ends" } dd {
                            "in " (duration(session.expires_at().since(now))) " if unused, in "
                            (duration(session.max_expires_at.since(now))) " at the latest"
                        }
                    }
                }
            }
        },
    )
}

/// The page of the demo's client area without a session.
pub fn signed_out() -> Markup {
    layout(
        "Nobody is signed in",
        &html! {
            main.card {
                p.status { "Demo client area" }
                h1 { "Nobody is signed in" }
                p.message { "This page stands for your client area. Sign a user in from the demo page to see more." }
                p.hint { "Did you just sign in? Safari keeps no session cookie on http://localhost. Use Chromium or Firefox." }
                p { a.button href="/" { "Go to the demo" } }
            }
        },
    )
}

fn step(title: &str, detail: &str, milliseconds: Option<u64>) -> Markup {
    html! {
        p.step {
            strong { (title) }
            code { (detail) }
            @match milliseconds {
                Some(0) => span.time { "under 1 ms" },
                Some(ms) => span.time { (ms) " ms" },
                None => {},
            }
        }
    }
}

/// A number of seconds in words, to the nearest unit.
fn duration(seconds: u64) -> String {
    let (number, unit) = match seconds {
        0..100 => (seconds, "second"),
        100..6_000 => (seconds.saturating_add(30) / 60, "minute"),
        _ => (seconds.saturating_add(1_800) / 3_600, "hour"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}
