//! The administration API: its requests, and the shape of its answers.

mod cursor;
mod reply;
mod request;

pub use cursor::PagedList;
pub use reply::{AdminReply, UserExport};
pub use request::{
    ACCOUNT_FULL, AdminRequest, MALFORMED_USER_ID, OVERLAP_SECONDS_MAX, PageRequest, RecordRequest, UserRequest,
    missing,
};
