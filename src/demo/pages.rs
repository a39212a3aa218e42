//! The pages of the demo.

use super::{SIGN_IN_PATH, Trace, USERS};
use crate::page::layout;
use crate::sso::Scope;
use crate::time::Timestamp;
use crate::user::Session;
use maud::{Markup, html};

/// The page at `/`: pick a user, pick a destination, press the button.
pub fn home(signed_in_as: Option<&str>) -> Markup {
    layout(
        "Single sign-on demo",
        &html! {
            main.wide {
                header {
                    p.status { "Signet demo · running on this machine" }
                    h1 { "Sign a user in with one click" }
                    p.message {
                        "This page plays your application. It knows its user, asks Signet for a token, and sends the browser to the client area. "
                        "There the user is signed in, without a password."
                    }
                    ol.flow aria-label="What happens when you press the button" {
                        li { b { "Token" } " The application gets a signed token, good for one use and 60 seconds." }
                        li { b { "Redirect" } " The browser takes it to the SSO endpoint." }
                        li { b { "Decision" } " The user's own object checks the account." }
                        li { b { "Destination" } " The browser lands there, signed in." }
                    }
                }
                @if let Some(user) = signed_in_as {
                    p.notice { "This browser is signed in as " strong { (user) } ". Pick another user to see Signet ask before it switches." }
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
                        li { "Do it all with curl: the README walks you through." }
                    }
                }
            }
        },
    )
}

/// A page of the demo's client area, for a signed-in user: where this is, and how the user came here.
pub fn client_area(label: &str, user: &str, session: &Session, trace: &Trace, check_ms: u64, now: Timestamp) -> Markup {
    let claims = serde_json::to_string_pretty(&trace.claims).unwrap_or_default();
    layout(
        label,
        &html! {
            main.wide {
                header {
                    p.status.good { "Signed in as " strong { (user) } }
                    h1 { (label) }
                    p.message { "This page plays your client area. Signet brought " strong { (user) } " here without a password." }
                    div.actions {
                        a.button href="/" { "Back to the demo" }
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
                        li { (step("The browser opened the link", "GET /oauth/singlesignon", trace.sso_ms))
                            p.hint { "The token's signature, claims and time were checked, then the object of " (user) " decided." }
                        }
                        li {
                            (step("The object's verdict", "signed_in", None))
                            p.hint { "It spent the token and opened the session, in one turn." }
                        }
                        li { (step("The browser was redirected here", "302 with the session cookie", None)) }
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

/// A page of the demo's client area, for nobody.
pub fn signed_out() -> Markup {
    layout(
        "Nobody is signed in",
        &html! {
            main.card {
                p.status { "Demo client area" }
                h1 { "Nobody is signed in" }
                p.message { "This page plays your client area. Sign a user in from the demo page to see more." }
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

fn duration(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} seconds"),
        120..7_200 => format!("{} minutes", seconds / 60),
        _ => format!("{} hours", seconds / 3_600),
    }
}
