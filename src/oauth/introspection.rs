//! The answer of the introspection endpoint (RFC 7662 section 2.2).

use crate::token::Claims;
use serde_json::{Value, json};

/// The claims of an active token. Every other token gets `{"active":false}`, which does not disclose the reason.
pub fn introspection_json(active: Option<&Claims>) -> Value {
    let Some(claims) = active else { return json!({"active": false}) };
    json!({
        "active": true,
        "scope": claims.scope,
        "client_id": claims.client_id,
        "token_type": "Bearer",
        "exp": claims.exp,
        "iat": claims.iat,
        "sub": claims.sub,
        "aud": claims.aud,
        "iss": claims.iss,
        "jti": claims.jti,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_for_an_inactive_token_has_one_field() {
        assert_eq!(introspection_json(None).to_string(), r#"{"active":false}"#);
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
        assert_eq!(introspection_json(Some(&token)), claims);
    }
}
