//! `/admin`: the console.

use crate::admin::{AdminReply, NO_CREDENTIAL, PageRequest, UserRequest};
use crate::console::{
    self, ConsoleCookie, ConsoleRequest, ConsoleSession, Counters, FormAction, Frame, Platform, SignIn, SignInRequest,
    UserPage, View, arrival_address, first_day_shown, view_at,
};
use crate::edge::runtime::platform::{is_bound, milliseconds, random};
use crate::edge::runtime::{Error, Fault, RequestContext, decisions, limits};
use crate::edge::storage::administration::{Admin, perform};
use crate::edge::storage::calls::ConsoleObject;
use crate::edge::storage::sessions::without_ended;
use crate::http::{BROWSER_CHALLENGE, ErrorCode, Failure, Method, Response};
use crate::id::{ClientId, SessionId, UserId};
use crate::session::CsrfToken;
use futures_util::future::{TryFutureExt as _, try_join3};
use serde_json::Value;

/// The number of entries on a page.
const PAGE: u64 = 50;
const ANOTHER_SITE: Failure = Failure::of(403, ErrorCode::InvalidForm, "Another site cannot use the console.");
const NOT_SIGNED_IN: Failure = Failure::of(401, ErrorCode::InvalidSession, "No administrator is signed in.")
    .with(BROWSER_CHALLENGE.0, BROWSER_CHALLENGE.1);
const WRONG_TOKEN: Failure = Failure::of(401, ErrorCode::Unauthorized, "That is not the administration token.");
const NO_COOKIE: Failure = Failure::of(
    401,
    ErrorCode::NoCookie,
    "The token is right, but your browser did not keep the session cookie. Allow cookies for this address.",
);
const NO_COOKIE_BY_HTTP: Failure = Failure::of(
    401,
    ErrorCode::NoCookie,
    "The token is right, but your browser did not keep the session cookie. \
     Safari keeps none on http://localhost. Use Chromium or Firefox, or https.",
);

/// Serves a request to the console:
/// 1. refuse a POST from another origin,
/// 2. open a session for the administration token,
/// 3. answer with the sign-in page if there is no live session: one object request,
/// 4. redirect to the requested page after a sign-in,
/// 5. serve the request; failures are shown as a page of the console.
pub(crate) async fn serve(context: &RequestContext) -> Result<Response, Error> {
    // 1.
    if context.request.method == Method::Post && context.request.is_cross_origin(context.console_origin()) {
        return Err(ANOTHER_SITE.into());
    }
    // 2.
    let arrival = match SignInRequest::parse(&context.request)? {
        Some(SignInRequest::Enter(form)) => return sign_in(form, context).await,
        Some(SignInRequest::Arrive(view)) => Some(view),
        None => None,
    };
    // 3.
    let Some(sid) = live_session(context).await? else {
        return ask_to_sign_in(arrival, context);
    };
    // 4.
    if let Some(view) = arrival {
        context.audit.set_reason("arrived");
        return Ok(go_to(&view.address(), context));
    }
    // 5.
    let wanted = view_at(&context.request.target()).unwrap_or(View::Overview);
    let csrf = CsrfToken { sid };
    let csrf_token = csrf.seal(&context.settings.keys)?;
    let frame = Frame { section: wanted.section(), csrf_token: &csrf_token, notice: None };
    let outcome = Operator { context, csrf, frame }.serve().await;
    match outcome {
        Err(Error::Failure(failure)) if context.request.wants_page() => {
            context.audit.deny(failure.error.as_str());
            Ok(console::failure_page(&frame, &failure))
        }
        outcome => outcome,
    }
}

