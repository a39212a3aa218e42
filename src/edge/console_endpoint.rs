//! `/admin`: the operator's console.

use super::fault::{Fault, Trouble};
use super::object::unexpected;
use super::platform::{milliseconds, random};
use super::site::{Site, Trail};
use super::{admin_endpoint, console_object, decisions, limits};
use crate::admin::{AdminReply, AdminRequest, ApiCredentialRequest, CredentialRequest};
use crate::console::{self, Act, ConsoleCommand, ConsoleCookie, ConsoleReply, ConsoleRequest, ConsoleSession};
use crate::console::{FormToken, Frame, Platform, SignIn, Tally, UserPage, View, first_day_shown, view_at};
use crate::http::{Failure, Format, Method, Request, Response};
use crate::id::{ClientId, SessionId, UserId};
use crate::session::FormProof;
use crate::user::Command;
use serde_json::Value;

/// How many entries a page lists.
const PAGE: u64 = 50;
const ANOTHER_SITE: Failure = Failure::of(403, "invalid_form", "Another site cannot use the console.");
const NOBODY: Failure = Failure::of(401, "invalid_session", "No administrator is signed in.");
const OLD_FORM: Failure = Failure::of(403, "invalid_form", "The form is out of date. Open the page again.");
const WRONG_TOKEN: Failure = Failure::of(401, "unauthorized", "That is not the administration token.");

/// Serves an administrator:
/// 1. another site cannot post,
/// 2. the administration token opens a session,
/// 3. without a live session there is nothing but the way to sign in: one object request,
/// 4. what goes wrong from here on is told within the console.
pub(super) async fn serve(request: &Request, site: &Site, trail: &mut Trail) -> Result<Response, Trouble> {
    // 1.
    if request.method == Method::Post && request.is_cross_site(site.settings.issuer.as_str()) {
        return Err(ANOTHER_SITE.into());
    }
    // 2.
    if SignIn::is_asked_by(request) {
        return sign_in(SignIn::parse(request)?, site, trail).await;
    }
    // 3.
    let wanted = view_at(&request.target()).unwrap_or(View::Overview);
    let Some(sid) = live_session(request, site).await? else {
        trail.reason = Some("no_session");
        if request.format() != Format::Page {
            return Err(NOBODY.into());
        }
        trail.is_refused = true;
        return Ok(console::sign_in_page(&wanted, None));
    };
    // 4.
    let proof = FormProof { sid };
    let csrf_token = proof.seal(&site.settings.keys)?;
    let frame = Frame { section: wanted.section(), csrf_token: &csrf_token, notice: None };
    let outcome = Operator { request, site, proof, frame, trail }.serve().await;
    match outcome {
        Err(Trouble::Caller(failure)) if request.format() == Format::Page => {
            trail.is_refused = true;
            trail.reason = Some(failure.error);
            Ok(console::failure_page(&frame, &failure))
        }
        outcome => outcome,
    }
}

async fn sign_in(sign_in: SignIn, site: &Site, trail: &mut Trail) -> Result<Response, Trouble> {
    let expected = &site.settings.admin_token;
    if !expected.verify(&sign_in.admin_token) {
        trail.is_failed_attempt = true;
        trail.is_refused = true;
        trail.reason = Some("wrong_credentials");
        return Ok(console::sign_in_page(&sign_in.then, Some(&WRONG_TOKEN)));
    }
    let session = ConsoleSession::new(SessionId::from_random(random()?), expected.clone(), site.now);
    done(site, ConsoleCommand::Open(session.clone())).await?;
    trail.reason = Some("signed_in");
    Ok(ConsoleCookie::kept(&session, &site.settings.keys, go_to(&sign_in.then.address(), site))?)
}

/// The session that the browser presents, if it is alive.
async fn live_session(request: &Request, site: &Site) -> Result<Option<SessionId>, Fault> {
    let Some(cookie) = ConsoleCookie::of(request, &site.settings.keys, site.now) else { return Ok(None) };
    let command = ConsoleCommand::Check(cookie.sid.clone(), site.settings.admin_token.clone());
    match console_object::ask(&site.env, &command).await? {
        ConsoleReply::Session(_) => Ok(Some(cookie.sid)),
        ConsoleReply::Missing => Ok(None),
        reply => Err(unexpected(&reply)),
    }
}

async fn done(site: &Site, command: ConsoleCommand) -> Result<(), Fault> {
    match console_object::ask(&site.env, &command).await? {
        ConsoleReply::Done => Ok(()),
        reply => Err(unexpected(&reply)),
    }
}

/// A redirect that a GET follows.
fn go_to(address: &str, site: &Site) -> Response {
    Response::redirect(303, &format!("{}{address}", site.settings.issuer.as_str()))
}

