//! HTTP as plain data: what came in, what goes out, and one shape for every failure.

mod cookie;
mod failure;
mod params;
mod request;
mod response;
mod web_url;

pub use failure::{BROWSER_CHALLENGE, Failure, Format, WayBack};
pub use params::{Params, parse_number};
pub use request::{BODY_BYTES_MAX, Headers, Method, Request, decoded_segments};
pub use response::{Hsts, Response};
pub(crate) use web_url::{is_local_host, parse_web_url, scheme_and_host};

#[cfg(test)]
pub(crate) use request::tests::request as request_for_test;
