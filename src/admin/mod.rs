//! The administration API: its requests and its answers.

mod cursor;
mod export;
mod reply;
mod request;

pub use cursor::PagedList;
pub use export::UserExport;
pub use reply::AdminReply;
pub use request::{
    ACCOUNT_FULL, AdminRequest, MALFORMED_USER_ID, OVERLAP_SECONDS_MAX, PageRequest, RecordRequest, UserRequest,
    missing,
};
