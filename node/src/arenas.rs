//! Between how many arenas the C library's allocator shares out memory. What one arena gives back the others cannot use, and a
//! node frees on other threads than it allocates on: with the usual eight for each core much of what it holds is free.
//!
//! The library reads the number once, from the environment of a new process. A node that was started without one starts
//! itself again, under the same process id.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::Command;

const VARIABLE: &str = "MALLOC_ARENA_MAX";
/// The other way of setting it.
const TUNABLES: &str = "GLIBC_TUNABLES";
const ARENAS: &str = "2";

/// Limits the arenas of this process, unless whoever started it has decided. Comes back where nothing is to be done or it
/// cannot be done; then there are as many as the library likes. To be called before anything is opened.
pub fn limit() {
    let is_decided = [VARIABLE, TUNABLES].into_iter().any(|name| env::var_os(name).is_some());
    if is_decided || !cfg!(target_env = "gnu") {
        return;
    }
    let (Ok(program), mut arguments) = (env::current_exe(), env::args_os()) else { return };
    let mut command = Command::new(program);
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    let error = command.args(arguments).env(VARIABLE, ARENAS).exec();
    eprintln!("insighthub: memory is shared out between more arenas than need be: {error}");
}
