//! Authorization server metadata (RFC 8414).

use crate::credential::GrantType;
use crate::destination::Scope;
use crate::issuer::Issuer;
use serde_json::{Map, Value, json};

/// The client authentication methods of every endpoint (RFC 7591 section 2).
const AUTH_METHODS: [&str; 2] = ["client_secret_basic", "client_secret_post"];

/// The metadata of `issuer`. `endpoints` are the name and the path of each. There is no authorization endpoint, so no
/// response type is supported.
pub fn metadata(issuer: &Issuer, endpoints: impl Iterator<Item = (&'static str, &'static str)>) -> Value {
    let mut fields = Map::new();
    fields.insert("issuer".to_owned(), issuer.as_str().into());
    for (name, path) in endpoints {
        fields.insert(name.to_owned(), format!("{}{path}", issuer.as_str()).into());
        if name.ends_with("_endpoint") {
            fields.insert(format!("{name}_auth_methods_supported"), json!(AUTH_METHODS));
        }
    }
    fields.insert("grant_types_supported".to_owned(), json!(GrantType::ALL));
    fields.insert("response_types_supported".to_owned(), json!([]));
    fields.insert("scopes_supported".to_owned(), Scope::all().map(Scope::as_str).collect());
    fields.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::tests::settings;

    #[test]
    fn wire_form_is_unchanged() {
        let endpoints = [("token_endpoint", "/oauth/token"), ("jwks_uri", "/.well-known/jwks.json")];
        let mut document = metadata(&settings(&[]).ok().unwrap().issuer, endpoints.into_iter());
        let scopes = document["scopes_supported"].take();
        assert_eq!((scopes.as_array().unwrap().len(), scopes[0].as_str()), (20, Some("clientarea:sso")));
        assert_eq!(
            document,
            json!({
                "issuer": "https://sso.example",
                "token_endpoint": "https://sso.example/oauth/token",
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
                "jwks_uri": "https://sso.example/.well-known/jwks.json",
                "grant_types_supported": ["single_sign_on"],
                "response_types_supported": [],
                "scopes_supported": null,
            })
        );
    }
}
