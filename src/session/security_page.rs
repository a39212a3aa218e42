//! The page where users see and end their sessions.

use crate::destination::Scope;
use crate::id::{ClientId, SessionId, UserId};
use crate::page::{layout, time};
use crate::user::{Security, Session};
use maud::{Markup, html};

pub struct SecurityPage<'a> {
    pub user: &'a UserId,
    /// The session of this browser.
    pub current: &'a SessionId,
    pub security: &'a Security,
    /// The applications that opened the sessions, with their names.
    pub applications: &'a [(&'a ClientId, &'a str)],
    pub csrf_token: &'a str,
    /// The address of the client area.
    pub home: &'a str,
}

pub fn security_page(page: &SecurityPage<'_>) -> Markup {
    let SecurityPage { user, current, security, applications, csrf_token, home } = *page;
    layout(
        "Your sessions",
        &html! {
            main.wide {
                header {
                    p.status.good { "Signed in as " strong { (user) } }
                    h1 { "Your sessions" }
                    p.message { "These browsers are signed in to your account. End those that you do not know." }
                }
                section.card aria-label="Sessions" {
                    ul.entries {
                        @for session in &security.sessions {
                            li { (entry(session, session.id == *current, applications, csrf_token)) }
                        }
                    }
                    @if security.sessions.len() > 1 {
                        (form("end_other_sessions", None, csrf_token, "End all other sessions"))
                    }
                }
                section.card aria-labelledby="sso" {
                    h2 #sso { "Single sign-on" }
                    @if security.sso {
                        p { strong { "Allowed." } " Applications that you use may sign you in here without a password." }
                        p.hint { "Once you disallow it, no application can sign you in. Sessions that are open go on: if somebody else may have used one, end all other sessions too. When the last one has ended, only your provider can allow it again." }
                        (form("disallow_sso", None, csrf_token, "Disallow single sign-on"))
                    } @else {
                        p { strong { "Not allowed." } " No application can sign you in here." }
                        p.hint { "Sessions that are open go on until you end them above. When the last one has ended, only your provider can allow it again." }
                        (form("allow_sso", None, csrf_token, "Allow single sign-on"))
                    }
                }
                p { a href=(home) { "Back to the client area" } }
            }
        },
    )
}

fn entry(session: &Session, is_current: bool, applications: &[(&ClientId, &str)], csrf_token: &str) -> Markup {
    let name = applications.iter().find(|(id, _)| **id == session.client_id).map(|(_, name)| *name);
    let application = name.unwrap_or(session.client_id.as_str());
    let user_agent = session.user_agent.as_deref().unwrap_or_default();
    html! {
        h2 id=(session.id) {
            (browser(user_agent))
            @if is_current { " " span.badge { "this browser" } }
        }
        dl {
            dt { "Signed in" } dd { (time(session.created_at)) }
            dt { "Last used" } dd { (time(session.last_seen_at)) }
            dt { "From" } dd { (session.address.as_deref().unwrap_or("an unknown address")) }
            dt { "Application" } dd { (application) }
            dt { "Destination" } dd { (session.destination.map_or("Client Area Home", Scope::label)) }
            @if !user_agent.is_empty() { dt { "Browser" } dd.hint { (user_agent) } }
        }
        @if is_current {
            form method="post" action="/oauth/logout" {
                button.button.quiet type="submit" aria-describedby=(session.id) { "Sign out" }
            }
        } @else {
            (form("end_session", Some(&session.id), csrf_token, "End this session"))
        }
    }
}

fn form(action: &str, session: Option<&SessionId>, csrf_token: &str, button: &str) -> Markup {
    html! {
        form method="post" {
            input type="hidden" name="csrf_token" value=(csrf_token);
            input type="hidden" name="action" value=(action);
            @if let Some(id) = session { input type="hidden" name="session_id" value=(id); }
            button.button.quiet type="submit" aria-describedby=[session] { (button) }
        }
    }
}

/// Guesses the browser from its `User-Agent`. Browsers also name those that they descend from, so the order of the lists matters.
pub fn browser(user_agent: &str) -> String {
    const BROWSERS: [(&str, &str); 8] = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 7] = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ];
    let find = |names: &[(&str, &'static str)]| {
        names.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    match (find(&BROWSERS), find(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, Some(system)) => format!("A program on {system}"),
        (None, None) => "An unknown browser".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;
    use crate::user::session_for_test;

    fn session(n: u8, user_agent: Option<&str>) -> Session {
        Session {
            id: SessionId::from_random([n; 16]),
            created_at: Timestamp::from_seconds(1_479_461_544),
            user_agent: user_agent.map(str::to_owned),
            ..session_for_test()
        }
    }

    fn page(sso: bool, sessions: Vec<Session>, name: &str) -> String {
        let portal = ClientId::parse("portal").unwrap();
        let (user, current) = (UserId::parse("42").unwrap(), SessionId::from_random([1; 16]));
        let security = Security { sso, sessions };
        security_page(&SecurityPage {
            user: &user,
            current: &current,
            security: &security,
            applications: &[(&portal, name)],
            csrf_token: "proof",
            home: "https://my.example/",
        })
        .into_string()
    }

    #[test]
    fn a_session_shows_its_time_address_application_and_destination() {
        let page = page(true, vec![session(1, None)], "My Panel");
        for text in
            ["18 November 2016, 09:32 UTC", "192.0.2.1", "My Panel", "My Invoices", "this browser", "/oauth/logout"]
        {
            assert!(page.contains(text), "{text}: {page}");
        }
        assert!(!page.contains("end_session") && !page.contains("end_other_sessions"), "there is no other: {page}");
    }

    #[test]
    fn other_sessions_can_be_ended_and_single_sign_on_allowed() {
        let page = page(false, vec![session(1, None), session(2, None)], "P");
        for text in ["end_session", "end_other_sessions", "allow_sso", SessionId::from_random([2; 16]).as_str()] {
            assert!(page.contains(text), "{text}");
        }
        assert!(!page.contains("disallow_sso"));
    }

    #[test]
    fn texts_from_outside_are_escaped() {
        let page = page(true, vec![session(1, Some("<script>alert(1)</script>"))], "<img src=x>");
        assert!(!page.contains("<script>") && !page.contains("<img"), "{page}");
    }

    #[test]
    fn browsers_and_systems_are_recognised() {
        for (user_agent, name) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0 Safari/537.36 Edg/150.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0 Mobile Safari/537.36",
                "Chrome on Android",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            ("curl/8.5.0", "An unknown browser"),
            ("Dillo (Linux)", "A program on Linux"),
            ("", "An unknown browser"),
        ] {
            assert_eq!(browser(user_agent), name);
        }
    }
}
