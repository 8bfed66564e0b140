//! What failed in a run of tests, gathered from what cargo and the tests print.

use std::collections::VecDeque;
use std::fmt;

/// Lines kept of why a test failed: before what it panicked with (a snapshot's difference stands
/// there), and from there on.
const BEFORE: usize = 8;
const FROM: usize = 8;
/// Tests and other troubles whose reasons are kept; of more than these, names alone.
const TOLD: usize = 20;
const NAMED: usize = 500;
/// A line longer than this is cut.
const LINE: usize = 240;

/// Where we are in what is printed.
#[derive(Default)]
enum At {
    #[default]
    Elsewhere,
    /// Under `---- NAME stdout ----`: what this test printed.
    Said(usize),
    /// Under `failures:`, where names are listed.
    Names,
}

/// A test that failed.
struct Test {
    /// As cargo names what it runs: `unittests src/lib.rs`.
    program: String,
    name: String,
    before: VecDeque<String>,
    from: Vec<String>,
}

/// Takes lines as they come, and tells at the end which tests failed and why.
#[derive(Default)]
pub(crate) struct Failures {
    at: At,
    /// What cargo runs now.
    program: String,
    tests: Vec<Test>,
    /// What cargo itself says: what it could not build, what was killed.
    others: Vec<String>,
}

impl Failures {
    pub(crate) fn line(&mut self, line: &str) {
        let line = line.trim_end();
        let cut = || line.chars().take(LINE).collect::<String>();
        if let Some(program) = line.strip_prefix("     Running ")
            && let Some((program, _)) = program.rsplit_once(" (")
        {
            (self.at, self.program) = (At::Elsewhere, cut_to(program));
        } else if let Some(program) = line.strip_prefix("   Doc-tests ") {
            (self.at, self.program) = (At::Elsewhere, cut_to(&format!("doc tests of {program}")));
        } else if let Some(name) = within(line, "test ", " ... FAILED") {
            self.test(name);
        } else if let Some(name) = within(line, "---- ", " stdout ----") {
            self.at = self.test(name).map_or(At::Elsewhere, At::Said);
        } else if line == "failures:" {
            self.at = At::Names;
        } else if line.starts_with("test result:") {
            self.at = At::Elsewhere;
        } else {
            match self.at {
                At::Said(it) => self.tests[it].said(cut()),
                At::Names => {
                    if let Some(name) = line.strip_prefix("    ") {
                        self.test(name);
                    }
                }
                At::Elsewhere => {
                    let killed = line.contains("process didn't exit successfully")
                        && !line.ends_with("(exit status: 101)");
                    if (killed || line.starts_with("error")) && self.others.len() < TOLD {
                        self.others.push(cut());
                    }
                }
            }
        }
    }

    /// The place of a test of what runs now, if there is room for it.
    fn test(&mut self, name: &str) -> Option<usize> {
        let name = cut_to(name);
        let known = |it: &Test| it.name == name && it.program == self.program;
        if let Some(it) = self.tests.iter().position(known) {
            return Some(it);
        }
        if self.tests.len() == NAMED {
            return None;
        }
        let program = self.program.clone();
        self.tests.push(Test { program, name, before: VecDeque::new(), from: Vec::new() });
        Some(self.tests.len() - 1)
    }
}

impl Test {
    fn said(&mut self, line: String) {
        let panicked = line.contains("panicked at ") || line.starts_with("Error: ");
        if !panicked && self.from.is_empty() {
            if self.before.len() == BEFORE {
                self.before.pop_front();
            }
            self.before.push_back(line);
        } else if self.from.len() < FROM {
            self.from.push(line);
        }
    }
}

fn within<'a>(line: &'a str, start: &str, end: &str) -> Option<&'a str> {
    line.strip_prefix(start)?.strip_suffix(end)
}

fn cut_to(text: &str) -> String {
    text.chars().take(LINE).collect()
}

impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for test in self.tests.iter().take(TOLD) {
            writeln!(f, "\n{} ({}):", test.name, test.program)?;
            let lines = test.before.iter().chain(&test.from);
            for line in lines.filter(|it| !it.is_empty()) {
                writeln!(f, "    {line}")?;
            }
        }
        if !self.others.is_empty() {
            writeln!(f, "\nand cargo said:")?;
            for line in &self.others {
                writeln!(f, "    {line}")?;
            }
        }
        writeln!(f, "\ntests that failed: {}", self.tests.len())?;
        for test in &self.tests {
            writeln!(f, "    {} ({})", test.name, test.program)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Failures;

    fn check(printed: &str, wanted: &str) {
        let mut failures = Failures::default();
        printed.lines().for_each(|it| failures.line(it));
        assert_eq!(failures.to_string().trim(), wanted.trim());
    }

    #[test]
    fn names_and_reasons_stand_at_the_end() {
        check(
            "
     Running unittests src/lib.rs (target/debug/deps/one-0123456789abcdef)

running 2 tests
test well ... ok
test shown::ill ... FAILED
noise of a program

failures:

---- shown::ill stdout ----
a word before
thread 'shown::ill' (7) panicked at crates/one/src/lib.rs:3:5:
assertion `left == right` failed
  left: 1
 right: 2
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace

failures:
    shown::ill

test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s

error: test failed, to rerun pass `-p one --lib`
     Running tests/it/main.rs (target/debug/deps/it-0123456789abcdef)

running 1 test
test shown::ill ... ok
   Doc-tests one
test crates/one/src/lib.rs - word (line 1) ... FAILED
error: 1 target failed:
    `-p one --lib`
",
            "\
shown::ill (unittests src/lib.rs):
    a word before
    thread 'shown::ill' (7) panicked at crates/one/src/lib.rs:3:5:
    assertion `left == right` failed
      left: 1
     right: 2
    note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace

crates/one/src/lib.rs - word (line 1) (doc tests of one):

and cargo said:
    error: test failed, to rerun pass `-p one --lib`
    error: 1 target failed:

tests that failed: 2
    shown::ill (unittests src/lib.rs)
    crates/one/src/lib.rs - word (line 1) (doc tests of one)
",
        );
    }

    #[test]
    fn who_is_killed_and_what_does_not_build_is_told() {
        check(
            "
     Running tests/it/main.rs (target/debug/deps/it-0123456789abcdef)
test well ... ok
error: test failed, to rerun pass `-p one --test it`

Caused by:
  process didn't exit successfully: `target/debug/deps/it-0123456789abcdef` (signal: 9, SIGKILL: kill)
error: could not compile `two` (lib test) due to 1 previous error
",
            "\
and cargo said:
    error: test failed, to rerun pass `-p one --test it`
      process didn't exit successfully: `target/debug/deps/it-0123456789abcdef` (signal: 9, SIGKILL: kill)
    error: could not compile `two` (lib test) due to 1 previous error

tests that failed: 0
",
        );
    }

    #[test]
    fn much_is_cut() {
        let mut failures = Failures::default();
        for test in 0..1_000 {
            failures.line(&format!("---- test_{test} stdout ----"));
            for _ in 0..100 {
                failures.line(&"é".repeat(10_000));
            }
            failures.line("thread 'it' (1) panicked at here:");
            for _ in 0..100 {
                failures.line(&"é".repeat(10_000));
            }
        }
        let said = failures.to_string();
        assert!(said.lines().count() < 900, "{}", said.lines().count());
        assert!(said.len() < 200_000, "{}", said.len());
    }
}