/// The answer without a live session. `arrival` is the page of a browser that has just signed in: if it sends no
/// cookie, it did not store the cookie.
fn ask_to_sign_in(arrival: Option<View>, context: &RequestContext) -> Result<Response, Error> {
    context.audit.deny("no_session");
    if !context.request.wants_page() {
        return Err(NOT_SIGNED_IN.into());
    }
    let failure = (arrival.is_some() && context.request.cookie(ConsoleCookie::NAME).is_none())
        .then_some(if context.request.is_secure() { NO_COOKIE } else { NO_COOKIE_BY_HTTP });
    let wanted = arrival.or_else(|| view_at(&context.request.target()).ok()).unwrap_or(View::Overview);
    Ok(console::sign_in_page(&wanted, failure.as_ref()))
}

/// Opens a session if the administration token is correct, and ends the earlier session of the same browser.
async fn sign_in(sign_in: SignIn, context: &RequestContext) -> Result<Response, Error> {
    let expected = &context.settings.admin_token;
    if !expected.verify(&sign_in.admin_token) {
        limits::count_failed_attempt(context).await?;
        context.audit.deny("wrong_credentials");
        return Ok(console::sign_in_page(&sign_in.then, Some(&WRONG_TOKEN)));
    }
    let session = ConsoleSession::new(SessionId::from_random(random()?), expected.clone(), context.now);
    let replaces = ConsoleCookie::open(&context.request, &context.settings.keys, context.now).map(|cookie| cookie.sid);
    ConsoleObject(&context.env).open(session.clone(), replaces).await?;
    context.audit.set_reason("signed_in");
    let response = go_to(&arrival_address(&sign_in.then), context);
    Ok(ConsoleCookie::of(&session).set(response, &context.settings.keys)?)
}

/// The live session of the request. Costs one object request; nothing without a cookie.
async fn live_session(context: &RequestContext) -> Result<Option<SessionId>, Fault> {
    let Some(cookie) = ConsoleCookie::open(&context.request, &context.settings.keys, context.now) else {
        return Ok(None);
    };
    let is_live = ConsoleObject(&context.env).check(cookie.sid.clone()).await?;
    Ok(is_live.then_some(cookie.sid))
}

const fn page(cursor: Option<String>) -> PageRequest {
    PageRequest { cursor, limit: PAGE }
}

/// A redirect (303, so that the browser follows with a GET).
fn go_to(address: &str, context: &RequestContext) -> Response {
    Response::redirect(303, &format!("{}{address}", context.console_origin()))
}

/// A request of an administrator who is signed in.
struct Operator<'a> {
    context: &'a RequestContext,
    csrf: CsrfToken,
    frame: Frame<'a>,
}

