//! What tests that failed have said, picked out of the output of a test run.

/// More than this is in the output alone.
const LINES_MAX: usize = 200;

/// The parts between `failures:` and `test result:`, as libtest prints them: once with what each test said, once as a list of
/// names.
#[derive(Default)]
pub(crate) struct Failures {
    lines: Vec<String>,
    is_inside: bool,
    left_off: usize,
}

impl Failures {
    /// Takes the next line of the output.
    pub(crate) fn see(&mut self, line: &str) {
        match line {
            "failures:" => self.is_inside = true,
            _ if line.starts_with("test result:") => self.is_inside = false,
            _ if !self.is_inside || line.trim().is_empty() => {}
            _ if self.lines.len() >= LINES_MAX => self.left_off += 1,
            _ => self.lines.push(line.to_owned()),
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
