//! The header fields that Signet reads.

use std::fmt;

/// A header field that Signet reads. The fields that gateway mode forwards are not parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderName {
    Accept,
    Authorization,
    /// The address of the client, set by Cloudflare.
    CfConnectingIp,
    ContentLength,
    ContentType,
    Cookie,
    Origin,
    Purpose,
    SecFetchDest,
    SecFetchMode,
    SecFetchSite,
    SecPurpose,
    Upgrade,
    UserAgent,
    /// The method of the browser's request, set by a proxy.
    XForwardedMethod,
    XMoz,
    XPurpose,
}

impl HeaderName {
    pub const ALL: [Self; 17] = [
        Self::Accept,
        Self::Authorization,
        Self::CfConnectingIp,
        Self::ContentLength,
        Self::ContentType,
        Self::Cookie,
        Self::Origin,
        Self::Purpose,
        Self::SecFetchDest,
        Self::SecFetchMode,
        Self::SecFetchSite,
        Self::SecPurpose,
        Self::Upgrade,
        Self::UserAgent,
        Self::XForwardedMethod,
        Self::XMoz,
        Self::XPurpose,
    ];

    /// The name in lower case. The platform has the same list.
    #[cfg(test)]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Authorization => "authorization",
            Self::CfConnectingIp => "cf-connecting-ip",
            Self::ContentLength => "content-length",
            Self::ContentType => "content-type",
            Self::Cookie => "cookie",
            Self::Origin => "origin",
            Self::Purpose => "purpose",
            Self::SecFetchDest => "sec-fetch-dest",
            Self::SecFetchMode => "sec-fetch-mode",
            Self::SecFetchSite => "sec-fetch-site",
            Self::SecPurpose => "sec-purpose",
            Self::Upgrade => "upgrade",
            Self::UserAgent => "user-agent",
            Self::XForwardedMethod => "x-forwarded-method",
            Self::XMoz => "x-moz",
            Self::XPurpose => "x-purpose",
        }
    }
}

/// The header fields of a request that Signet reads. `Debug` shows no values.
#[derive(Clone)]
pub struct Headers(Vec<(HeaderName, String)>);

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Headers")
    }
}

impl Headers {
    /// The platform joins repeated fields by commas.
    pub const fn new(fields: Vec<(HeaderName, String)>) -> Self {
        Self(fields)
    }

    pub fn get(&self, name: HeaderName) -> Option<&str> {
        self.0.iter().find(|(field, _)| *field == name).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_platform_reads_the_fields_in_this_order() {
        let script = include_str!("../edge/runtime/platform.js");
        let list = script.split_once("HEADER_NAMES = [").unwrap().1.split_once("];").unwrap().0;
        let names: Vec<_> = list.split(',').map(|name| name.trim().trim_matches('"')).collect();
        assert_eq!(names[..names.len() - 1], HeaderName::ALL.map(HeaderName::as_str));
    }

    #[test]
    fn an_empty_field_differs_from_a_missing_one() {
        let headers = Headers::new(vec![(HeaderName::Cookie, "a=b".into()), (HeaderName::Origin, String::new())]);
        assert_eq!(headers.get(HeaderName::Cookie), Some("a=b"));
        assert_eq!(headers.get(HeaderName::Origin), Some(""));
        assert_eq!(headers.get(HeaderName::Accept), None);
        assert_eq!(format!("{headers:?}"), "Headers");
    }
}
