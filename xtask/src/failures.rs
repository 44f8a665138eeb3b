//! What tests that failed have said, picked out of the output of a test run.

/// More than this is in the output alone.
const LINES_MAX: usize = 200;
/// How the part with the failures begins: as libtest prints it, once with what each test said and once as a list of names; and
/// as the test runner of Node.js does.
const BEGINNINGS: [&str; 2] = ["failures:", "✖ failing tests:"];
/// Where it ends. The other runner's is the last it prints.
const END: &str = "test result:";
/// Where the way to a failure begins, which is longer than what it says, and the line below it.
const BACKTRACES: [&str; 2] = ["stack backtrace:", "Stack backtrace:"];
const BELOW_BACKTRACE: &str = "note: Some details are omitted";

/// The parts of the output that say what failed, without the ways there.
#[derive(Default)]
pub(crate) struct Failures {
    lines: Vec<String>,
    part: Part,
    left_off: usize,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Part {
    #[default]
    Other,
    Failures,
    /// Of one of them.
    Backtrace,
}

impl Failures {
    /// Takes the next line of the output.
    pub(crate) fn see(&mut self, line: &str) {
        let begins_test = line.starts_with("---- ");
        self.part = match self.part {
            _ if BEGINNINGS.contains(&line) => return self.part = Part::Failures,
            _ if line.starts_with(END) => Part::Other,
            Part::Failures if BACKTRACES.contains(&line.trim()) => Part::Backtrace,
            Part::Backtrace if line.starts_with(BELOW_BACKTRACE) => return self.part = Part::Failures,
            Part::Backtrace if begins_test => Part::Failures,
            part => part,
        };
        match self.part {
            Part::Failures if line.trim().is_empty() => {}
            Part::Failures if self.lines.len() >= LINES_MAX => self.left_off += 1,
            Part::Failures => self.lines.push(line.to_owned()),
            Part::Other | Part::Backtrace => {}
        }
    }

    /// All of it, one line below the other.
    pub(crate) fn told(&self) -> String {
        let mut told = self.lines.join("\n");
        if self.left_off > 0 {
            told.push_str(&format!("\n[{} more lines are in the output above]", self.left_off));
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_tests_said_is_picked_out() {
        let output = "running 2 tests\ntest a ... ok\ntest b ... FAILED\n\nfailures:\n\n---- b stdout ----\nError: merging\n\n\n\
                      failures:\n    b\n\ntest result: FAILED. 1 passed; 1 failed\n\nrunning 1 test\ntest c ... ok";
        let mut failures = Failures::default();
        output.lines().for_each(|line| failures.see(line));
        assert_eq!(failures.told(), "---- b stdout ----\nError: merging\n    b");
    }

    #[test]
    fn the_way_to_a_failure_is_left_out() {
        let output = "failures:\n\n---- a stdout ----\nassertion failed: 1 == 2\nstack backtrace:\n   0: begin_unwind\n             \
                      at ./a.rs\nnote: Some details are omitted, run with `RUST_BACKTRACE=full`\n\n---- b stdout ----\nError: \
                      lost\n\nStack backtrace:\n   0: b\n\n---- c stdout ----\nError: late\n\nfailures:\n    a\n    b\n    c\n\n\
                      test result: FAILED.";
        let mut failures = Failures::default();
        output.lines().for_each(|line| failures.see(line));
        let told = "---- a stdout ----\nassertion failed: 1 == 2\n---- b stdout ----\nError: lost\n---- c stdout \
                    ----\nError: late\n    a\n    b\n    c";
        assert_eq!(failures.told(), told);
    }

    #[test]
    fn failures_of_node_js_are_picked_out() {
        let output = "✔ a (1ms)\n✖ b (2ms)\nℹ fail 1\n\n✖ failing tests:\n\ntest at b.mjs:1:1\n✖ b (2ms)\n  timeout\nCommand failed";
        let mut failures = Failures::default();
        output.lines().for_each(|line| failures.see(line));
        assert_eq!(failures.told(), "test at b.mjs:1:1\n✖ b (2ms)\n  timeout\nCommand failed");
    }

    #[test]
    fn of_a_flood_the_beginning_is_kept() {
        let mut failures = Failures::default();
        failures.see("failures:");
        (0..LINES_MAX + 7).for_each(|number| failures.see(&format!("line {number}")));
        let told = failures.told();
        assert!(
            told.starts_with("line 0\n") && told.ends_with("[7 more lines are in the output above]"),
            "{told}"
        );
    }
}
