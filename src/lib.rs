//! Signet: single sign-on at the edge.
//!
//! # The request paths
//!
//! Every request first passes [`address::refusal`]: https alone where the issuer is https, and administration on its own
//! origin.
//!
//! ```text
//! application ── POST /oauth/token ──────────► edge::endpoints::token
//!                                              oauth::TokenRequest::parse   one typed request, or one error
//!                                              KV  credential:{client_id}   1 read
//!                                              oauth::grant                 client, scope, user; sign
//!                                              KV  token:{jti}              1 write, after the answer
//!
//! browser ────── GET /oauth/singlesignon ────► edge::endpoints::sso
//!                                              sso::SsoRequest::parse       nothing is spent on a malformed one
//!                                              token::open                  signature, claims, time
//!                                              sso::Redirect::plan          the address in the client area
//!                                              the user's object            1 request:
//!                                                edge::storage::user_object load facts ─► user::decide ─► save changes
//!                                              302 to the destination, with the session cookie
//!
//! application ── POST /includes/api.php ─────► edge::endpoints::whmcs, as WHMCS would answer
//!
//! operator ───── /admin/v1/… ────────────────► edge::endpoints::admin
//! operator ───── /admin ─────────────────────► edge::endpoints::console
//!                                              both: admin::AdminRequest ─► edge::storage::administration::perform ─► AdminReply
//!
//! proxy ──────── GET /oauth/session ─────────► edge::endpoints::session
//! browser ────── any other path ─────────────► edge::endpoints::gateway, in gateway mode
//!                                              the session cookie, then the user's object: 1 request
//!                                              session::identity, or gateway::Assertion to the client area
//!                                              gateway::socket: each minute of a WebSocket, 1 object request
//! ```
//!
//! # The direction of dependencies
//!
//! Everything outside `edge` is the core: synchronous, without a platform, tested natively. Time
//! and random bytes are parameters. Dependencies point one way:
//!
//! ```text
//! edge ─► address ─► route ─► console ─► admin, demo, import, oauth, session, sso ─► failure_response, settings
//! ─► gateway, whmcs ─► credential, token ─► user ─► destination, limit, log, page, store ─► http, id, issuer, openapi, secret
//! ─► json, time
//! ```
//!
//! # What is stored
//!
//! | where | key | value | lives |
//! | --- | --- | --- | --- |
//! | KV | [`credential:{client_id}`](store::credential_key) | [`credential::CredentialSet`] | until revoked |
//! | KV | [`token:{jti}`](store::token_key) | [`token::TokenRecord`] | [`store::TOKEN_RECORD_TTL`] |
//! | KV | [`api-credential:{identifier}`](store::api_credential_key) | [`whmcs::ApiCredential`] | until revoked |
//! | KV | [`credential-id:{n}`](store::credential_number_key) | the `client_id` of that number | until revoked |
//! | KV | [`not-before:{client_id}`](store::not_before_key) | the moment up to which the sessions that a delegated set or an API credential opened are ended | [`store::NOT_BEFORE_TTL`] |
//! | KV | [`revoked:{client_id}`](store::revocation_key) | when a credential set or an API credential was revoked, so that no change under way brings it back | [`store::REVOCATION_TTL`] |
//! | KV | [`service:{id}`](store::service_key) | [`store::ServiceClaims`]: the users whose accounts list it; their objects have the last word | until the last account drops it |
//! | user's object | `account` (1 row) | [`user::Account`] | until deleted |
//! | user's object | `token` by `jti` | [`user::TokenFate`]: spent or revoked | [`store::TOKEN_RECORD_TTL`] |
//! | user's object | `session` by id | [`user::Session`] | its idle and absolute limits |
//! | user's object | `credential` by `client_id` | [`user::CredentialState`] of each bound set; an unknown one is refused | with the object |
//! | user's object | `event` by class and number | [`user::Event`] | the setting `EVENT_RETENTION_DAYS`, the newest of each [`user::EventClass`] |
//! | console's object | `session` by id | [`console::ConsoleSession`] | its idle and absolute limits |
//! | console's object | `tally` by day, outcome and reason | how often | [`console::DAYS_KEPT`] |
//!
//! An object makes its tables with its first write: reading leaves nothing behind. They are versioned: `schema_version` (1 row)
//! holds the version, and an object migrates older tables before it reads them: see [`store::migrate`]. An alarm sweeps the user's object. Nothing
//! rests on the sweep: a dead row is ignored wherever it is read.

// Most of the core is called from `edge` alone. Dead code is found where `edge` is compiled.
#![cfg_attr(not(target_arch = "wasm32"), allow(dead_code, unused_imports))]
// A test that overflows fails, as it should.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

mod address;
mod admin;
mod console;
mod credential;
#[cfg(feature = "demo")]
mod demo;
mod destination;
mod failure_response;
mod gateway;
mod http;
mod id;
mod import;
mod issuer;
mod json;
mod limit;
mod log;
mod oauth;
mod openapi;
mod page;
mod route;
mod secret;
mod session;
mod settings;
mod sso;
mod store;
mod time;
mod token;
mod user;
mod whmcs;

#[cfg(test)]
mod directions;
#[cfg(target_arch = "wasm32")]
mod edge;
#[cfg(test)]
mod redaction;
