//! The header fields that the gateway removes or changes.

/// The fields that servers trust because a proxy sets them: names, or prefixes that end in `*`. The gateway removes them from
/// requests.
const TRUSTED: [&[&str]; 9] = [
    // The signed-in user: Signet, forward authentication (Authelia, oauth2-proxy, Traefik), CGI's REMOTE_USER.
    &["x-signet-*", "x-forwarded-*", "remote-*", "x-remote-*", "x-auth-request-*"],
    // Grafana's auth proxy, Kong, authentik, Pomerium, Tailscale, mod_auth_openidc.
    &[
        "x-webauth-*", "x-authenticated-*", "x-consumer-*", "x-authentik-*", "x-pomerium-*", "tailscale-user-*",
        "oidc-*", "x-vouch-*", "x-auth-user*", "x-proxy-user", "x-token-subject", "x-token-user-*", "x-userinfo",
    ],
    // Google's Identity-Aware Proxy, Azure App Service, AWS load balancers.
    &["x-goog-authenticated-user-*", "x-ms-client-principal*", "x-amzn-oidc-*", "x-appengine-*"],
    // Client certificates of TLS proxies (RFC 9440).
    &["x-ssl-client-*", "ssl-client-*", "x-client-cert*", "client-cert*", "x-arr-*"],
    // The client's address (RFC 7239, and the fields before it).
    &[
        "forwarded*", "x-forwarded", "x-real-ip", "x-client-ip", "client-ip", "true-client-ip", "x-cluster-client-ip",
        "x-originating-ip", "x-azure-*", "fastly-*",
    ],
    // The requested URL. Some frameworks route by these (CVE-2018-14773).
    &["x-original-*", "x-rewrite-*", "x-host", "x-scheme", "x-url-scheme", "front-end-https", "x-envoy-*"],
    // The handlers that already ran (Next.js, CVE-2025-29927).
    &["x-middleware-*", "x-invoke-*"],
    // The files that a proxy may send (Rack, CVE-2025-61780).
    &["x-sendfile-*", "x-accel-*", "x-lighttpd-*", "x-litespeed-*"],
    // CGI turns it into HTTP_PROXY, which programs use as their own proxy (CVE-2016-5385).
    &["proxy"],
];

/// Whether the gateway removes the field `name` from requests to the client area's server.
///
/// CGI and PHP read several names as one: `X.Signet_User` is `X-Signet-User` (RFC 3875 section 4.1.18). Therefore every character
/// except letters and digits counts as `-`. The `CF-` fields come from Cloudflare with hyphens, so only other spellings of them
/// are removed.
///
/// `Expect` is removed because the runtime has already answered it (RFC 9110 section 10.1.1).
pub fn is_removed(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let canonical: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let is_trusted = TRUSTED.iter().copied().flatten().any(|entry| match entry.strip_suffix('*') {
        Some(prefix) => canonical.starts_with(prefix),
        None => canonical == *entry,
    });
    is_trusted || canonical == "expect" || (canonical.starts_with("cf-") && canonical != name)
}

/// The `Cache-Control` of a response for one user. Replaces `public` and `s-maxage` by `private`, and adds `private` to other
/// directives, because a shared cache may store a response that does not forbid it (RFC 9111 sections 3 and 5.2.2). Returns
/// `None` if `cache_control` needs no change.
pub fn made_private(cache_control: &str) -> Option<String> {
    let is = |directive: &str, name: &str| directive.eq_ignore_ascii_case(name);
    let is_shared = |directive: &&str| {
        let name = directive.split('=').next().unwrap_or_default().trim();
        is(name, "public") || is(name, "s-maxage")
    };
    let directives = cache_control.split(',').map(str::trim).filter(|directive| !directive.is_empty());
    let (shared, mut kept): (Vec<_>, Vec<_>) = directives.partition(is_shared);
    let is_private = kept.iter().any(|directive| is(directive, "private") || is(directive, "no-store"));
    if is_private && shared.is_empty() {
        return None;
    }
    if !is_private {
        kept.push("private");
    }
    Some(kept.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_trusted_field_is_removed() {
        for name in [
            "X-Signet-User", "x-signet-user", "X_SIGNET_USER", "x_signet-user", "X-Signet_Assertion", "x-signet-",
            "X.Signet.User", "X~Signet~User", "X.Signet_User", "x!signet'user", "X-Forwarded-User", "X.Forwarded.User",
            "X_Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Server", "X-Forwarded",
            "Forwarded", "Forwarded-For", "Remote-User", "REMOTE_USER", "X-Remote-User", "X-Original-URL",
            "X-Rewrite-URL", "X-Real-IP", "X.Real.IP", "Client-IP", "Client_Ip", "True-Client-IP",
            "X-Auth-Request-Email", "X-MS-CLIENT-PRINCIPAL", "X-MS-Client-Principal-Name", "OIDC_CLAIM_sub",
            "SSL_CLIENT_S_DN", "Proxy", "X-Sendfile-Type", "X-Accel-Mapping", "X-Middleware-Subrequest",
            "X-ARR-ClientCert", "X-Vouch-User", "X-Auth-User", "X-AppEngine-User-Email", "X-Envoy-Original-Path",
            "Fastly-Client-IP", "X-Azure-ClientIP", "Expect",
        ] {
            assert!(is_removed(name), "{name}");
        }
    }

    #[test]
    fn cloudflares_fields_pass_with_hyphens_only() {
        for name in ["CF-Connecting-IP", "cf-connecting-ip", "CF-Ray", "CF-IPCountry", "Cf-Access-Jwt-Assertion"] {
            assert!(!is_removed(name), "{name}");
        }
        for name in ["CF_Connecting_IP", "cf.connecting.ip", "cf-connecting_ip", "CF~Ray"] {
            assert!(is_removed(name), "{name}");
        }
    }

    #[test]
    fn other_fields_pass() {
        for name in [
            "X-Signet", "X-Signetuser", "XX-Signet-User", "Signet-User", "Cookie", "Authorization", "Proxy-Connection",
            "X-Requested-With", "X_App.Key", "X-Client-Version", "X-Hostname", "Accept", "",
        ] {
            assert!(!is_removed(name), "{name}");
        }
    }

    #[test]
    fn rfc_9111_3_and_5_2_2_a_response_for_one_user_is_private() {
        for (before, after) in [
            ("public", Some("private")),
            ("public, max-age=60", Some("max-age=60, private")),
            ("max-age=60 , PUBLIC,immutable", Some("max-age=60, immutable, private")),
            ("s-maxage=60, max-age=5", Some("max-age=5, private")),
            ("S-MaxAge = 60", Some("private")),
            ("public, private", Some("private")),
            ("public, no-store", Some("no-store")),
            ("private", None),
            ("Private, max-age=60", None),
            ("no-store", None),
            ("max-age=60", Some("max-age=60, private")),
            ("no-cache", Some("no-cache, private")),
            // Applies to one field only.
            ("private=\"set-cookie\"", Some("private=\"set-cookie\", private")),
            ("x-public", Some("x-public, private")),
            ("", Some("private")),
        ] {
            assert_eq!(made_private(before).as_deref(), after, "{before:?}");
        }
    }
}
