//! WebSockets to the client area that carry an identity. Signet relays their messages.

use crate::http::{HeaderName, Request};
use std::time::Duration;

/// How often Signet checks the session of an open WebSocket.
pub const CHECK_EVERY: Duration = Duration::from_mins(1);
/// The close code if the session has ended (RFC 6455 section 7.4.1).
pub const POLICY_VIOLATION: u16 = 1008;
/// The close code if Signet cannot check the session (RFC 6455 section 7.4.1).
pub const INTERNAL_ERROR: u16 = 1011;
/// The close code if the other side disconnected without a code (RFC 6455 section 7.4.1).
pub const GOING_AWAY: u16 = 1001;

/// Whether `request` asks for another protocol, such as a WebSocket, from a page of another origin than `own_origin`. Browsers
/// allow this to every page and send cookies of the same site; only `Origin` shows it (RFC 6455 section 10.2). Programs send no
/// `Origin`.
pub fn is_foreign_handshake(request: &Request, own_origin: &str) -> bool {
    let is_handshake = request.headers.get(HeaderName::Upgrade).is_some();
    is_handshake && request.headers.get(HeaderName::Origin).is_some_and(|origin| origin != own_origin)
}

/// The close code for one side after the other closed with `code`; `None` if that had no code. Codes that only report a lost
/// connection must not be sent (RFC 6455 section 7.4.1).
pub const fn relayed_close(code: u16) -> Option<u16> {
    match code {
        1005 => None,
        1006 | 1015 => Some(GOING_AWAY),
        code => Some(code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Method, request_for_test as request};

    #[test]
    fn rfc_6455_10_2_a_handshake_from_another_origin_is_foreign() {
        let own = "https://my.example";
        let upgrade = ("upgrade", "websocket");
        for (headers, is_foreign) in [
            (vec![upgrade, ("origin", own)], false),
            (vec![upgrade], false),
            (vec![("origin", "https://evil.example")], false),
            (vec![upgrade, ("origin", "https://evil.example")], true),
            (vec![upgrade, ("origin", "https://blog.my.example")], true),
            (vec![upgrade, ("origin", "http://my.example")], true),
            (vec![upgrade, ("origin", "https://my.example:8443")], true),
            (vec![upgrade, ("origin", "null")], true),
            (vec![upgrade, ("origin", "")], true),
            (vec![("upgrade", "WebSocket"), ("origin", "https://evil.example")], true),
        ] {
            assert_eq!(is_foreign_handshake(&request(Method::Get, "/", &headers, ""), own), is_foreign, "{headers:?}");
        }
    }

    #[test]
    fn the_session_is_checked_each_minute() {
        assert_eq!(CHECK_EVERY.as_secs(), 60);
    }

    #[test]
    fn rfc_6455_7_4_1_a_code_is_relayed_if_it_can_be_sent() {
        for (code, relayed) in [
            (1000, Some(1000)),
            (1001, Some(1001)),
            (1005, None),
            (1006, Some(1001)),
            (1011, Some(1011)),
            (1015, Some(1001)),
            (4999, Some(4999)),
        ] {
            assert_eq!(relayed_close(code), relayed, "{code}");
        }
    }
}
