//! An answer of the API, in the encoding of WHMCS.

use crate::credential::{ClientProblem, CredentialSet};
use crate::http::Response;
use crate::issuer::Issuer;
use crate::time::{Timestamp, month_name};
use crate::token::SsoToken;
use chrono::{Datelike, Timelike};
use quick_xml::escape::escape;
use serde_json::{Map, Value, json};
use std::fmt::{self, Write as _};

/// All fields, in the order of WHMCS's documentation.
const FIELD_ORDER: [&str; 20] = [
    "result", "message", "access_token", "redirect_url", "clients", "credentialId", "name", "description",
    "grantTypes", "scope", "clientIdentifier", "clientSecret", "newClientSecret", "uuid", "serviceId", "logoUri",
    "redirectUri", "rsaKeyPairId", "createdAt", "updatedAt",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// JSON with the escapes of PHP's `json_encode`.
    Json,
    /// XML with the root element `whmcsapi`.
    Xml,
}

/// An answer. `Debug` shows only the status and the message of an error, because other fields may contain a secret.
#[derive(Clone, PartialEq)]
pub struct ApiAnswer {
    pub status: u16,
    /// Whether a secret was missing or wrong, so that the answer counts against the caller's rate limit.
    pub is_failed_attempt: bool,
    fields: Map<String, Value>,
}

impl fmt::Debug for ApiAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiAnswer({} {:?})", self.status, self.fields.get("message"))
    }
}

impl ApiAnswer {
    /// `result=success` with `fields`, a JSON object.
    pub fn success(fields: Value) -> Self {
        let mut fields = match fields {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        fields.insert("result".to_owned(), "success".into());
        Self { status: 200, is_failed_attempt: false, fields }
    }

    /// `result=error`. Failed actions have the status 200, because clients ignore the messages of other statuses.
    pub fn error(status: u16, message: impl Into<String>) -> Self {
        let mut fields = Map::new();
        fields.insert("result".to_owned(), "error".into());
        fields.insert("message".to_owned(), message.into().into());
        Self { status, is_failed_attempt: false, fields }
    }

    /// The answer to `CreateSsoToken`.
    pub fn token(token: &SsoToken, issuer: &Issuer) -> Self {
        let link = token.link(&format!("{}.php", issuer.sso_endpoint()));
        Self::success(json!({"access_token": token.text.expose(), "redirect_url": link.expose()}))
    }

    pub fn is_success(&self) -> bool {
        self.fields.get("result").is_some_and(|result| result == "success")
    }

    /// `action` is the name of the action in lower case.
    pub fn into_response(self, action: &str, encoding: Encoding) -> Response {
        let (body, content_type) = match encoding {
            Encoding::Json => (php_json(&Value::Object(self.fields)), "application/json"),
            Encoding::Xml => (xml(action, &self.fields), "application/xml; charset=utf-8"),
        };
        Response { body, ..Response::empty(self.status) }.with("Content-Type", content_type)
    }
}

impl From<ClientProblem> for ApiAnswer {
    fn from(problem: ClientProblem) -> Self {
        let message = match problem {
            ClientProblem::NoCredentials => "Invalid or missing credentials",
            ClientProblem::WrongCredentials | ClientProblem::Disabled => "Authentication Failed",
        };
        Self { is_failed_attempt: true, ..Self::error(403, message) }
    }
}

/// The fields of an object in the order of [`FIELD_ORDER`]. serde_json sorts them by name.
fn sort_fields(fields: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    let known = FIELD_ORDER.iter().filter_map(|name| fields.get_key_value(*name));
    known.chain(fields.iter().filter(|(name, _)| !FIELD_ORDER.contains(&name.as_str())))
}

/// JSON with the escapes of PHP's `json_encode`.
fn php_json(value: &Value) -> String {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) => php_string(text),
        Value::Array(entries) => format!("[{}]", entries.iter().map(php_json).collect::<Vec<_>>().join(",")),
        Value::Object(fields) => {
            let member = |(name, value): (&String, &Value)| format!("{}:{}", php_string(name), php_json(value));
            format!("{{{}}}", sort_fields(fields).map(member).collect::<Vec<_>>().join(","))
        }
    }
}

fn xml(action: &str, fields: &Map<String, Value>) -> String {
    let mut text = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<whmcsapi>\n".to_owned();
    write_element(&mut text, "action", &action.into());
    for (name, value) in sort_fields(fields) {
        write_element(&mut text, name, value);
    }
    text.push_str("</whmcsapi>\n");
    text
}

/// Writes an element and a line break. The entries of a list have the name of the list without its last letter: `client` in
/// `clients`.
fn write_element(text: &mut String, name: &str, value: &Value) {
    let _ = write!(text, "<{name}>");
    match value {
        Value::Null => {}
        Value::Bool(on) => text.push(if *on { '1' } else { '0' }),
        Value::Number(number) => text.push_str(&number.to_string()),
        Value::String(string) => text.push_str(&escape(remove_controls(string))),
        Value::Array(entries) => {
            let entry_name = name.strip_suffix('s').unwrap_or("entry");
            write_elements(text, entries.iter().map(|entry| (entry_name, entry)));
        }
        Value::Object(fields) => {
            write_elements(text, sort_fields(fields).map(|(name, value)| (name.as_str(), value)));
        }
    }
    let _ = writeln!(text, "</{name}>");
}

