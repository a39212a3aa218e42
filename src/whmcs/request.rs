//! A request to the API, parsed as in WHMCS.

use super::{ApiAnswer, Encoding};
use crate::credential::{ClientAuthentication, ClientProblem};
use crate::http::{ErrorCode, Failure, Method, Request};
use std::fmt;

const COUNT_MAX: usize = 200;
/// The parameters with the credentials of the caller.
const CREDENTIALS: [&str; 5] = ["identifier", "secret", "username", "password", "accesskey"];

/// The parameters of query and body. Names are case-insensitive, as in WHMCS's own examples. A parameter with brackets
/// (`redirectUri[]`, `redirectUri[0]`) is an entry of a list. `Debug` shows only the names.
#[derive(Default)]
pub struct ApiParams(Vec<(String, String)>);

impl fmt::Debug for ApiParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl ApiParams {
    /// Merges the decoded pairs of query and body. A parameter of the body replaces that of the query.
    ///
    /// # Errors
    /// 400 if there are more than 200 parameters.
    pub fn merge(
        query: impl Iterator<Item = (String, String)>,
        body: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, Failure> {
        const READ_MAX: usize = COUNT_MAX + 1;
        let normalize = |(name, value): (String, String)| (normalize_name(&name), value);
        let body: Vec<_> = body.map(normalize).take(READ_MAX).collect();
        let query = query.map(normalize).filter(|(name, _)| !body.iter().any(|(other, _)| other == name));
        let mut params: Vec<_> = query.take(READ_MAX).collect();
        params.extend(body);
        if params.len() > COUNT_MAX { Err(Failure::TOO_MANY_PARAMETERS) } else { Ok(Self(params)) }
    }

    /// The last value of the parameter `name`, which is in lower case. An empty parameter counts as absent.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.given(name).filter(|value| !value.is_empty())
    }

    /// The parsed value of the parameter `name`. `None` if it is absent.
    ///
    /// # Errors
    /// `error` if the value is invalid.
    pub(super) fn parsed<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Option<T>,
        error: impl FnOnce() -> ApiAnswer,
    ) -> Result<Option<T>, ApiAnswer> {
        self.get(name).map(|value| parse(value).ok_or_else(error)).transpose()
    }

    /// All values of a parameter except empty ones. `None` if the parameter is absent.
    pub fn list(&self, name: &str) -> Option<Vec<String>> {
        let mut values = self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).peekable();
        values.peek()?;
        Some(values.filter(|value| !value.is_empty()).collect())
    }

    /// The last value of the parameter `name`, which may be empty.
    pub fn given(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether the value is `1`, `true` or `on`, in any case.
    pub fn is_on(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| ["1", "true", "on"].iter().any(|on| value.eq_ignore_ascii_case(on)))
    }
}

#[derive(Debug)]
pub struct ApiRequest {
    /// The name of the action in lower case, or an empty text.
    pub action: String,
    pub encoding: Encoding,
    /// The pair `identifier` and `secret`, or else `username` and `password`. A pair with an empty half counts as absent.
    pub client: Result<ClientAuthentication, ClientProblem>,
    pub params: ApiParams,
}

impl ApiRequest {
    /// Checks the method and the address. GET, and credentials in the address, require the setting `API_ALLOW_GET`.
    ///
    /// # Errors
    /// 405 with `Allow` (RFC 9110 section 15.5.6), 403 for credentials in the address, which are not verified.
    pub fn check_head(request: &Request, is_get_allowed: bool) -> Result<(), Failure> {
        const IN_ADDRESS: Failure =
            Failure::of(403, ErrorCode::CredentialsInAddress, "Credentials belong in the body, not in the address");
        let query = || form_urlencoded::parse(request.query.as_bytes());
        match request.method {
            Method::Post if !is_get_allowed && query().any(|(name, value)| is_credential(&name, &value)) => {
                Err(IN_ADDRESS)
            }
            Method::Post => Ok(()),
            Method::Get if is_get_allowed => Ok(()),
            _ => Err(Failure::method_not_allowed(if is_get_allowed { "GET, POST" } else { "POST" })),
        }
    }

    pub fn new(params: ApiParams) -> Self {
        let pair = |id: &str, secret: &str| Some((params.get(id)?, params.get(secret)?));
        let pair = pair("identifier", "secret").or_else(|| pair("username", "password"));
        let client = pair
            .ok_or(ClientProblem::NoCredentials)
            .and_then(|(id, secret)| ClientAuthentication::parse(id, secret).ok_or(ClientProblem::WrongCredentials));
        Self {
            action: params.get("action").unwrap_or_default().to_ascii_lowercase(),
            encoding: match params.get("responsetype") {
                Some(name) if name.eq_ignore_ascii_case("xml") => Encoding::Xml,
                _ => Encoding::Json,
            },
            client,
            params,
        }
    }
}

/// The name of a parameter in lower case, without the brackets of a list.
fn normalize_name(name: &str) -> String {
    name.split('[').next().unwrap_or_default().to_ascii_lowercase()
}

