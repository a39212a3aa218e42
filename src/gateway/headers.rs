//! The headers that say who is signed in. They are Signet's alone to write.

/// Whether a header called `name` could pass for one of Signet's. Some servers make `X-Signet-User` and
/// `X_Signet_User` one (RFC 3875 section 4.1.18), so both are.
pub fn is_identity_header(name: &str) -> bool {
    name.to_ascii_lowercase().replace('_', "-").starts_with("x-signet-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_recognised() {
        for name in
            ["X-Signet-User", "x-signet-user", "X_SIGNET_USER", "x_signet-user", "X-Signet_Assertion", "x-signet-"]
        {
            assert!(is_identity_header(name), "{name}");
        }
        for name in ["X-Signet", "X-Signetuser", "XX-Signet-User", "Signet-User", "X-Forwarded-User", "Cookie", ""] {
            assert!(!is_identity_header(name), "{name}");
        }
    }
}
