//! The switch from one user to another: its page, and the confirmation that the browser has seen the page.

use crate::id::{SessionId, TokenId};
use crate::page::layout;
use crate::secret::{KeyRing, Purpose, Secret};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

/// The confirmation of one token and of the session that it replaces. It has no expiry, because it is useless without a
/// valid token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SwitchConfirmation {
    pub jti: TokenId,
    /// The current session of the browser.
    pub sid: SessionId,
}

impl SwitchConfirmation {
    pub fn seal(&self, keys: &KeyRing) -> serde_json::Result<String> {
        keys.sign(Purpose::Switch, self)
    }

    /// Whether `text` is this confirmation, signed by Signet.
    pub fn is_confirmed_by(&self, text: &Secret, keys: &KeyRing) -> bool {
        keys.open(Purpose::Switch, text.expose()).is_some_and(|confirmation: Self| confirmation == *self)
    }
}

/// The page that asks before a browser switches from one user to another. Its form posts to the address of the page.
/// `fields` are the parameters of the request that this address does not contain.
pub fn switch_page<'a>(
    from: &str,
    to: &str,
    confirmation: &str,
    fields: impl Iterator<Item = (&'static str, &'a str)>,
    home: &str,
) -> Markup {
    layout(
        "Switch account?",
        &html! {
            main.card {
                p.status { "Already signed in" }
                h1 { "Switch account?" }
                p.message { "This browser is signed in as User ID " strong { (from) } ". The link you opened is for User ID " strong { (to) } "." }
                p.hint { "If you did not ask for this, stay where you are." }
                form method="post" {
                    input type="hidden" name="switch" value=(confirmation);
                    @for (name, value) in fields {
                        input type="hidden" name=(name) value=(value);
                    }
                    p.actions {
                        a.button href=(home) { "Stay signed in as " (from) }
                        button.button.quiet type="submit" { "Sign in as " (to) }
                    }
                }
            }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::entry_for_test;

    fn keys() -> KeyRing {
        KeyRing::parse(&entry_for_test("k1", 7)).unwrap()
    }

    fn confirmation(token: u8, session: u8) -> SwitchConfirmation {
        SwitchConfirmation { jti: TokenId::from_random([token; 16]), sid: SessionId::from_random([session; 16]) }
    }

    #[test]
    fn wire_form_is_unchanged() {
        let json = r#"{"jti":"AQEBAQEBAQEBAQEBAQEBAQ","sid":"AgICAgICAgICAgICAgICAg"}"#;
        assert_eq!(serde_json::to_string(&confirmation(1, 2)).unwrap(), json);
    }

    #[test]
    fn a_confirmation_is_valid_for_one_token_and_one_session() {
        let sealed = Secret::new(confirmation(1, 2).seal(&keys()).unwrap());
        for ((token, session), is_confirmed) in [((1, 2), true), ((1, 3), false), ((3, 2), false), ((2, 1), false)] {
            assert_eq!(
                confirmation(token, session).is_confirmed_by(&sealed, &keys()),
                is_confirmed,
                "{token} {session}"
            );
        }
    }

    #[test]
    fn only_a_confirmation_signed_by_signet_is_valid() {
        let expected = confirmation(1, 2);
        let foreign = KeyRing::parse(&entry_for_test("k1", 8)).unwrap();
        for invalid in [
            String::new(),
            "1".into(),
            serde_json::to_string(&expected).unwrap(),
            expected.seal(&foreign).unwrap(),
            keys().sign(Purpose::SsoToken, &expected).unwrap(),
            keys().sign(Purpose::Session, &expected).unwrap(),
            keys().sign(Purpose::Switch, &"x").unwrap(),
        ] {
            assert!(!expected.is_confirmed_by(&Secret::new(invalid.as_str()), &keys()), "{invalid:?}");
        }
    }
}