/// Whether a parameter contains credentials. An empty one counts as absent.
fn is_credential(name: &str, value: &str) -> bool {
    !value.is_empty() && CREDENTIALS.contains(&normalize_name(name).as_str())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::http::request_for_test;

    fn pairs(form: &str) -> impl Iterator<Item = (String, String)> + '_ {
        form_urlencoded::parse(form.as_bytes()).into_owned()
    }

    pub(in crate::whmcs) fn params(form: &str) -> ApiParams {
        ApiParams::merge(pairs(""), pairs(form)).unwrap()
    }

    #[test]
    fn the_body_replaces_the_query_and_names_are_case_insensitive() {
        let merged =
            ApiParams::merge(pairs("Action=a&x=1&list[]=q"), pairs("x=2&GrantType=g&list[0]=b&list[1]=c")).unwrap();
        assert_eq!((merged.get("action"), merged.get("x"), merged.get("granttype")), (Some("a"), Some("2"), Some("g")));
        assert_eq!(merged.list("list"), Some(vec!["b".into(), "c".into()]));
        assert_eq!((merged.list("none"), merged.get("none")), (None, None));
        assert_eq!(params("a=&b[]=").get("a"), None);
        assert_eq!(params("b[]=").list("b"), Some(vec![]));
        assert_eq!(params("a=1&a=2").get("a"), Some("2"), "the last wins, as in PHP");
    }

    #[test]
    fn the_number_of_parameters_is_limited() {
        let many: String = (0..201).map(|n| format!("p{n}=1&")).collect();
        assert!(ApiParams::merge(pairs(&many), pairs("")).is_err());
        assert!(ApiParams::merge(pairs(""), pairs(&many)).is_err());
    }

    #[test]
    fn switches_are_parsed_as_clients_write_them() {
        for (value, is_on) in
            [("1", true), ("true", true), ("True", true), ("on", true), ("0", false), ("", false), ("no", false)]
        {
            assert_eq!(params(&format!("s={value}")).is_on("s"), is_on, "{value}");
        }
    }

    #[test]
    fn only_post_is_accepted_unless_get_is_allowed() {
        for (is_get_allowed, allowed, allow) in
            [(false, vec![Method::Post], "POST"), (true, vec![Method::Get, Method::Post], "GET, POST")]
        {
            for method in [Method::Get, Method::Head, Method::Post, Method::Put, Method::Delete, Method::Other] {
                let outcome = ApiRequest::check_head(&request_for_test(method, "/", &[], ""), is_get_allowed);
                let refused = Err(Failure::method_not_allowed(allow));
                assert_eq!(outcome, if allowed.contains(&method) { Ok(()) } else { refused }, "{method:?}");
            }
        }
    }

    #[test]
    fn credentials_in_the_address_are_refused_unless_get_is_allowed() {
        for (query, has_credentials) in [
            ("secret=s", true),
            ("identifier=a&x=1", true),
            ("username=a", true),
            ("PassWord=s", true),
            ("accesskey=s", true),
            ("secret[]=s", true),
            ("secret%5B0%5D=s", true),
            ("%73ecret=s", true),
            ("a=b&secret=s", true),
            ("secret=&username=", false),
            ("action=CreateSsoToken&client_id=1&responsetype=xml&clientSecret=s", false),
            ("", false),
        ] {
            let request = request_for_test(Method::Post, &format!("/includes/api.php?{query}"), &[], "");
            let status = ApiRequest::check_head(&request, false).map_err(|failure| failure.status);
            assert_eq!(status, if has_credentials { Err(403) } else { Ok(()) }, "{query}");
            assert_eq!(ApiRequest::check_head(&request, true), Ok(()), "{query}");
        }
    }

    #[test]
    fn credentials_are_a_pair_without_an_empty_half() {
        for (form, identifier) in [
            ("identifier=a&secret=b", Ok("a")),
            ("username=a&password=b", Ok("a")),
            ("username=&password=&identifier=a&secret=b&accesskey=c", Ok("a")),
            ("identifier=&secret=&username=u&password=p", Ok("u")),
            ("identifier=a%20b&secret=b", Err(ClientProblem::WrongCredentials)),
            ("identifier=a&password=b", Err(ClientProblem::NoCredentials)),
            ("identifier=a&secret=", Err(ClientProblem::NoCredentials)),
            ("", Err(ClientProblem::NoCredentials)),
        ] {
            let client = ApiRequest::new(params(form)).client.map(|client| client.client_id.to_string());
            assert_eq!(client, identifier.map(str::to_owned), "{form}");
        }
    }

    #[test]
    fn the_answer_is_json_unless_xml_is_requested() {
        for (form, encoding) in
            [("", Encoding::Json), ("responsetype=XML", Encoding::Xml), ("responsetype=nvp", Encoding::Json)]
        {
            assert_eq!(ApiRequest::new(params(form)).encoding, encoding, "{form}");
        }
        assert_eq!(ApiRequest::new(params("action=CreateSSOToken")).action, "createssotoken");
    }
}
