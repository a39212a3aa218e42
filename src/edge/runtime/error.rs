//! The two kinds of error: failures of the caller, and faults of Signet.

use crate::http::Failure;
use crate::log::{LogLine, Outcome};
use std::fmt::Display;

pub(crate) enum Error {
    /// An error of the caller. The answer states the reason. Boxed because every result of the edge has room for an error.
    Failure(Box<Failure>),
    /// An error of Signet. Only the log states the reason.
    Fault(Fault),
}

impl Error {
    /// The failure to answer with.
    pub(crate) fn into_failure(self) -> Failure {
        match self {
            Self::Failure(failure) => *failure,
            Self::Fault(fault) => fault.failure(),
        }
    }
}

/// An error of Signet. Its text is for the log only.
#[derive(Clone)]
pub(crate) enum Fault {
    /// A store failed or contains an invalid value. The first field names the operation.
    Storage(&'static str, String),
    /// The origin of gateway mode is unreachable.
    Origin(String),
    /// A defect of Signet or the platform. The first field names the operation.
    Internal(&'static str, String),
}

impl Fault {
    /// Converts an error of the platform in a storage `operation`.
    pub(crate) fn storage<E: Display>(operation: &'static str) -> impl FnOnce(E) -> Self {
        move |error| Self::Storage(operation, error.to_string())
    }

    /// The failure to answer with.
    pub(crate) const fn failure(&self) -> Failure {
        match self {
            Self::Storage(..) => Failure::STORAGE_DOWN,
            Self::Origin(_) => Failure::BAD_GATEWAY,
            Self::Internal(..) => Failure::INTERNAL,
        }
    }

    /// The reason in the log.
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

    /// `line` with the operation and the error added.
    pub(crate) fn to_json(&self, line: &LogLine<'_>) -> String {
        let (operation, error) = match self {
            Self::Storage(operation, error) | Self::Internal(operation, error) => (*operation, error),
            Self::Origin(error) => ("fetch", error),
        };
        LogLine { operation: Some(operation), error: Some(error), ..line.clone() }.to_json()
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Box::new(failure).into()
    }
}

impl From<Box<Failure>> for Error {
    fn from(failure: Box<Failure>) -> Self {
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
