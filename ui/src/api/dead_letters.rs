//! `GET /api/dead-letters` and `POST /api/dead-letters/replay`: the server's own types.

pub use insighthub_model::api::dead_letters::{
    DeadLetter, DeadLetters as DeadLetterPage, NotReplayed, Replayed,
};
