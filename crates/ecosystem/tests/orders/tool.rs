//! Asks a package manager, and holds an order against what it says.

use std::cmp::Ordering;
use std::io::Write;
use std::process::{Command, Stdio};

/// What the program prints for `input`. `None`: it is not there, which is said.
pub(crate) fn ask(program: &str, arguments: &[&str], input: &str) -> Option<String> {
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = child else {
        left_out(program);
        return None;
    };
    let mut stdin = child.stdin.take().expect("it was asked for");
    let input = input.to_owned();
    let writer = std::thread::spawn(move || {
        // A program that does not read all of it says so by what it prints.
        let _ = stdin.write_all(input.as_bytes());
    });
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("the writer ends");
    assert!(output.status.success(), "{program} failed");
    Some(String::from_utf8(output.stdout).expect("text"))
}

/// Says that a test leaves itself out.
#[expect(clippy::print_stderr, reason = "the reader of the tests shall know")]
pub(crate) fn left_out(program: &str) {
    eprintln!("left out: there is no {program} on this machine");
}

/// Our order of that id says of those two what `said` is: a negative number, 0 or a positive one; and
/// so do the keys.
pub(crate) fn agree(id: &str, left: &str, right: &str, said: Ordering) {
    let order = ecosystem::order::find(id).expect("the order is there");
    assert_eq!(order.compare(left, right), Ok(said), "{id}: {left} and {right}");
    let (mut one, mut two) = (Vec::new(), Vec::new());
    order.key(left, &mut one).expect("it was compared");
    order.key(right, &mut two).expect("it was compared");
    assert_eq!(one.cmp(&two), said, "{id}: keys of {left} and {right}");
}

/// Our order can read it.
pub(crate) fn reads(id: &str, version: &str) -> bool {
    ecosystem::order::find(id).expect("the order is there").compare(version, version).is_ok()
}

/// Reads what a tool prints for one pair.
pub(crate) fn ordering(text: &str) -> Option<Ordering> {
    text.trim().parse::<i32>().ok().map(|it| it.cmp(&0))
}

/// Holds hand-written triples against an order: `1.0 < 1.1`, one a line.
pub(crate) fn check(id: &str, facts: &str) {
    for fact in facts.lines().map(str::trim).filter(|it| !it.is_empty()) {
        let mut words = fact.split_whitespace();
        let (left, sign, right) = (words.next(), words.next(), words.next());
        let (Some(left), Some(sign), Some(right)) = (left, sign, right) else {
            panic!("no fact: {fact}");
        };
        let said = match sign {
            "<" => Ordering::Less,
            "=" => Ordering::Equal,
            ">" => Ordering::Greater,
            _ => panic!("no sign: {fact}"),
        };
        agree(id, left, right, said);
        agree(id, right, left, said.reverse());
    }
}