/// Writes the elements within another element, each on its own line.
fn write_elements<'a>(text: &mut String, inner: impl Iterator<Item = (&'a str, &'a Value)>) {
    for (position, (name, value)) in inner.enumerate() {
        if position == 0 {
            text.push('\n');
        }
        write_element(text, name, value);
    }
}

/// Removes control characters and noncharacters, which XML 1.0 forbids even as references (section 2.2).
fn remove_controls(text: &str) -> String {
    let is_char =
        |c: &char| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}') || matches!(c, '\t' | '\n' | '\r');
    text.chars().filter(is_char).collect()
}

/// A credential set in the answer to `ListOAuthCredentials`. WHMCS lists secrets. Signet stores only their digests.
pub(super) fn credential_row(set: &CredentialSet) -> Value {
    let scopes: Vec<_> = set.scopes.iter().map(|scope| scope.as_str()).collect();
    let grant_types: Vec<_> = set.grant_types.iter().map(|grant_type| grant_type.as_str()).collect();
    json!({
        "credentialId": set.number(),
        "name": set.name,
        "description": set.description,
        "grantTypes": grant_types.join(" "),
        "scope": scopes.join(" "),
        "clientIdentifier": set.client_id,
        "clientSecret": "",
        "uuid": null,
        "serviceId": set.service_id.as_ref().map_or(Value::from(0), |id| {
            id.as_str().parse::<u64>().map_or_else(|_| id.as_str().into(), Value::from)
        }),
        "logoUri": set.logo_uri.as_deref().unwrap_or_default(),
        "redirectUri": set.redirect_uris,
        "rsaKeyPairId": 0,
        "createdAt": date(set.created_at),
        "updatedAt": date(set.updated_at),
    })
}

/// A date in the format of WHMCS: `18th November 2016 9:32:24am`.
fn date(at: Timestamp) -> String {
    at.date_time().map_or_else(String::new, |at| {
        let suffix = match at.day() {
            1 | 21 | 31 => "st",
            2 | 22 => "nd",
            3 | 23 => "rd",
            _ => "th",
        };
        let (is_afternoon, hour) = at.hour12();
        let half = if is_afternoon { "pm" } else { "am" };
        let (day, month, year) = (at.day(), month_name(at), at.year());
        format!("{day}{suffix} {month} {year} {hour}:{:02}:{:02}{half}", at.minute(), at.second())
    })
}

/// A JSON string with the escapes of PHP's `json_encode`: slashes and all characters outside ASCII are escaped.
pub fn php_string(text: &str) -> String {
    let mut escaped = String::new();
    for c in Value::from(text).to_string().chars() {
        match c {
            '/' => escaped.push_str("\\/"),
            c if c.is_ascii() => escaped.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(escaped, "\\u{unit:04x}");
                }
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_the_escapes_of_php() {
        let answer = ApiAnswer::success(json!({"url": "https://a/é😀", "n": 1, "quote": "\"<&>"}));
        let response = answer.into_response("x", Encoding::Json);
        assert_eq!(response.header("Content-Type"), Some("application/json"));
        assert_eq!(
            response.body,
            r#"{"result":"success","n":1,"quote":"\"<&>","url":"https:\/\/a\/\u00e9\ud83d\ude00"}"#
        );
        assert_eq!(serde_json::from_str::<Value>(&response.body).unwrap()["url"], "https://a/é😀");
    }

    #[test]
    fn xml_has_the_action_as_its_first_element() {
        let answer = ApiAnswer::success(
            json!({"clients": [{"name": "<a&b>\u{1}\u{fffe}\u{ffff}", "uuid": null}, {"name": "c"}]}),
        );
        let response = answer.into_response("listoauthcredentials", Encoding::Xml);
        assert_eq!(
            response.body,
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<whmcsapi>\n<action>listoauthcredentials</action>\n\
             <result>success</result>\n<clients>\n<client>\n<name>&lt;a&amp;b&gt;</name>\n<uuid></uuid>\n</client>\n\
             <client>\n<name>c</name>\n</client>\n</clients>\n</whmcsapi>\n"
        );
        assert!(response.header("Content-Type").unwrap().contains("application/xml"));
    }

    #[test]
    fn an_error_has_its_status_and_message() {
        let answer = ApiAnswer::error(403, "Authentication Failed");
        assert!(!answer.is_success());
        let response = answer.into_response("", Encoding::Json);
        assert_eq!(
            (response.status, response.body.as_str()),
            (403, r#"{"result":"error","message":"Authentication Failed"}"#)
        );
    }

    #[test]
    fn dates_have_the_format_of_whmcs() {
        for (seconds, text) in [
            (1_479_461_544, "18th November 2016 9:32:24am"),
            (1_480_550_400, "1st December 2016 12:00:00am"),
            (1_480_680_000, "2nd December 2016 12:00:00pm"),
            (1_482_532_859, "23rd December 2016 10:40:59pm"),
            (1_481_500_800, "12th December 2016 12:00:00am"),
        ] {
            assert_eq!(date(Timestamp::from_seconds(seconds)), text);
        }
    }

    #[test]
    fn strings_have_the_escapes_of_php() {
        for (text, escaped) in [
            ("https://a/é😀", r#""https:\/\/a\/\u00e9\ud83d\ude00""#),
            ("\"<&>\n", r#""\"<&>\n""#),
            ("\u{7f}\u{2028}", "\"\u{7f}\\u2028\""),
        ] {
            assert_eq!(php_string(text), escaped);
            assert_eq!(serde_json::from_str::<String>(escaped).unwrap(), text);
        }
    }
}
