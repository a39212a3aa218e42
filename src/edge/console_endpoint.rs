//! `/admin`: the operator's console.

use super::admin_endpoint::{self, Admin, NO_CREDENTIAL};
use super::fault::{Fault, Trouble};
use super::object::unexpected;
use super::platform::{milliseconds, random};
use super::site::{Site, Trail};
use super::standing::counting;
use super::{console_object, decisions, limits, user_object};
use crate::admin::{AdminReply, PageRequest};
use crate::console::{
    self, ConsoleCommand, ConsoleCookie, ConsoleReply, ConsoleRequest, ConsoleSession, DailyCounts, FormAction, Frame,
    Platform, SignIn, SignInRequest, UserPage, View, arrival_address, first_day_shown, view_at,
};
use crate::http::{BROWSER_CHALLENGE, Failure, Method, Request, Response};
use crate::id::{ClientId, SessionId, UserId};
use crate::log::Outcome;
use crate::session::CsrfToken;
use crate::user::{Command, Reply};
use futures_util::future::try_join3;
use serde_json::Value;

/// How many entries a page lists.
const PAGE: u64 = 50;
const ANOTHER_SITE: Failure = Failure::of(403, "invalid_form", "Another site cannot use the console.");
const NOBODY: Failure = Failure::of(401, "invalid_session", "No administrator is signed in.")
    .with(BROWSER_CHALLENGE.0, BROWSER_CHALLENGE.1);
const WRONG_TOKEN: Failure = Failure::of(401, "unauthorized", "That is not the administration token.");
const NO_COOKIE: Failure = Failure::of(
    401,
    "no_cookie",
    "The token is right, but your browser did not keep the session cookie. Allow cookies for this address.",
);
const NO_COOKIE_BY_HTTP: Failure = Failure::of(
    401,
    "no_cookie",
    "The token is right, but your browser did not keep the session cookie. \
     Safari keeps none on http://localhost. Use Chromium or Firefox, or https.",
);

/// Serves an administrator:
/// 1. a page of another origin cannot post,
/// 2. the administration token opens a session,
/// 3. without a live session there is nothing but the way to sign in: one object request,
/// 4. who has just signed in goes on to the page that was wanted,
/// 5. a failure from here on is shown within the console.
pub(super) async fn serve(request: &Request, site: &Site, trail: &mut Trail) -> Result<Response, Trouble> {
    // 1.
    if request.method == Method::Post && request.is_cross_origin(site.console_origin()) {
        return Err(ANOTHER_SITE.into());
    }
    // 2.
    let arrival = match SignInRequest::parse(request)? {
        Some(SignInRequest::Enter(form)) => return sign_in(form, request, site, trail).await,
        Some(SignInRequest::Arrive(view)) => Some(view),
        None => None,
    };
    // 3.
    let Some(sid) = live_session(request, site).await? else {
        return ask_to_sign_in(arrival, request, trail);
    };
    // 4.
    if let Some(view) = arrival {
        trail.reason = Some("arrived");
        return Ok(go_to(&view.address(), site));
    }
    // 5.
    let wanted = view_at(&request.target()).unwrap_or(View::Overview);
    let proof = CsrfToken { sid };
    let csrf_token = proof.seal(&site.settings.keys)?;
    let frame = Frame { section: wanted.section(), csrf_token: &csrf_token, notice: None };
    let outcome = Operator { request, site, proof, frame, trail }.serve().await;
    match outcome {
        Err(Trouble::Caller(failure)) if request.wants_page() => {
            trail.outcome = Outcome::Denied;
            trail.reason = Some(failure.error);
            Ok(console::failure_page(&frame, &failure))
        }
        outcome => outcome,
    }
}

/// The answer to whoever is not signed in. `arrival` is where a browser goes right after signing in: without a cookie
/// there, it kept none.
fn ask_to_sign_in(arrival: Option<View>, request: &Request, trail: &mut Trail) -> Result<Response, Trouble> {
    trail.reason = Some("no_session");
    if !request.wants_page() {
        return Err(NOBODY.into());
    }
    trail.outcome = Outcome::Denied;
    let failure = (arrival.is_some() && request.cookie(ConsoleCookie::NAME).is_none())
        .then_some(if request.is_secure() { NO_COOKIE } else { NO_COOKIE_BY_HTTP });
    let wanted = arrival.or_else(|| view_at(&request.target()).ok()).unwrap_or(View::Overview);
    Ok(console::sign_in_page(&wanted, failure.as_ref()))
}