/// An administrator who is signed in, and the request that came.
struct Operator<'a> {
    request: &'a Request,
    site: &'a Site,
    proof: FormProof,
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
            ConsoleRequest::Act(act, token) => {
                self.check_form(&token)?;
                self.trail.reason = Some("changed");
                self.act(*act).await
            }
            ConsoleRequest::SignOut(token) => {
                self.check_form(&token)?;
                self.trail.reason = Some("signed_out");
                done(self.site, ConsoleCommand::End(self.proof.sid.clone())).await?;
                let response = ConsoleCookie::cleared(go_to(&View::Overview.address(), self.site));
                Ok(response.with("Clear-Site-Data", "\"cache\", \"storage\""))
            }
        }
    }

    /// Checks that a form comes from a page of this very session.
    fn check_form(&self, token: &FormToken) -> Result<(), Failure> {
        if self.proof.is_given_by(&token.0, &self.site.settings.keys) { Ok(()) } else { Err(OLD_FORM) }
    }

    async fn perform(&mut self, ask: AdminRequest) -> Result<AdminReply, Trouble> {
        admin_endpoint::perform(ask, self.request, self.site, self.trail).await
    }

    /// Does what a form asks. A new secret is shown, this once; else the browser goes on to a page.
    async fn act(&mut self, act: Act) -> Result<Response, Trouble> {
        let status = |is_new| if is_new { 201 } else { 200 };
        Ok(match self.perform(act.ask).await? {
            AdminReply::Credential { set, secret: Some(secret), is_new } => {
                let names = [("client_id", set.client_id.as_str())];
                let then = View::Credential(set.client_id.clone());
                console::secret_page(&self.frame, status(is_new), &set.name, &names, &secret, &then)
            }
            AdminReply::ApiCredential { credential, secret: Some(secret), is_new } => {
                let names = [("identifier", credential.identifier.as_str())];
                let then = View::ApiCredential(credential.identifier.clone());
                console::secret_page(&self.frame, status(is_new), &credential.name, &names, &secret, &then)
            }
            _ => go_to(&format!("{}?notice={}", act.then.address(), act.notice.as_str()), self.site),
        })
    }

    async fn show(&mut self, view: View, frame: &Frame<'_>) -> Result<Response, Trouble> {
        Ok(match view {
            View::Overview => console::overview_page(frame, &self.tally().await?),
            View::Health => console::health_page(frame, &console::checks(&self.site.settings, &self.platform().await)),
            View::Credentials { cursor } => {
                let ask = AdminRequest::Credential(CredentialRequest::List { cursor, limit: PAGE });
                match self.perform(ask).await? {
                    AdminReply::Credentials(page) => console::credentials_page(frame, &page),
                    reply => return Err(odd(&reply)),
                }
            }
            View::NewCredential => console::new_credential_page(frame),
            View::Credential(id) => self.show_credential(id, frame).await?,
            View::Users => console::find_user_page(frame),
            View::User { id, before } => self.show_user(id, before, frame).await?,
            View::Tokens => console::find_token_page(frame),
            View::Token(jti) => match self.perform(AdminRequest::GetToken(jti)).await? {
                AdminReply::Token { record, fate } => console::token_page(frame, &record, fate.as_ref(), self.site.now),
                reply => return Err(odd(&reply)),
            },
            View::ApiCredentials { cursor } => {
                let ask = AdminRequest::ApiCredential(ApiCredentialRequest::List { cursor, limit: PAGE });
                match self.perform(ask).await? {
                    AdminReply::ApiCredentials(page) => console::api_credentials_page(frame, &page),
                    reply => return Err(odd(&reply)),
                }
            }
            View::NewApiCredential => console::new_api_credential_page(frame),
            View::ApiCredential(id) => {
                match self.perform(AdminRequest::ApiCredential(ApiCredentialRequest::Get(id))).await? {
                    AdminReply::ApiCredential { credential, .. } => console::api_credential_page(frame, &credential),
                    reply => return Err(odd(&reply)),
                }
            }
        })
    }

    /// The page of a set. What asked for a token may be an API credential too: then on to its page.
    async fn show_credential(&mut self, id: ClientId, frame: &Frame<'_>) -> Result<Response, Trouble> {
        match self.perform(AdminRequest::Credential(CredentialRequest::Get(id.clone()))).await {
            Ok(AdminReply::Credential { set, .. }) => Ok(console::credential_page(frame, &set)),
            Ok(reply) => Err(odd(&reply)),
            Err(none) => match self.perform(AdminRequest::ApiCredential(ApiCredentialRequest::Get(id.clone()))).await {
                Ok(_) => Ok(go_to(&View::ApiCredential(id).address(), self.site)),
                Err(_) => Err(none),
            },
        }
    }

    /// The page of a user: three object requests.
    async fn show_user(&mut self, id: UserId, before: Option<u64>, frame: &Frame<'_>) -> Result<Response, Trouble> {
        let ask = |command| AdminRequest::User(id.clone(), command);
        let account = match self.perform(ask(Command::GetAccount)).await {
            Ok(AdminReply::Account { account, .. }) => account,
            Ok(reply) => return Err(odd(&reply)),
            Err(Trouble::Caller(failure)) if failure.status == 404 => {
                return Ok(console::unknown_user_page(frame, &id));
            }
            Err(trouble) => return Err(trouble),
        };
        let sessions = match self.perform(ask(Command::ListSessions)).await? {
            AdminReply::Sessions(sessions) => sessions,
            reply => return Err(odd(&reply)),
        };
        let events = match self.perform(ask(Command::ListEvents { before, limit: PAGE })).await? {
            AdminReply::Events { events, .. } => events,
            reply => return Err(odd(&reply)),
        };
        let has_more = events.len() as u64 == PAGE;
        Ok(console::user_page(
            frame,
            &UserPage { id: &id, account: &account, sessions: &sessions, events: &events, has_more },
        ))
    }

    async fn tally(&self) -> Result<Tally, Fault> {
        let command = ConsoleCommand::Counts(first_day_shown(self.site.now));
        match console_object::ask(&self.site.env, &command).await? {
            ConsoleReply::Counts(counts) => Ok(Tally::new(&counts, self.site.now)),
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
            host: self.request.headers.get("host").unwrap_or_default().to_owned(),
            kv_milliseconds: kv_answers.then(|| milliseconds().saturating_sub(start)),
            has_rate_limit: env.rate_limiter(limits::BINDING).is_ok(),
            has_analytics: env.analytics_engine(decisions::ANALYTICS).is_ok(),
        }
    }
}

/// The fault of a reply that the request cannot have. It is not printed: it may hold a secret.
fn odd(_: &AdminReply) -> Trouble {
    Fault::Internal("console", "an unexpected reply".to_owned()).into()
}
