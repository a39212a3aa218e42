//! The two kinds of failure: the caller's, and ours.

use crate::http::Failure;
use crate::log::{LogLine, Outcome};
use serde::Serialize;

/// Why a request was not served.
pub(super) enum Trouble {
    /// The caller's: a precise, documented answer.
    Caller(Failure),
    /// Ours: a log line, and an opaque answer.
    Ours(Fault),
}

/// A failure of ours. The text is for the log alone.
pub(super) enum Fault {
    /// A store did not answer, or answered what it should not hold.
    Storage(&'static str, String),
    /// The client area's server, in gateway mode, could not be reached.
    Origin(String),
    /// Something that cannot be.
    Internal(&'static str, String),
}

impl Fault {
    /// A store failed in `operation`.
    pub(super) fn storage(operation: &'static str) -> impl FnOnce(worker::Error) -> Self {
        move |error| Self::Storage(operation, error.to_string())
    }

    /// What the caller is told.
    pub(super) const fn failure(&self) -> Failure {
        match self {
            Self::Storage(..) => Failure::STORAGE_DOWN,
            Self::Origin(_) => Failure::BAD_GATEWAY,
            Self::Internal(..) => Failure::INTERNAL,
        }
    }

    /// Its stable name in the log.
    pub(super) const fn reason(&self) -> &'static str {
        match self {
            Self::Storage(..) => "storage",
            Self::Origin(_) => "origin",
            Self::Internal(..) => "internal",
        }
    }

    /// What the operator is told of a failure in what decides nothing.
    pub(super) fn log_line(&self, event: &'static str, request_id: &str) -> String {
        self.to_json(&LogLine::new(event, Outcome::Failed, self.reason(), request_id))
    }

    /// `line`, and what failed.
    pub(super) fn to_json(&self, line: &LogLine<'_>) -> String {
        #[derive(Serialize)]
        struct FaultLine<'a> {
            #[serde(flatten)]
            line: &'a LogLine<'a>,
            operation: &'a str,
            error: &'a str,
        }
        let (operation, error) = match self {
            Self::Storage(operation, error) | Self::Internal(operation, error) => (*operation, error),
            Self::Origin(error) => ("fetch", error),
        };
        serde_json::to_string(&FaultLine { line, operation, error }).unwrap_or_default()
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Caller(failure)
    }
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Ours(fault)
    }
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        Self::Internal("json", error.to_string())
    }
}

impl From<serde_json::Error> for Trouble {
    fn from(error: serde_json::Error) -> Self {
        Self::Ours(error.into())
    }
}