/// Opens a session for whoever knows the administration token, and ends the one that the browser presents.
async fn sign_in(sign_in: SignIn, request: &Request, site: &Site, trail: &mut Trail) -> Result<Response, Trouble> {
    let expected = &site.settings.admin_token;
    if !expected.verify(&sign_in.admin_token) {
        trail.is_failed_attempt = true;
        trail.outcome = Outcome::Denied;
        trail.reason = Some("wrong_credentials");
        return Ok(console::sign_in_page(&sign_in.then, Some(&WRONG_TOKEN)));
    }
    let session = ConsoleSession::new(SessionId::from_random(random()?), expected.clone(), site.now);
    let replaces = ConsoleCookie::open(request, &site.settings.keys, site.now).map(|cookie| cookie.sid);
    done(site, ConsoleCommand::Open { session: session.clone(), replaces }).await?;
    trail.reason = Some("signed_in");
    let response = go_to(&arrival_address(&sign_in.then), site);
    Ok(ConsoleCookie::of(&session).set(response, &site.settings.keys)?)
}

/// The session that the browser presents, if it is alive.
async fn live_session(request: &Request, site: &Site) -> Result<Option<SessionId>, Fault> {
    let Some(cookie) = ConsoleCookie::open(request, &site.settings.keys, site.now) else { return Ok(None) };
    match console_object::ask(&site.env, ConsoleCommand::Check(cookie.sid.clone())).await? {
        ConsoleReply::Done => Ok(Some(cookie.sid)),
        ConsoleReply::Missing => Ok(None),
        reply => Err(unexpected(&reply)),
    }
}

async fn done(site: &Site, command: ConsoleCommand) -> Result<(), Fault> {
    match console_object::ask(&site.env, command).await? {
        ConsoleReply::Done => Ok(()),
        reply => Err(unexpected(&reply)),
    }
}

/// The page of a list that `cursor` names.
const fn page(cursor: Option<String>) -> PageRequest {
    PageRequest { cursor, limit: PAGE }
}

/// A redirect that a GET follows.
fn go_to(address: &str, site: &Site) -> Response {
    Response::redirect(303, &format!("{}{address}", site.console_origin()))
}

/// An administrator who is signed in, and the request that came.
struct Operator<'a> {
    request: &'a Request,
    site: &'a Site,
    proof: CsrfToken,
    frame: Frame<'a>,
    trail: &'a mut Trail,
}

