//! The answer of the introspection endpoint (RFC 7662 section 2.2).

use crate::destination::ScopeSet;
use crate::http::Response;
use crate::id::{ClientId, TokenId, UserId};
use crate::time::Timestamp;
use crate::token::Claims;
use serde::Serialize;

/// The claims of an active token. Every other token gets `{"active":false}`, which does not disclose the reason.
pub fn introspection_response(active: Option<&Claims>) -> Response {
    #[derive(Serialize)]
    struct Body<'a> {
        active: bool,
        aud: &'a str,
        client_id: &'a ClientId,
        exp: Timestamp,
        iat: Timestamp,
        iss: &'a str,
        jti: &'a TokenId,
        scope: &'a ScopeSet,
        sub: &'a UserId,
        token_type: &'static str,
    }
    let Some(claims) = active else { return Response::json_text(200, r#"{"active":false}"#.to_owned()) };
    let body = Body {
        active: true,
        aud: &claims.aud,
        client_id: &claims.client_id,
        exp: claims.exp,
        iat: claims.iat,
        iss: &claims.iss,
        jti: &claims.jti,
        scope: &claims.scope,
        sub: &claims.sub,
        token_type: "Bearer",
    };
    Response::json(200, &body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn the_answer_for_an_inactive_token_has_one_field() {
        assert_eq!(introspection_response(None).body, r#"{"active":false}"#);
    }

    #[test]
    fn wire_form_of_an_active_token_is_unchanged() {
        let mut claims = json!({
            "iss": "https://sso.example",
            "aud": "https://sso.example/oauth/singlesignon",
            "sub": "42",
            "client_id": "portal",
            "scope": "clientarea:sso clientarea:invoices",
            "iat": 1_800_000_000,
            "exp": 1_800_000_060,
            "jti": "AQEBAQEBAQEBAQEBAQEBAQ",
        });
        let token: Claims = serde_json::from_value(claims.clone()).unwrap();
        claims["active"] = true.into();
        claims["token_type"] = "Bearer".into();
        let body = introspection_response(Some(&token)).body;
        assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), claims);
    }
}
