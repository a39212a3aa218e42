//! The administration API: its requests and its answers.

mod cursor;
mod export;
mod reply;
mod request;

pub use cursor::PagedList;
pub use export::UserExport;
pub use reply::AdminReply;
pub use request::{
    ACCOUNT_FULL, AdminRequest, MALFORMED_USER_ID, NO_API_CREDENTIAL, NO_CREDENTIAL, NO_TOKEN, OVERLAP_SECONDS_MAX,
    PageRequest, RecordRequest, UserRequest,
};
