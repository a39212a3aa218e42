//! The administration API: its requests, and the shape of its answers.

mod reply;
mod request;

pub use reply::{AdminReply, UserExport, token_json};
pub use request::{
    AdminRequest, MALFORMED_USER_ID, OVERLAP_SECONDS_MAX, RecordRequest, missing, parse_cursor, parse_event_cursor,
};
