//! The two kinds of error: the caller's, and Signet's own.

use crate::http::Failure;
use crate::log::{LogLine, Outcome};
use serde::Serialize;

/// Why a request was not served.
pub(crate) enum Error {
    /// The caller's: a documented answer that says what is wrong.
    Failure(Failure),
    /// Signet's own: the log says what is wrong, the answer does not.
    Fault(Fault),
}

impl Error {
    /// The failure that the caller gets.
    pub(crate) fn into_failure(self) -> Failure {
        match self {
            Self::Failure(failure) => failure,
            Self::Fault(fault) => fault.failure(),
        }
    }
}

/// A failure of Signet's own. The text is for the log alone.
pub(crate) enum Fault {
    /// A store did not answer, or holds an invalid value.
    Storage(&'static str, String),
    /// The client area's server, in gateway mode, could not be reached.
    Origin(String),
    /// A defect of Signet, or of the platform.
    Internal(&'static str, String),
}

impl Fault {
    /// A store failed in `operation`.
    pub(crate) fn storage(operation: &'static str) -> impl FnOnce(worker::Error) -> Self {
        move |error| Self::Storage(operation, error.to_string())
    }

    /// The failure that the caller gets.
    pub(crate) const fn failure(&self) -> Failure {
        match self {
            Self::Storage(..) => Failure::STORAGE_DOWN,
            Self::Origin(_) => Failure::BAD_GATEWAY,
            Self::Internal(..) => Failure::INTERNAL,
        }
    }

    /// Its stable name in the log.
    pub(crate) const fn reason(&self) -> &'static str {
        match self {
            Self::Storage(..) => "storage",
            Self::Origin(_) => "origin",
            Self::Internal(..) => "internal",
        }
    }

    /// The log line of a fault that does not change an answer.
    pub(crate) fn log_line(&self, event: &'static str, request_id: &str) -> String {
        self.to_json(&LogLine::new(event, Outcome::Failed, self.reason(), request_id))
    }

    /// `line`, and what failed.
    pub(crate) fn to_json(&self, line: &LogLine<'_>) -> String {
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

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        Self::Internal("json", error.to_string())
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Fault(error.into())
    }
}