impl Operator<'_> {
    async fn serve(&mut self) -> Result<Response, Trouble> {
        match ConsoleRequest::parse(self.request)? {
            ConsoleRequest::Show(view, notice) => {
                self.trail.reason = Some("shown");
                self.show(view, &Frame { notice, ..self.frame }).await
            }
            ConsoleRequest::Find(view) => Ok(go_to(&view.address(), self.site)),
            ConsoleRequest::Act { action, csrf_token } => {
                self.proof.check(&csrf_token, &self.site.settings.keys)?;
                self.trail.reason = Some("changed");
                self.act(*action).await
            }
            ConsoleRequest::SignOut { csrf_token } => {
                self.proof.check(&csrf_token, &self.site.settings.keys)?;
                self.trail.reason = Some("signed_out");
                done(self.site, ConsoleCommand::End(self.proof.sid.clone())).await?;
                let response = ConsoleCookie::clear(go_to(&View::Overview.address(), self.site));
                Ok(response.with("Clear-Site-Data", "\"cache\", \"storage\""))
            }
        }
    }

    /// Does what a form asks. A new secret is shown, this once; else the browser goes on to a page.
    async fn act(&mut self, action: FormAction) -> Result<Response, Trouble> {
        let status = |is_new| if is_new { 201 } else { 200 };
        Ok(match admin_endpoint::perform(action.request, self.request, self.site, self.trail).await? {
            AdminReply::Credential { set, secret: Some(secret), is_new } => {
                let id = ("client_id", set.client_id.as_str());
                let then = View::Credential(set.client_id.clone());
                console::secret_page(&self.frame, status(is_new), &set.name, id, &secret, &then)
            }
            AdminReply::ApiCredential { credential, secret: Some(secret), is_new } => {
                let id = ("identifier", credential.identifier.as_str());
                let then = View::ApiCredential(credential.identifier.clone());
                console::secret_page(&self.frame, status(is_new), &credential.name, id, &secret, &then)
            }
            _ => go_to(&format!("{}?notice={}", action.next.address(), action.notice.as_str()), self.site),
        })
    }

    async fn show(&mut self, view: View, frame: &Frame<'_>) -> Result<Response, Trouble> {
        let (site, admin) = (self.site, Admin { request: self.request, site: self.site });
        match &view {
            View::Credential(id) | View::ApiCredential(id) => self.trail.client_id = Some(id.clone()),
            View::User { id, .. } | View::Export(id) => self.trail.user_id = Some(id.clone()),
            View::Token(jti) => self.trail.jti = Some(jti.clone()),
            _ => {}
        }
        Ok(match view {
            View::Overview => console::overview_page(frame, &self.tally().await?),
            View::Health => console::health_page(frame, &console::checks(&site.settings, &self.platform().await)),
            View::Credentials { cursor } => {
                console::credentials_page(frame, &admin.credential_page(page(cursor)).await?)
            }
            View::NewCredential => console::new_credential_page(frame),
            View::Credential(id) => self.show_credential(id, frame).await?,
            View::Users => console::find_user_page(frame),
            View::Export(id) => self.export(&id).await?,
            View::User { id, cursor } => self.show_user(&id, cursor, frame).await?,
            View::Tokens => console::find_token_page(frame),
            View::Token(jti) => {
                let (record, fate) = admin.token(&jti).await?;
                console::token_page(frame, &record, fate.as_ref(), site.now)
            }
            View::ApiCredentials { cursor } => {
                console::api_credentials_page(frame, &admin.api_credential_page(page(cursor)).await?)
            }
            View::NewApiCredential => console::new_api_credential_page(frame),
            View::ApiCredential(id) => console::api_credential_page(frame, &admin.api_credential(&id).await?),
        })
    }

    /// The page of a set. What asked for a token may be an API credential too: then on to its page.
    async fn show_credential(&self, id: ClientId, frame: &Frame<'_>) -> Result<Response, Trouble> {
        let kv = self.site.kv()?;
        if let Some(set) = kv.credential(&id).await? {
            return Ok(console::credential_page(frame, &set));
        }
        match kv.api_credential(&id).await? {
            Some(_) => Ok(go_to(&View::ApiCredential(id).address(), self.site)),
            None => Err(NO_CREDENTIAL.into()),
        }
    }

    /// The page of a user: three object requests at once.
    async fn show_user(&self, id: &UserId, cursor: Option<String>, frame: &Frame<'_>) -> Result<Response, Trouble> {
        let admin = Admin { request: self.request, site: self.site };
        let (account, sessions) = (admin.ask(id, Command::GetAccount), admin.ask(id, Command::ListSessions(None)));
        let (account, sessions, (events, older)) = try_join3(account, sessions, admin.events(id, page(cursor))).await?;
        match (account, sessions) {
            (Reply::Account(account), Reply::Sessions(sessions)) => {
                let sessions = counting(sessions, self.site).await?;
                let page = UserPage { id, account: &account, sessions: &sessions, events: &events, older };
                Ok(console::user_page(frame, &page))
            }
            (Reply::Missing, _) | (_, Reply::Missing) => Ok(console::unknown_user_page(frame, id)),
            (reply, _) => Err(unexpected(&reply).into()),
        }
    }

    /// What is kept of a user, as the administration API answers it.
    async fn export(&self, id: &UserId) -> Result<Response, Trouble> {
        let reply = Admin { request: self.request, site: self.site }.user(id.clone(), Command::Export).await?;
        Ok(reply.into_response(&self.site.settings.issuer, self.site.now)?)
    }

    async fn tally(&self) -> Result<DailyCounts, Fault> {
        let command = ConsoleCommand::Counts(first_day_shown(self.site.now));
        match console_object::ask(&self.site.env, command).await? {
            ConsoleReply::Counts(counts) => Ok(DailyCounts::new(&counts, self.site.now)),
            reply => Err(unexpected(&reply)),
        }
    }

    async fn platform(&self) -> Platform {
        let start = milliseconds();
        let kv_answers = match self.site.kv() {
            Ok(kv) => kv.get::<Value>("health").await.is_ok(),
            Err(_) => false,
        };
        let env = &self.site.env;
        Platform {
            kv_milliseconds: kv_answers.then(|| milliseconds().saturating_sub(start)),
            has_users: env.durable_object(user_object::BINDING).is_ok(),
            has_rate_limit: env.rate_limiter(limits::BINDING).is_ok(),
            has_analytics: env.analytics_engine(decisions::ANALYTICS).is_ok(),
        }
    }
}
