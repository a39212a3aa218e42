//! Which header fields of a client reach the client area's server.

/// The fields that servers trust because only a proxy should write them: names, or beginnings of names before `*`. A
/// client's own never pass.
const TRUSTED: [&str; 51] = [
    // Who is signed in. Signet; forward authentication (Authelia, oauth2-proxy, Traefik); CGI's REMOTE_USER.
    "x-signet-*",
    "x-forwarded-*",
    "remote-*",
    "x-remote-*",
    "x-auth-request-*",
    // Grafana's auth proxy, Kong, authentik, Pomerium, Tailscale, mod_auth_openidc.
    "x-webauth-*",
    "x-authenticated-*",
    "x-consumer-*",
    "x-authentik-*",
    "x-pomerium-*",
    "tailscale-user-*",
    "oidc-*",
    "x-vouch-*",
    "x-auth-user*",
    "x-proxy-user",
    "x-token-subject",
    "x-token-user-*",
    "x-userinfo",
    // The clouds' own: Google's Identity-Aware Proxy, Azure App Service, AWS load balancers.
    "x-goog-authenticated-user-*",
    "x-ms-client-principal*",
    "x-amzn-oidc-*",
    "x-appengine-*",
    // Client certificates, as TLS proxies report them (RFC 9440).
    "x-ssl-client-*",
    "ssl-client-*",
    "x-client-cert*",
    "client-cert*",
    "x-arr-*",
    // From where it came (RFC 7239, and what was used before it).
    "forwarded*",
    "x-forwarded",
    "x-real-ip",
    "x-client-ip",
    "client-ip",
    "true-client-ip",
    "x-cluster-client-ip",
    "x-originating-ip",
    "x-azure-*",
    "fastly-*",
    // Which address was asked for. Some frameworks route by these (CVE-2018-14773).
    "x-original-*",
    "x-rewrite-*",
    "x-host",
    "x-scheme",
    "x-url-scheme",
    "front-end-https",
    "x-envoy-*",
    // Which handlers were passed already (Next.js, CVE-2025-29927).
    "x-middleware-*",
    "x-invoke-*",
    // Which files the server in front may send, and from where (Rack, CVE-2025-61780).
    "x-sendfile-*",
    "x-accel-*",
    "x-lighttpd-*",
    "x-litespeed-*",
    // CGI makes HTTP_PROXY of it, which programs take for their own proxy (CVE-2016-5385).
    "proxy",
];

/// Whether a field called `name` must not pass from the client to the client area's server.
///
/// Servers make one variable of several names: CGI and PHP read `X.Signet_User` as `X-Signet-User` (RFC 3875 section
/// 4.1.18). So a name is judged with `-` in place of every character that is neither a letter nor a digit. Cloudflare
/// writes the `CF-` fields, in that very spelling, so only other spellings of those are removed.
///
/// `Expect` is for the nearest server, which has answered it (RFC 9110 section 10.1.1).
pub fn is_removed(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let judged: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let is_trusted = TRUSTED.iter().any(|entry| match entry.strip_suffix('*') {
        Some(beginning) => judged.starts_with(beginning),
        None => judged == *entry,
    });
    is_trusted || judged == "expect" || (judged.starts_with("cf-") && judged != name)
}

/// The `Cache-Control` of an answer for one user, whose server says `cache_control`: `private` stands in place of `public` and
/// `s-maxage`, and beside all else, because a shared cache may keep what nothing forbids it to (RFC 9111 sections 3 and 5.2.2).
/// None if it is as it should be.
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
    fn every_spelling_of_an_identity_is_removed() {
        for name in [
            "X-Signet-User",
            "x-signet-user",
            "X_SIGNET_USER",
            "x_signet-user",
            "X-Signet_Assertion",
            "x-signet-",
            "X.Signet.User",
            "X~Signet~User",
            "X.Signet_User",
            "x!signet'user",
            "X-Forwarded-User",
            "X.Forwarded.User",
            "X_Forwarded-For",
            "X-Forwarded-Port",
            "X-Forwarded-Prefix",
            "X-Forwarded-Server",
            "X-Forwarded",
            "Forwarded",
            "Forwarded-For",
            "Remote-User",
            "REMOTE_USER",
            "X-Remote-User",
            "X-Original-URL",
            "X-Rewrite-URL",
            "X-Real-IP",
            "X.Real.IP",
            "Client-IP",
            "Client_Ip",
            "True-Client-IP",
            "X-Auth-Request-Email",
            "X-MS-CLIENT-PRINCIPAL",
            "X-MS-Client-Principal-Name",
            "OIDC_CLAIM_sub",
            "SSL_CLIENT_S_DN",
            "Proxy",
            "X-Sendfile-Type",
            "X-Accel-Mapping",
            "X-Middleware-Subrequest",
            "X-ARR-ClientCert",
            "X-Vouch-User",
            "X-Auth-User",
            "X-AppEngine-User-Email",
            "X-Envoy-Original-Path",
            "Fastly-Client-IP",
            "X-Azure-ClientIP",
            "Expect",
        ] {
            assert!(is_removed(name), "{name}");
        }
    }

    #[test]
    fn cloudflares_own_fields_pass_in_their_own_spelling_alone() {
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
            "X-Signet",
            "X-Signetuser",
            "XX-Signet-User",
            "Signet-User",
            "Cookie",
            "Authorization",
            "Proxy-Connection",
            "X-Requested-With",
            "X_App.Key",
            "X-Client-Version",
            "X-Hostname",
            "Accept",
            "",
        ] {
            assert!(!is_removed(name), "{name}");
        }
    }

    #[test]
    fn rfc_9111_3_and_5_2_2_an_answer_for_one_user_is_private() {
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
            // Of one field only.
            ("private=\"set-cookie\"", Some("private=\"set-cookie\", private")),
            ("x-public", Some("x-public, private")),
            ("", Some("private")),
        ] {
            assert_eq!(made_private(before).as_deref(), after, "{before:?}");
        }
    }
}