impl Operator<'_> {
    async fn serve(&self) -> Result<Response, Error> {
        match ConsoleRequest::parse(&self.context.request)? {
            ConsoleRequest::Show(view, notice) => {
                self.context.audit.set_reason("shown");
                self.show(view, &Frame { notice, ..self.frame }).await
            }
            ConsoleRequest::Find(view) => Ok(go_to(&view.address(), self.context)),
            ConsoleRequest::Act { action, csrf_token } => {
                self.csrf.check(&csrf_token, &self.context.settings.keys)?;
                self.context.audit.set_reason("changed");
                self.act(*action).await
            }
            ConsoleRequest::SignOut { csrf_token } => {
                self.csrf.check(&csrf_token, &self.context.settings.keys)?;
                self.context.audit.set_reason("signed_out");
                ConsoleObject(&self.context.env).end(self.csrf.sid.clone()).await?;
                let response = ConsoleCookie::clear(go_to(&View::Overview.address(), self.context));
                Ok(response.with("Clear-Site-Data", "\"cache\", \"storage\""))
            }
        }
    }

    /// Runs the action of a form. Shows a new secret once; otherwise redirects to a page.
    async fn act(&self, action: FormAction) -> Result<Response, Error> {
        let status = |is_new| if is_new { 201 } else { 200 };
        Ok(match perform(action.request, self.context).await? {
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
            _ => go_to(&format!("{}?notice={}", action.next.address(), action.notice.as_str()), self.context),
        })
    }

    async fn show(&self, view: View, frame: &Frame<'_>) -> Result<Response, Error> {
        let (context, admin) = (self.context, Admin { context: self.context });
        match &view {
            View::Credential(id) | View::ApiCredential(id) => context.audit.set_client(id),
            View::User { id, .. } | View::Export(id) => context.audit.set_user(id),
            View::Token { jti, .. } => context.audit.set_token(jti),
            _ => {}
        }
        Ok(match view {
            View::Overview => console::overview_page(frame, &self.counters().await?, context.settings.token_records),
            View::Health => console::health_page(frame, &console::checks(&context.settings, &self.platform().await)),
            View::Credentials { cursor } => {
                console::credentials_page(frame, &admin.credential_page(page(cursor)).await?)
            }
            View::NewCredential => console::new_credential_page(frame),
            View::Credential(id) => self.show_credential(id, frame).await?,
            View::Users => console::find_user_page(frame),
            View::Export(id) => self.export(&id).await?,
            View::User { id, cursor } => self.show_user(&id, cursor, frame).await?,
            View::Tokens => console::find_token_page(frame, context.settings.token_records),
            View::Token { jti, user } => console::token_page(frame, &admin.token(jti, user).await?, context.now),
            View::ApiCredentials { cursor } => {
                console::api_credentials_page(frame, &admin.api_credential_page(page(cursor)).await?)
            }
            View::NewApiCredential => console::new_api_credential_page(frame),
            View::ApiCredential(id) => console::api_credential_page(frame, &admin.api_credential(&id).await?),
        })
    }

    /// The page of a credential set. If the id is that of an API credential, redirects to its page.
    async fn show_credential(&self, id: ClientId, frame: &Frame<'_>) -> Result<Response, Error> {
        let kv = self.context.kv();
        if let Some(set) = kv.credential(&id).await? {
            return Ok(console::credential_page(frame, &set));
        }
        match kv.api_credential(&id).await? {
            Some(_) => Ok(go_to(&View::ApiCredential(id).address(), self.context)),
            None => Err(NO_CREDENTIAL.into()),
        }
    }

    /// The page of a user. Costs three concurrent object requests and one KV read.
    async fn show_user(&self, id: &UserId, cursor: Option<String>, frame: &Frame<'_>) -> Result<Response, Error> {
        let admin = Admin { context: self.context };
        let account = self.context.user(id).account().map_err(Error::from);
        let sessions = self.context.user(id).sessions(None).map_err(Error::from);
        let (account, sessions, (events, older)) = try_join3(account, sessions, admin.events(id, page(cursor))).await?;
        let Some(account) = account else { return Ok(console::unknown_user_page(frame, id)) };
        let sessions = without_ended(sessions, self.context).await?;
        let page = UserPage { id, account: &account, sessions: &sessions, events: &events, older };
        Ok(console::user_page(frame, &page))
    }

    /// The export of a user, as in the administration API.
    async fn export(&self, id: &UserId) -> Result<Response, Error> {
        let reply = Admin { context: self.context }.user(id.clone(), UserRequest::Export).await?;
        Ok(reply.into_response(&self.context.settings.issuer, self.context.now)?)
    }

    async fn counters(&self) -> Result<Counters, Fault> {
        let counts = ConsoleObject(&self.context.env).counts(first_day_shown(self.context.now)).await?;
        Ok(Counters::new(&counts, self.context.now))
    }

    async fn platform(&self) -> Platform {
        let start = milliseconds();
        let kv_answers = self.context.kv().get::<Value>("health").await.is_ok();
        let env = &self.context.env;
        Platform {
            kv_milliseconds: kv_answers.then(|| milliseconds().saturating_sub(start)),
            has_users: is_bound(env, "USERS.getByName"),
            has_rate_limit: limits::is_bound(env),
            has_analytics: decisions::is_bound(env),
        }
    }
}
