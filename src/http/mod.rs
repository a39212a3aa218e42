//! HTTP without the platform: requests, responses, and failures.

mod browser;
mod cookie;
mod error_code;
mod failure;
mod headers;
mod params;
mod request;
mod response;

pub use error_code::ErrorCode;
pub use failure::{BROWSER_CHALLENGE, Failure, ReturnLink};
pub use headers::{HeaderName, Headers};
pub use params::{Params, parse_number};
pub use request::{BODY_BYTES_MAX, Caller, Method, Request, decoded_segments};
pub use response::{Hsts, Response, security_headers};

#[cfg(test)]
pub(crate) use request::tests::{FORM as FORM_FOR_TEST, form as form_for_test, request as request_for_test};
