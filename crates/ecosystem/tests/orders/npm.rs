//! Against node-semver, which comes with npm.

use crate::generated::{Dice, Grammar};
use crate::tool;

/// Finds node-semver, among npm's own modules where nothing else.
pub(crate) const FIND: &str = r#"
    const find = () => {
        try { return require("semver"); } catch {}
        const { execSync } = require("child_process");
        try { return require(execSync("npm root -g").toString().trim() + "/npm/node_modules/semver"); } catch {}
    };
    const semver = find();
    if (!semver) { console.log("none"); process.exit(); }
    const lines = require("fs").readFileSync(0, "utf8").split("\n").slice(0, -1);
"#;

const VERSIONS: Grammar = Grammar {
    first: &["1.0.0", "0.0.1", "1.2.3", "01.2.3", "1.10.0", "1.0.0-rc", "9007199254740991.0.0"],
    marks: &[".", "-", "", "."],
    words: &["0", "1", "2", "10", "007", "a", "beta", "RC", "x-y", "--", "12a", "4294967296"],
    epochs: &["", "", "", "v", "="],
    ends: &["", "", "", "+build.1"],
};

#[test]
fn agrees_with_node_semver() {
    let pairs = VERSIONS.pairs(4000);
    let input =
        pairs.iter().fold(String::new(), |sum, (left, right)| sum + left + "\t" + right + "\n");
    let script = FIND.to_owned()
        + r#"
        for (const line of lines) {
            const [left, right] = line.split("\t");
            const valid = semver.valid(left, true) && semver.valid(right, true);
            console.log(valid ? semver.compare(left, right, true) : "bad");
        }"#;
    let Some(said) = tool::ask("node", &["-e", &script], &input) else { return };
    if said.trim() == "none" {
        return tool::left_out("node-semver");
    }
    assert_eq!(said.lines().count(), pairs.len());
    let mut compared = 0;
    for ((left, right), said) in pairs.iter().zip(said.lines()) {
        // Two readings are left to node-semver: a prerelease that begins with nothing (the hyphen itself,
        // to it), and a fourth number, for which it tears the third apart (1.2.34.5 is 1.2.3-4.5 to it).
        let odd = |it: &str| {
            let (release, _) = it.split_once(['-', '+']).unwrap_or((it, ""));
            it.ends_with('-')
                || it.contains("-+")
                || it.contains("-.")
                || release.matches('.').count() > 2
        };
        if let Some(said) = tool::ordering(said).filter(|_| !odd(left) && !odd(right)) {
            tool::agree("npm", left, right, said);
            compared += 1;
        }
    }
    assert!(compared > pairs.len() / 4, "only {compared} pairs could be read");
}

/// Versions that lie close to where those ranges begin and end.
const VERSIONS_IN_RANGES: &[&str] = &[
    "0.0.0-0",
    "0.0.0",
    "0.0.1-0",
    "0.0.1",
    "0.0.2-0",
    "0.0.2",
    "0.1.0-0",
    "0.1.0-a",
    "0.1.0",
    "0.2.0",
    "1.0.0-0",
    "1.0.0-rc.1",
    "1.0.0",
    "1.1.0",
    "1.2.0-0",
    "1.2.0-a",
    "1.2.0",
    "1.2.3-0",
    "1.2.3-beta.2",
    "1.2.3",
    "1.2.4-0",
    "1.2.4",
    "1.3.0-0",
    "1.3.0-a",
    "1.3.0",
    "2.0.0-0",
    "2.0.0-a",
    "2.0.0",
    "2.1.0",
    "3.0.0-0",
    "3.0.0",
    "10.0.0",
];

#[test]
fn has_in_a_range_what_node_semver_has_in_it() {
    let mut dice = Dice::new();
    let operators = ["", "", "<", "<=", ">", ">=", "=", "^", "~", "^", "~", "~>", "> ", ">= "];
    let ends = [
        "0",
        "1",
        "2",
        "0.0",
        "0.1",
        "1.2",
        "1.x",
        "1.2.x",
        "x",
        "*",
        "1.2.*",
        "X",
        "0.0.0",
        "0.0.1",
        "0.1.0",
        "1.2.3",
        "1.0.0",
        "2.0.0",
        "1.2.3-beta.1",
        "1.2.0-a",
        "0.0.1-0",
        "v1.2.3",
        "1.x.x",
        "1.2.3+b",
        "1.2.3beta",
    ];
    let mut ranges: Vec<String> = vec![String::new(), "||".to_owned(), "1 ||".to_owned()];
    while ranges.len() < 2500 {
        let mut range = String::new();
        for group in 0..=dice.roll(2) {
            if group > 0 {
                range.push_str([" || ", "||"][dice.roll(2)]);
            }
            if dice.roll(5) == 0 {
                range = range + dice.pick(&ends) + " - " + dice.pick(&ends);
                continue;
            }
            for word in 0..=dice.roll(2) {
                if word > 0 {
                    range.push(' ');
                }
                range = range + dice.pick(&operators) + dice.pick(&ends);
            }
        }
        ranges.push(range);
    }
    let script = FIND.to_owned()
        + r#"
        const options = { loose: true, includePrerelease: true };
        // Older ones begin these ranges behind the prereleases they mean.
        if (!semver.satisfies("1.2.0-0", "~1.2", options)) { console.log("none"); process.exit(); }
        const versions = lines.shift().split(" ");
        for (const line of lines) {
            console.log(semver.validRange(line, options) === null ? "bad"
                : versions.map(it => semver.satisfies(it, line, options) ? 1 : 0).join(""));
        }"#;
    let input = VERSIONS_IN_RANGES.join(" ") + "\n" + &ranges.join("\n") + "\n";
    let Some(said) = tool::ask("node", &["-e", &script], &input) else { return };
    if said.trim() == "none" {
        return tool::left_out("node-semver of late");
    }
    assert_eq!(said.lines().count(), ranges.len());
    let order = ecosystem::order::find("npm").expect("the order is there");
    for (range, said) in ranges.iter().zip(said.lines()) {
        let spans = ecosystem::range::parse("npm", range);
        if said == "bad" {
            assert!(spans.is_err(), "{range} is no range to node-semver");
            continue;
        }
        let spans = spans.unwrap_or_else(|bad| panic!("{bad}"));
        let ours: String = VERSIONS_IN_RANGES
            .iter()
            .map(|it| ecosystem::range::contains(order, &spans, it).expect("it is a version"))
            .map(|it| if it { '1' } else { '0' })
            .collect();
        assert_eq!(ours, said, "{range}: {spans:?}");
    }
}
