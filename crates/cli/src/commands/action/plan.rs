//! What is to be done: the words of the command line that the inputs stand for.

use std::path::Path;

use super::inputs::Inputs;
use crate::failure::Failure;

/// The commands that there are.
pub(crate) const COMMANDS: [&str; 9] = [
    "quickview",
    "compare",
    "cves",
    "policy",
    "recommendations",
    "sbom",
    "environment",
    "attestation-add",
    "help",
];

/// Commands of the program that the action does not do.
const LATER: [&str; 3] = ["attestation", "attest", "vex"];

/// The commands that `text` names, parted by commas.
pub(super) fn commands(text: Option<&str>) -> anyhow::Result<Vec<&'static str>> {
    let there = || format!("there are {}", COMMANDS.join(", "));
    let mut commands = Vec::new();
    let words = text.unwrap_or_default().split(',').map(str::trim).filter(|it| !it.is_empty());
    for word in words {
        let found = COMMANDS.iter().find(|it| **it == word);
        let Some(found) = found else {
            let why = if LATER.contains(&word) { "not there yet" } else { "there is none" };
            return Err(Failure::error(format!("command `{word}`: {why}"), there()));
        };
        if commands.contains(found) {
            let why = format!("command `{word}` is named twice");
            return Err(Failure::error(why, "name it once: its output has its name"));
        }
        commands.push(*found);
    }
    if commands.is_empty() {
        return Err(Failure::error("command: it must be told", there()));
    }
    Ok(commands)
}

/// Is it one that is told of in a comment?
pub(super) fn is_for_comments(command: &str) -> bool {
    ["quickview", "compare", "cves", "policy", "recommendations"].contains(&command)
}

/// The words of `command`, which leaves what is read of it in `folder`.
pub(super) fn words(
    command: &str,
    inputs: &Inputs<'_>,
    folder: &Path,
) -> anyhow::Result<Vec<String>> {
    let mut words = Words { words: vec![command.to_owned()], inputs };
    let file = |name: &str| folder.join(name).display().to_string();
    match command {
        "quickview" => {
            words.say("format", "text").say("format", &format!("markdown={}", file("quickview")));
            words.subject().policies().judged().unsuppressed();
        }
        "policy" => {
            words.say("format", "text").say("format", &format!("markdown={}", file("policy")));
            words.subject().policies().judged().flag("exit-code", "exit-code")?;
        }
        "cves" => {
            words.say("format", "packages").say("format", &format!("markdown={}", file("cves")));
            if inputs.text("sarif-file").is_some() || inputs.flag("upload-sarif")? {
                words.say("format", &format!("sarif={}", file("sarif")));
            }
            words.subject().judged().unsuppressed().filtered()?;
            words.flag("only-cisa-kev", "only-cisa-kev")?.flag("exit-code", "exit-code")?;
            words.flag("ignore-base", "ignore-base")?.flag("only-base", "only-base")?;
        }
        "recommendations" => {
            let file = file("recommendations");
            words.say("format", "text").say("format", &format!("markdown={file}"));
            words.subject().advised();
            words.flag("only-refresh", "only-refresh")?.flag("only-update", "only-update")?;
        }
        "compare" => {
            words.say("format", "text").say("format", &format!("markdown={}", file("compare")));
            words.target()?;
            words.subject().policies().judged().unsuppressed().filtered()?;
            words.flag("hide-policies", "hide-policies")?.flag("ignore-base", "ignore-base")?;
            words.flag("ignore-unchanged", "ignore-unchanged")?.text("exit-on", "exit-on");
        }
        "sbom" => {
            words.text("format", "format").text("only-package-types", "only-package-type");
            words.text("output", "output").subject();
        }
        "environment" => {
            words.say("format", "json").say("output", &file("environment"));
            words.text("platform", "platform").text("app", "app");
            words.words.push("--".to_owned());
            let environment = inputs.text("environment").or_else(|| inputs.text("stream"));
            // A variable that is empty must not make a recording a listing.
            if environment.is_none() && inputs.text("image").is_some() {
                return Err(Failure::error(
                    "environment: it is not said where the image runs",
                    "name the environment, or leave `image` out to list them",
                ));
            }
            words.words.extend(environment);
            words.words.extend(inputs.text("image"));
            return Ok(words.words);
        }
        "attestation-add" => {
            words.words = ["attestation", "add"].map(str::to_owned).to_vec();
            for it in needed(inputs, "file", "name what is to be attached")? {
                words.say("file", &it);
            }
            words.text("predicate-type", "predicate-type");
            words.flag("referrer", "referrer")?;
            words.text("referrer-repository", "referrer-repository");
            words.words.push("--".to_owned());
            let images = if inputs.text("tags").is_some() { "tags" } else { "image" };
            words.words.extend(needed(inputs, images, "name the images with `tags`")?);
            return Ok(words.words);
        }
        _ => {}
    }
    // What stands behind is a name, however it begins.
    words.words.push("--".to_owned());
    words.words.extend(inputs.text("image"));
    Ok(words.words)
}

