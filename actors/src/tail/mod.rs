//! The live tail: a hub that hears of every applied batch, and one session per follower.

mod cursor;
mod elsewhere;
mod hub;
mod session;

pub use cursor::{CursorError, TailCursor};
pub(crate) use hub::{Hub, HubArguments};
pub use hub::{HubMessage, TailFeed};
pub use session::{Frame, OpenTail, SESSION_FRAMES_MAX};
