//! The console at `/admin`: the administration API as pages for people.

mod command;
mod counters;
mod form;
mod health;
mod pages;
mod request;
mod session;
mod view;

pub use command::{ConsoleCommand, ConsoleEnvelope, ConsoleReply};
pub use counters::{Count, Counters, DAYS_KEPT, Day, first_day_shown};
pub use form::FormAction;
pub use health::{Check, Level, Platform, checks};
pub use pages::{
    ADMINISTRATION_OFF, Frame, UserPage, api_credential_page, api_credentials_page, credential_page, credentials_page,
    failure_page, find_token_page, find_user_page, health_page, misdirected_page, new_api_credential_page,
    new_credential_page, overview_page, refusal_page, secret_page, sign_in_page, token_page, unknown_user_page,
    user_page,
};
pub use request::{
    ConsoleRequest, Notice, SIGN_IN_PATH, SIGN_OUT_PATH, SignIn, SignInRequest, arrival_address, view_at,
};
pub use session::{ConsoleCookie, ConsoleSession};
pub use view::{Section, View};
