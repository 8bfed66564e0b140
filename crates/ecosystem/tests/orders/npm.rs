//! Against node-semver, which comes with npm.

use crate::generated::Grammar;
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
