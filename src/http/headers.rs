//! The header fields that Signet reads.

use std::cell::OnceCell;
use std::fmt;
use std::rc::Rc;

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

/// The header fields of a request. A field is read when it is first needed, because each read is a call of the
/// platform. `Debug` shows no values.
#[derive(Clone)]
pub struct Headers {
    read: Rc<dyn Fn(HeaderName) -> Option<String>>,
    /// The fields that were read, in the order of [`HeaderName::ALL`].
    fields: [OnceCell<Option<String>>; HeaderName::ALL.len()],
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Headers")
    }
}

impl Headers {
    /// The fields that `read` returns. The platform joins repeated fields by commas.
    pub fn new(read: impl Fn(HeaderName) -> Option<String> + 'static) -> Self {
        Self { read: Rc::new(read), fields: [const { OnceCell::new() }; HeaderName::ALL.len()] }
    }

    pub fn get(&self, name: HeaderName) -> Option<&str> {
        self.fields.get(name as usize)?.get_or_init(|| (self.read)(name)).as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn the_platform_reads_the_fields_in_this_order() {
        let script = include_str!("../edge/runtime/platform.js");
        let list = script.split_once("HEADER_NAMES = [").unwrap().1.split_once("];").unwrap().0;
        let names: Vec<_> = list.split(',').map(|name| name.trim().trim_matches('"')).collect();
        assert_eq!(names[..names.len() - 1], HeaderName::ALL.map(HeaderName::as_str));
    }

    #[test]
    fn each_field_is_read_once_and_has_its_own_place() {
        for (place, name) in HeaderName::ALL.into_iter().enumerate() {
            assert_eq!(name as usize, place, "{name:?}");
        }
        let reads = Rc::new(Cell::new(0));
        let counted = Rc::clone(&reads);
        let headers = Headers::new(move |name| {
            counted.set(counted.get() + 1);
            (name != HeaderName::Cookie).then(|| name.as_str().to_owned())
        });
        assert_eq!(reads.get(), 0);
        for _ in 0..2 {
            for name in HeaderName::ALL {
                assert_eq!(headers.get(name), (name != HeaderName::Cookie).then(|| name.as_str()));
            }
        }
        assert_eq!(reads.get(), HeaderName::ALL.len());
    }
}
