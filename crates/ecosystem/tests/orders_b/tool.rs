//! One run of a tool over many pairs.

use std::cmp::Ordering;
use std::io::Write;
use std::process::{Command, Stdio};
use std::thread;

use ecosystem::order;

/// What the tool says of each pair: `<`, `=`, `>`, or `!` where it refuses one of them. `None`: it is
/// not installed.
pub(crate) fn ask(command: &mut Command, pairs: &[(String, String)]) -> Option<Vec<String>> {
    let mut input = String::new();
    for (left, right) in pairs {
        input.extend([left, "\t", right, "\n"]);
    }
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    let mut stdin = child.stdin.take()?;
    // It may end without reading, and then writing fails; the count of answers tells.
    let writer = thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().ok()?;
    let _ = writer.join().expect("the writer does not panic");
    let answers: Vec<String> =
        String::from_utf8(output.stdout).ok()?.lines().map(str::to_owned).collect();
    (output.status.success() && answers.len() == pairs.len()).then_some(answers)
}

/// What our order says, in the same way, with its keys asked too.
pub(crate) fn say(id: &str, left: &str, right: &str) -> &'static str {
    let order = order::find(id).expect("there is that order");
    let Ok(said) = order.compare(left, right) else {
        return "!";
    };
    let key = |version: &str| {
        let mut key = Vec::new();
        order.key(version, &mut key).expect("what can be compared has a key");
        key
    };
    assert_eq!(key(left).cmp(&key(right)), said, "{id}: keys of {left} and {right}");
    match said {
        Ordering::Less => "<",
        Ordering::Equal => "=",
        Ordering::Greater => ">",
    }
}

/// Asks both and shows where they part. Pairs that `counts` leaves out are not compared.
#[expect(clippy::print_stdout, reason = "a test that is left out says so")]
pub(crate) fn check(
    id: &str,
    command: &mut Command,
    pairs: &[(String, String)],
    counts: impl Fn(&str, &str, &str) -> bool,
) {
    let Some(answers) = ask(command, pairs) else {
        println!("{id}: left out, the tool is not installed");
        return;
    };
    let mut compared = 0;
    let mut wrong = Vec::new();
    for ((left, right), answer) in pairs.iter().zip(answers) {
        let said = say(id, left, right);
        if !counts(left, right, said) {
            continue;
        }
        compared += usize::from(answer != "!");
        if answer != said {
            wrong.push(format!("{left} {answer} {right}, not {said}"));
        }
    }
    wrong.truncate(20);
    assert_eq!(wrong, [""; 0], "{id}");
    assert!(compared * 5 > pairs.len(), "{id}: only {compared} pairs could be compared");
}
