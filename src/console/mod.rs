//! The operator's console at `/admin`: what the administration API does, for people.

mod command;
mod session;
mod tally;

pub use command::{ConsoleCommand, ConsoleReply};
pub use session::{CONSOLE_COOKIE, CONSOLE_IDLE, CONSOLE_MAX, ConsoleCookie, ConsoleSession};
pub use tally::{Count, DAYS_KEPT, DAYS_SHOWN, Day, Tally, first_day_shown};
