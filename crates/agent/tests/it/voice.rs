//! Who hears what an agent says.

use std::sync::Mutex;

use agent::Voice;

/// Keeps every line.
#[derive(Default)]
pub(crate) struct Heard(Mutex<Vec<String>>);

impl Heard {
    /// All that was said, but for what only those want to know who look for faults.
    pub(crate) fn said(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    fn say(&self, sign: &str, line: &str) {
        self.0.lock().unwrap().push(format!("{sign}{line}"));
    }
}

impl Voice for Heard {
    fn inform(&self, line: &str) {
        self.say("", line);
    }

    fn warn(&self, line: &str) {
        self.say("! ", line);
    }

    fn advise(&self, line: &str) {
        self.say("hint: ", line);
    }

    fn debug(&self, _: &str) {}
}
