//! The reports of an import: refused lines, progress, and the result.

use super::Reason;
use crate::user::Effect;
use serde::Serialize;
use std::borrow::Cow;

/// Progress is reported after each multiple of this many lines.
pub const PROGRESS_LINES: u64 = 1_000;

/// The result of a line.
pub type LineOutcome = Result<Effect, Reason>;

/// The number of lines by result. Blank lines count only in `line`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// The number of the last line.
    pub line: u64,
    pub created: u64,
    pub changed: u64,
    pub unchanged: u64,
    pub refused: u64,
}

/// One line of the answer:
/// * `Progress`: all lines up to [`Counts::line`] were processed.
/// * `Done`: all lines were processed.
/// * `Stopped`: all lines before `line` were processed; `line` itself may be written in part.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    Refused { line: u64, reason: Reason },
    Progress(Counts),
    Done(Counts),
    Stopped { line: u64, reason: Cow<'static, str> },
}

impl Counts {
    pub fn count(&mut self, outcome: &LineOutcome) {
        let count = match outcome {
            Ok(Effect::Created) => &mut self.created,
            Ok(Effect::Changed) => &mut self.changed,
            Ok(Effect::Unchanged) => &mut self.unchanged,
            Err(_) => &mut self.refused,
        };
        *count = count.saturating_add(1);
    }
}

impl Report {
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).map_or_else(|_| String::new(), |json| json + "\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNTS: Counts = Counts { line: 1_000, created: 998, changed: 0, unchanged: 1, refused: 1 };

    #[test]
    fn wire_form_of_each_report_is_unchanged() {
        let counts = r#"{"line":1000,"created":998,"changed":0,"unchanged":1,"refused":1}"#;
        for (report, json) in [
            (
                Report::Refused { line: 17, reason: Reason::NotJson },
                r#"{"refused":{"line":17,"reason":"The line is not JSON."}}"#.to_owned(),
            ),
            (Report::Progress(COUNTS), format!(r#"{{"progress":{counts}}}"#)),
            (Report::Done(COUNTS), format!(r#"{{"done":{counts}}}"#)),
            (
                Report::Stopped { line: 1_201, reason: "x".into() },
                r#"{"stopped":{"line":1201,"reason":"x"}}"#.to_owned(),
            ),
        ] {
            assert_eq!(report.to_line(), format!("{json}\n"));
        }
    }

    #[test]
    fn each_outcome_has_its_count() {
        let mut counts = Counts::default();
        let outcomes =
            [(Ok(Effect::Created), 1), (Ok(Effect::Changed), 2), (Ok(Effect::Unchanged), 3), (Err(Reason::NotJson), 4)];
        for (outcome, times) in outcomes {
            (0..times).for_each(|_| counts.count(&outcome));
        }
        assert_eq!(counts, Counts { line: 0, created: 1, changed: 2, unchanged: 3, refused: 4 });
    }
}
