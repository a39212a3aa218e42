use serde::{Deserialize, Serialize};

/// The name of an action in WHMCS's API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ActionName {
    CreateSsoToken,
    CreateOAuthCredential,
    UpdateOAuthCredential,
    DeleteOAuthCredential,
    ListOAuthCredentials,
}

impl ActionName {
    pub const ALL: [Self; 5] = [
        Self::CreateSsoToken,
        Self::CreateOAuthCredential,
        Self::UpdateOAuthCredential,
        Self::DeleteOAuthCredential,
        Self::ListOAuthCredentials,
    ];

    /// Names are case-insensitive.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str().eq_ignore_ascii_case(name))
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CreateSsoToken => "CreateSsoToken",
            Self::CreateOAuthCredential => "CreateOAuthCredential",
            Self::UpdateOAuthCredential => "UpdateOAuthCredential",
            Self::DeleteOAuthCredential => "DeleteOAuthCredential",
            Self::ListOAuthCredentials => "ListOAuthCredentials",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn action_names_are_those_of_whmcs() {
        for name in [
            "CreateSsoToken", "CreateOAuthCredential", "UpdateOAuthCredential", "DeleteOAuthCredential",
            "ListOAuthCredentials",
        ] {
            let action = ActionName::parse(&name.to_ascii_lowercase()).unwrap();
            assert_eq!(serde_json::to_value(action).unwrap(), name);
        }
        assert_eq!(ActionName::parse("getclients"), None);
    }
}
