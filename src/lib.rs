//! Signet: single sign-on at the edge, as one Cloudflare Worker.
//!
//! An application requests a token for one of its users, and sends the user's browser to Signet with it. Signet redeems
//! the token once, sets a session cookie, and redirects the browser to the client area.
//!
//! * A *client* requests tokens. It is a credential set (OAuth 2.0) or an API credential (WHMCS's API).
//! * A *bound* credential set may sign in one user. A *delegated* credential set and an API credential may sign in any
//!   user.
//! * The *user's object* is the Durable Object of one user. It decides whether a token signs this user in, exactly once.
//! * The *client area* is the site that users sign in to. In gateway mode, Signet forwards its requests to an *origin*.
//!
//! # Request paths
//!
//! [`route::Route`] lists all routes. `edge/worker.js` is the module that Cloudflare loads: it calls `edge::start` for
//! each request, and the objects. `edge::fetch` checks each request in the same order: its address
//! ([`address::refusal`]), foreign pages and the rate limit, the administration token, the size of the body. Then it
//! calls an endpoint with a `RequestContext`: the request, the time, the settings, the platform and the fields of the
//! log line.
//!
//! ```text
//! application ── POST /oauth/token ────────► edge::endpoints::token
//!                                            oauth::TokenRequest::parse   bytes to one typed request, or one error
//!                                            KV credential:{client_id}    1 read
//!                                            oauth::grant                 check client, scope and user
//!                                            token::SsoToken::mint        sign the claims
//!                                            KV token:{jti}               1 write, after the answer
//!
//! browser ────── GET /oauth/singlesignon ──► edge::endpoints::sso
//!                                            sso::SsoRequest::parse       bytes to one typed request, or one error
//!                                            token::open                  check signature, claims and time
//!                                            sso::Redirect::plan          the address in the client area
//!                                            user's object                1 object request:
//!                                              edge::storage::user_object load facts ─► user::decide ─► save changes
//!                                            302                          session cookie, destination
//!
//! proxy ──────── GET /oauth/session ───────► edge::endpoints::session
//! browser ────── any other path ───────────► edge::endpoints::gateway     in gateway mode
//!                                            user::SessionCookie::open    check signature and absolute limit
//!                                            user's object                1 object request, or session::SessionCache
//!                                            session::identity            the answer to the proxy
//!                                            gateway::Assertion           the identity for the origin
//!                                            WebSocket                    1 object request each minute while it is open
//!
//! application ── POST /includes/api.php ───► edge::endpoints::whmcs       WHMCS's API
//! operator ───── /admin/v1/… ──────────────► edge::endpoints::admin       the administration API
//! operator ───── /admin ───────────────────► edge::endpoints::console     the same requests as pages and forms
//!                                            admin::AdminRequest ─► edge::storage::administration ─► admin::AdminReply
//! operator ───── /admin/v1/import ─────────► edge::endpoints::import      import::Item ─► edge::storage::imports
//! ```
//!
//! # Direction of dependencies
//!
//! `edge` is the only module that uses the platform. All other modules are the core: synchronous, with time and random
//! bytes as parameters, and tested natively. A module uses only modules to the right of it, and none of its own group.
//! A test compares this line with the source:
//!
//! ```text
//! edge ─► address ─► route ─► console ─► admin, demo, import, oauth, session, sso ─► failure_response, settings
//! ─► gateway, whmcs ─► credential, token ─► user ─► destination, limit, log, page, store ─► http, id, issuer, openapi, secret
//! ─► json, time
//! ```
//!
//! # What is stored
//!
//! | where | key | value | lifetime |
//! | --- | --- | --- | --- |
//! | KV | [`credential:{client_id}`](store::credential_key) | [`credential::CredentialSet`] | until revoked |
//! | KV | [`credential-id:{n}`](store::credential_number_key) | the `client_id` of the credential set with this number | until revoked |
//! | KV | [`api-credential:{identifier}`](store::api_credential_key) | [`whmcs::ApiCredential`] | until revoked |
//! | KV | [`revoked:{client_id}`](store::revocation_key) | the time at which the client was revoked; stops concurrent changes from restoring it | [`store::REVOCATION_TTL`] |
//! | KV | [`not-before:{client_id}`](store::not_before_key) | a time: sessions that a client for any user opened at or before it are ended | [`store::NOT_BEFORE_TTL`] |
//! | KV | [`token:{jti}`](store::token_key) | [`token::TokenRecord`], unless `TOKEN_RECORDS` is off | [`store::TOKEN_RECORD_TTL`] |
//! | KV | [`service:{id}`](store::service_key) | [`store::ServiceClaims`]: candidates for the owner of the service | until no account lists the service |
//! | user's object | `account` (1 row) | [`user::Account`] | until deleted |
//! | user's object | `token` by `jti` | [`user::SignIn`]: the final state of a redeemed token, its [`user::Session`] and its [`user::Event`] | until its session, its final state and its event have all expired |
//! | user's object | `token` by `jti` | [`user::TokenFate`]: the final state of a refused or revoked token | [`store::TOKEN_RECORD_TTL`] |
//! | user's object | `credential` by `client_id` | [`user::CredentialState`] of each bound credential set | until the object is empty |
//! | user's object | `event` by class and number | [`user::Event`], except sign-ins | the setting `EVENT_RETENTION_DAYS`, and the quota of the [`user::EventClass`] |
//! | console's object | `session` by id | [`console::ConsoleSession`] | its idle and absolute limits |
//! | console's object | `tally` by day, outcome and reason | the number of sign-ins or denials | [`console::DAYS_KEPT`] |
//!
//! KV is eventually consistent; objects are strongly consistent. An object creates its tables with its first write. A
//! row in `schema_version` holds their version, and [`store::migrate`] migrates older tables. An alarm deletes expired
//! rows of the user's object. Readers ignore expired rows, so no answer depends on the alarm. The user's object keeps
//! [`user::Facts`] in memory between commands. They equal the account, the live sessions, the
//! credential sets and the highest event number in storage.

#![allow(rustdoc::private_intra_doc_links, reason = "the documentation is built with private items")]
// Most of the core is called from `edge` alone. Dead code is found where `edge` is compiled.
#![cfg_attr(not(target_arch = "wasm32"), allow(dead_code, unused_imports, reason = "only `edge` uses them"))]
// In tests an overflow fails as it should, and short code matters more than style.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::pedantic, reason = "an overflow fails the test"))]

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
