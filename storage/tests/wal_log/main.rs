//! The write-ahead log from outside: a model under random accidents, each fault alone, and the real threads.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod damage;
mod faults;
mod model;
mod power_cuts;
mod threads;