/// Each thing that an input names, on lines of their own or parted by commas; at least one.
fn needed(inputs: &Inputs<'_>, name: &str, hint: &str) -> anyhow::Result<Vec<String>> {
    let all = each(inputs, name);
    if all.is_empty() {
        return Err(Failure::error(format!("attestation-add: {name} is not told"), hint));
    }
    Ok(all)
}

fn each(inputs: &Inputs<'_>, name: &str) -> Vec<String> {
    let text = inputs.text(name).unwrap_or_default();
    let all = text.split([',', '\n']).map(str::trim).filter(|it| !it.is_empty());
    all.map(str::to_owned).collect()
}

struct Words<'a> {
    words: Vec<String>,
    inputs: &'a Inputs<'a>,
}

impl Words<'_> {
    fn say(&mut self, flag: &str, value: &str) -> &mut Self {
        self.words.push(format!("--{flag}={value}"));
        self
    }

    fn text(&mut self, input: &str, flag: &str) -> &mut Self {
        if let Some(value) = self.inputs.text(input) {
            self.say(flag, &value);
        }
        self
    }

    fn flag(&mut self, input: &str, flag: &str) -> anyhow::Result<&mut Self> {
        if self.inputs.flag(input)? {
            self.words.push(format!("--{flag}"));
        }
        Ok(self)
    }

    fn subject(&mut self) -> &mut Self {
        self.text("platform", "platform").text("ref", "ref")
    }

    fn judged(&mut self) -> &mut Self {
        self.text("env", "env").advised()
    }

    /// What findings rest on.
    fn advised(&mut self) -> &mut Self {
        self.text("vex-location", "vex-location").text("vex-author", "vex-author");
        self.text("almanac", "almanac")
    }

    /// Which policies count.
    fn policies(&mut self) -> &mut Self {
        for name in ["policy-file", "policy-dir", "policy-bundle"] {
            for it in each(self.inputs, name) {
                self.say(name, &it);
            }
        }
        self.text("policy-config", "policy-config").text("only-policy", "only-policy")
    }

    fn unsuppressed(&mut self) -> &mut Self {
        for flag in ["only-vex-affected", "ignore-suppressed"] {
            // Whoever says something else than yes or no was refused before.
            if self.inputs.flag(flag).unwrap_or_default() {
                self.words.push(format!("--{flag}"));
            }
        }
        self
    }

    fn filtered(&mut self) -> anyhow::Result<&mut Self> {
        self.text("only-severities", "only-severity");
        self.text("only-package-types", "only-package-type");
        self.flag("only-fixed", "only-fixed")?.flag("only-unfixed", "only-unfixed")
    }

    /// What is compared with: one thing.
    fn target(&mut self) -> anyhow::Result<()> {
        let inputs = self.inputs;
        let environment = inputs.text("to-env").or_else(|| inputs.text("to-stream"));
        let (to, latest) = (inputs.text("to"), inputs.flag("to-latest")?);
        if to.is_none() && inputs.text("to-ref").is_some() {
            let why = "compare: to-ref is a part of nothing";
            return Err(Failure::error(why, "it goes with `to`: name the archive or layout there"));
        }
        match (to, environment, latest) {
            (Some(to), None, false) => self.say("to", &to).text("to-ref", "to-ref"),
            (None, Some(environment), false) => self.say("to-env", &environment),
            (None, None, true) => {
                self.words.push("--to-latest".to_owned());
                self
            }
            (None, None, false) => {
                let hint =
                    "name an image with `to`, an environment with `to-env`, or say `to-latest`";
                return Err(Failure::error("compare: nothing to compare with", hint));
            }
            _ => {
                let why = "compare: there are several things to compare with";
                return Err(Failure::error(why, "keep one of `to`, `to-env` and `to-latest`"));
            }
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Environment;

    fn check(command: &str, set: &[(&str, &str)], expect: &str) {
        let environment = Environment::of(set);
        let told = match words(command, &Inputs::of(&environment), Path::new("/t")) {
            Ok(words) => words.join(" "),
            Err(error) => error.to_string(),
        };
        assert_eq!(told, expect);
    }

    #[test]
    fn inputs_become_words() {
        check(
            "cves",
            &[
                ("INPUT_IMAGE", "--output=/etc/passwd"),
                ("INPUT_ONLY-SEVERITIES", "critical,high"),
                ("INPUT_EXIT-CODE", "true"),
                ("INPUT_SARIF-FILE", "x.sarif"),
                ("INPUT_ONLY-FIXED", "True"),
            ],
            "cves --format=packages --format=markdown=/t/cves --format=sarif=/t/sarif \
             --only-severity=critical,high --only-fixed --exit-code -- --output=/etc/passwd",
        );
        check(
            "compare",
            &[
                ("INPUT_IMAGE", "a"),
                ("INPUT_TO-STREAM", "production"),
                ("INPUT_EXIT-ON", "package"),
            ],
            "compare --format=text --format=markdown=/t/compare --to-env=production \
             --exit-on=package -- a",
        );
        check("compare", &[("INPUT_IMAGE", "a")], "compare: nothing to compare with");
        check(
            "compare",
            &[("INPUT_TO", "a"), ("INPUT_TO-LATEST", "yes")],
            "compare: there are several things to compare with",
        );
        check(
            "environment",
            &[("INPUT_ENVIRONMENT", "remove"), ("INPUT_IMAGE", "a:1"), ("INPUT_APP", "web")],
            "environment --format=json --output=/t/environment --app=web -- remove a:1",
        );
        check(
            "environment",
            &[("INPUT_IMAGE", "a:1")],
            "environment: it is not said where the image runs",
        );
        check("environment", &[], "environment --format=json --output=/t/environment --");
        check(
            "compare",
            &[("INPUT_TO-ENV", "production"), ("INPUT_TO-REF", "v1")],
            "compare: to-ref is a part of nothing",
        );
        check(
            "policy",
            &[
                ("INPUT_IMAGE", "a"),
                ("INPUT_ENV", "production"),
                ("INPUT_POLICY-DIR", "one\n two, three"),
                ("INPUT_EXIT-CODE", "true"),
                ("INPUT_ONLY-FIXED", "true"),
            ],
            "policy --format=text --format=markdown=/t/policy --policy-dir=one --policy-dir=two \
             --policy-dir=three --env=production --exit-code -- a",
        );
        check(
            "attestation-add",
            &[("INPUT_FILE", "a.json"), ("INPUT_TAGS", "a:1,a:2"), ("INPUT_IMAGE", "b:1")],
            "attestation add --file=a.json -- a:1 a:2",
        );
        check("attestation-add", &[("INPUT_FILE", "a.json")], "attestation-add: image is not told");
        check(
            "recommendations",
            &[
                ("INPUT_IMAGE", "a"),
                ("INPUT_ENV", "production"),
                ("INPUT_ALMANAC", "almanac"),
                ("INPUT_ONLY-UPDATE", "true"),
            ],
            "recommendations --format=text --format=markdown=/t/recommendations \
             --almanac=almanac --only-update -- a",
        );
        check("sbom", &[("INPUT_OUTPUT", "b")], "sbom --format=json --output=b --");
    }

    #[test]
    fn which_commands() {
        let check = |text: &str, expect: &str| {
            let told = match commands(Some(text)) {
                Ok(commands) => commands.join(" "),
                Err(error) => error.to_string(),
            };
            assert_eq!(told, expect);
        };
        check("quickview, cves", "quickview cves");
        check("cves,recommendations", "cves recommendations");
        check("cves,vex", "command `vex`: not there yet");
        check("policy, attestation-add", "policy attestation-add");
        check("cvse", "command `cvse`: there is none");
        check("cves,cves", "command `cves` is named twice");
        check(" , ", "command: it must be told");
    }
}
