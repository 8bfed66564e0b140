//! What the action is told: every input of it, and what becomes of each.

use std::path::PathBuf;

use model::Secret;

use crate::environment::Environment;
use crate::failure::Failure;

/// An input.
pub(crate) struct Input {
    /// As workflows write it.
    pub(crate) name: &'static str,
    /// What it is where nobody says anything; empty where that means nothing.
    pub(crate) default: &'static str,
    /// What it means, for `action.yaml` and the documentation.
    pub(crate) meaning: &'static str,
    /// What becomes of it.
    pub(super) fate: Fate,
}

/// What becomes of an input.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// These commands heed it; where none of them is asked for, that is told.
    For(&'static [&'static str]),
    /// The action itself heeds it.
    Ours,
    /// Whoever says yes wants an answer that nobody can give yet.
    Refused,
}

use Fate::{For, Ours, Refused};

const JUDGES: &[&str] = &["quickview", "cves", "compare", "policy", "recommendations"];
/// Those that can look into what runs.
const LOOKERS: &[&str] = &["quickview", "cves", "compare", "policy"];
const SUPPRESSERS: &[&str] = &["quickview", "cves", "compare"];
const POLICIES: &[&str] = &["quickview", "compare", "policy"];
const READERS: &[&str] = &[
    "quickview",
    "cves",
    "compare",
    "policy",
    "recommendations",
    "sbom",
    "environment",
    "attestation-add",
];
const ADVISES: &[&str] = &["recommendations"];
const ATTESTATION: &[&str] = &["attestation-add"];
const FILTERS: &[&str] = &["cves", "compare"];

const fn input(
    name: &'static str,
    default: &'static str,
    fate: Fate,
    meaning: &'static str,
) -> Input {
    Input { name, default, meaning, fate }
}

/// Every input: those of docker/scout-action, and a few of our own at the end.
pub(crate) const ALL: &[Input] = &[
    input(
        "command",
        "",
        Ours,
        "What to do, parted by commas, one after the other: quickview, compare, cves, policy, recommendations, sbom, environment, attestation-add, help",
    ),
    input("debug", "false", Ours, "Tell what is done, and when"),
    input("verbose-debug", "false", Ours, "The same, with settings and the causes of errors"),
    input("summary", "true", Ours, "Write the job summary"),
    input("organization", "", Ours, "The organization to act for"),
    input(
        "image",
        "",
        For(READERS),
        "What to look into, with the prefixes of the command line; without it, the newest image of the local engine",
    ),
    input("platform", "", For(READERS), "Which image of several: os/architecture[/variant]"),
    input(
        "ref",
        "",
        For(&["quickview", "cves", "compare", "policy", "recommendations", "sbom"]),
        "Which reference inside an archive or layout of several",
    ),
    input("to", "", For(&["compare"]), "What to compare with"),
    input(
        "to-ref",
        "",
        For(&["compare"]),
        "Which reference inside an archive or layout of several, of what is compared with",
    ),
    input("to-env", "", For(&["compare"]), "Compare with what runs in this environment"),
    input("to-stream", "", For(&["compare"]), "The former name of to-env"),
    input(
        "to-latest",
        "false",
        For(&["compare"]),
        "Compare with the image of the same repository that was analysed last",
    ),
    input(
        "environment",
        "",
        For(&["environment"]),
        "The environment that the image is recorded to; without it, environments are listed",
    ),
    input("stream", "", For(&["environment"]), "The former name of environment"),
    input("hide-policies", "false", For(&["compare"]), "Leave out what policies say"),
    input(
        "ignore-base",
        "false",
        For(&["cves", "compare"]),
        "Leave out what the base image brought; an error where nobody can tell",
    ),
    input(
        "only-base",
        "false",
        For(&["cves"]),
        "Only what the base image brought; an error where nobody can tell",
    ),
    input("ignore-unchanged", "false", For(&["compare"]), "Leave out what both have"),
    input(
        "only-vex-affected",
        "false",
        For(SUPPRESSERS),
        "Leave out what a VEX statement says is not affected",
    ),
    input(
        "vex-author",
        "",
        For(JUDGES),
        "Whose statements count, as regular expressions, parted by commas",
    ),
    input(
        "vex-location",
        "",
        For(JUDGES),
        "VEX documents: files, or folders with them, parted by commas",
    ),
    input("only-fixed", "false", For(FILTERS), "Only what has a fix"),
    input("only-unfixed", "false", For(FILTERS), "Only what has no fix"),
    input(
        "only-severities",
        "",
        For(FILTERS),
        "Only these severities, parted by commas: critical, high, medium, low, unspecified",
    ),
    input(
        "only-package-types",
        "",
        For(&["cves", "compare", "sbom"]),
        "Only packages of these purl types, parted by commas",
    ),
    input("only-cisa-kev", "false", For(&["cves"]), "Only what is known to be used in attacks"),
    input(
        "ignore-suppressed",
        "false",
        For(SUPPRESSERS),
        "Leave out what an exception or a statement takes out of the way",
    ),
    input(
        "exit-code",
        "false",
        For(&["cves", "policy"]),
        "Fail with code 2 if there is a finding, or a policy that is not met, or where nobody can tell",
    ),
    input(
        "exit-on",
        "",
        For(&["compare"]),
        "Fail with code 2 if one of these is worse than before, parted by commas: vulnerability, policy, package",
    ),
    input("sarif-file", "", For(&["cves"]), "Write SARIF to this file, within what GitHub takes"),
    input(
        "only-refresh",
        "false",
        For(ADVISES),
        "Only whether the base image's tag leads to a better image by now",
    ),
    input("only-update", "false", For(ADVISES), "Only other tags of the base image"),
    input("format", "json", For(&["sbom"]), "How to write the SBOM: json, list, spdx, cyclonedx"),
    input("output", "", For(&["sbom"]), "Write the SBOM to this file instead of the log"),
    input("secrets", "false", Refused, "Look for secrets; not there yet"),
    input(
        "tags",
        "",
        For(ATTESTATION),
        "The images that it is attached to, parted by commas or lines; without them, what image names",
    ),
    input("file", "", For(ATTESTATION), "What is attached: files, parted by commas or lines"),
    input(
        "predicate-type",
        "",
        For(ATTESTATION),
        "What the files state; for statements, what they have to state",
    ),
    input(
        "referrer",
        "false",
        For(ATTESTATION),
        "Attach it as a referrer of the image, which leaves its tag where it is",
    ),
    input(
        "referrer-repository",
        "",
        For(ATTESTATION),
        "In which repository, if not in the image's own",
    ),
    input(
        "registry-write-user",
        "",
        For(ATTESTATION),
        "Who to be at the registry that is written to; without it, registry-user",
    ),
    input("registry-write-password", "", For(ATTESTATION), "The password that goes with that user"),
    input(
        "policy-file",
        "",
        For(POLICIES),
        "Policies in Rego, instead of those that are built in: files, parted by commas or lines",
    ),
    input(
        "policy-dir",
        "",
        For(POLICIES),
        "Directories with policies in Rego, parted by commas or lines",
    ),
    input(
        "policy-bundle",
        "",
        For(POLICIES),
        "Bundles of policies in a registry, parted by commas or lines",
    ),
    input(
        "policy-config",
        "",
        For(POLICIES),
        "Which policies count, and with which thresholds: a file of JSON",
    ),
    input(
        "only-policy",
        "",
        For(POLICIES),
        "Only these policies, by their names or ids, parted by commas",
    ),
    input(
        "dockerhub-user",
        "",
        Ours,
        "Who to be at Docker Hub, to pull from there; no other login is needed",
    ),
    input("dockerhub-password", "", Ours, "The password or access token of that user"),
    input(
        "registry-user",
        "",
        Ours,
        "Who to be at every other registry; without it, what docker login has kept",
    ),
    input("registry-password", "", Ours, "The password that goes with that user"),
    input(
        "github-token",
        "",
        Ours,
        "The token that comments are written with, and SARIF is uploaded with",
    ),
    input(
        "write-comment",
        "true",
        Ours,
        "Write a comment on the pull request, or update the one of the last run",
    ),
    input(
        "keep-previous-comments",
        "false",
        Ours,
        "Write a new comment each time, and hide the former ones",
    ),
    input(
        "env",
        "",
        For(LOOKERS),
        "Look into what runs in this environment: all of it, or only the repository that image names",
    ),
    input(
        "app",
        "",
        For(&["environment"]),
        "As which application the image runs, where that is not its repository",
    ),
    input("almanac", "", For(JUDGES), "The almanac's directory"),
    input(
        "upload-sarif",
        "false",
        For(&["cves"]),
        "Upload the SARIF to code scanning; needs security-events: write",
    ),
    input("server", "", Ours, "The Foretop server to ask"),
    input("token", "", Ours, "The token for that server"),
];

/// What was told.
pub(super) struct Inputs<'a> {
    environment: &'a Environment,
}

impl<'a> Inputs<'a> {
    pub(super) fn of(environment: &'a Environment) -> Self {
        Self { environment }
    }

    /// What somebody said, without blanks around it.
    pub(super) fn said(&self, name: &str) -> Option<String> {
        assert!(ALL.iter().any(|it| it.name == name), "{name} is no input");
        let upper = name.to_ascii_uppercase().replace(' ', "_");
        // Runners keep the dashes; where a shell stands between, nobody can rely on that.
        [format!("INPUT_{upper}"), format!("INPUT_{}", upper.replace('-', "_"))]
            .iter()
            .filter_map(|it| self.environment.named(it))
            .map(|it| it.trim().to_owned())
            .find(|it| !it.is_empty())
    }

    /// What counts: what somebody said, or the default.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let default = || ALL.iter().find(|it| it.name == name).map(|it| it.default.to_owned());
        self.said(name).or_else(default).filter(|it| !it.is_empty())
    }

    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        self.text(name).map(PathBuf::from)
    }

    pub(super) fn secret(&self, name: &str) -> Option<Secret> {
        self.text(name).map(Secret::new)
    }

    pub(super) fn flag(&self, name: &str) -> anyhow::Result<bool> {
        let text = self.text(name).unwrap_or_default();
        match text.to_ascii_lowercase().as_str() {
            "" | "false" | "0" | "no" | "n" | "off" | "f" => Ok(false),
            "true" | "1" | "yes" | "y" | "on" | "t" => Ok(true),
            _ => Err(Failure::error(
                format!("{name}: `{text}` is neither true nor false"),
                format!("write `{name}: true`, or leave it out"),
            )),
        }
    }

    /// Is what nobody can do refused, and what changes nothing told? Gives what is to be told.
    pub(super) fn checked(&self, commands: &[&str]) -> anyhow::Result<Vec<String>> {
        let mut remarks = Vec::new();
        for it in ALL {
            let Some(said) = self.said(it.name) else { continue };
            if ["true", "false"].contains(&it.default) {
                self.flag(it.name)?;
            }
            // `false` where it is false anyway asks for nothing.
            if said == it.default {
                continue;
            }
            match it.fate {
                Ours => {}
                Refused if self.flag(it.name)? => {
                    return Err(Failure::error(
                        format!("{}: not there yet", it.name),
                        "leave it out: without it, nothing is left out of the answer",
                    ));
                }
                Refused => {}
                For(those) if those.iter().any(|it| commands.contains(it)) => {}
                For(those) => {
                    let those = those.join(", ");
                    remarks.push(format!("{} changes nothing: it is for {those}", it.name));
                }
            }
        }
        Ok(remarks)
    }

    /// In which way it is asked: what makes another answer of the same image, but for names and places that
    /// may be others with each commit.
    pub(super) fn way(&self) -> String {
        const ASKED: [&str; 18] = [
            "organization",
            "to-stream",
            "to-latest",
            "ignore-base",
            "only-base",
            "ignore-unchanged",
            "ignore-suppressed",
            "only-vex-affected",
            "vex-author",
            "only-fixed",
            "only-unfixed",
            "only-severities",
            "only-package-types",
            "only-cisa-kev",
            "policy-config",
            "only-policy",
            "only-refresh",
            "only-update",
        ];
        let said = ASKED.iter().filter_map(|it| Some(format!("{it}={}\n", self.text(it)?)));
        said.collect()
    }

    /// What is said nowhere, not even by accident.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        let names = [
            "github-token",
            "token",
            "registry-password",
            "dockerhub-password",
            "registry-write-password",
        ];
        names.iter().filter_map(|it| self.secret(it)).collect()
    }

    /// Variables in place of inputs that mean the same.
    pub(super) fn variables(&self) -> Vec<(&'static str, String)> {
        let pairs = [
            ("organization", "FORETOP_ORG"),
            ("registry-user", "FORETOP_REGISTRY_USER"),
            ("registry-password", "FORETOP_REGISTRY_PASSWORD"),
            ("dockerhub-user", "FORETOP_HUB_USER"),
            ("dockerhub-password", "FORETOP_HUB_PASSWORD"),
            ("server", "FORETOP_SERVER"),
            ("token", "FORETOP_TOKEN"),
        ];
        pairs.iter().filter_map(|(name, variable)| Some((*variable, self.text(name)?))).collect()
    }

    /// The same for a command that writes to registries.
    pub(super) fn variables_for_writing(&self) -> Vec<(&'static str, String)> {
        let mut all = self.variables();
        if let Some(user) = self.text("registry-write-user") {
            // Whose password it is not is none for this user.
            all.retain(|(variable, _)| *variable != "FORETOP_REGISTRY_PASSWORD");
            all.retain(|(variable, _)| *variable != "FORETOP_REGISTRY_USER");
            all.push(("FORETOP_REGISTRY_USER", user));
            let password = self.text("registry-write-password");
            all.extend(password.map(|it| ("FORETOP_REGISTRY_PASSWORD", it)));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_stay_or_go() {
        let check = |name: &str, expect: &str| {
            let environment = Environment::of(&[(name, " critical ")]);
            let said = Inputs::of(&environment).said("only-severities").unwrap_or_default();
            assert_eq!(said, expect, "{name}");
        };
        check("INPUT_ONLY-SEVERITIES", "critical");
        check("INPUT_ONLY_SEVERITIES", "critical");
        check("INPUT_ONLYSEVERITIES", "");
    }

    #[test]
    fn each_is_heeded_told_or_refused() {
        let check = |set: &[(&str, &str)], expect: &str| {
            let environment = Environment::of(set);
            let told = match Inputs::of(&environment).checked(&["cves"]) {
                Ok(remarks) => remarks.join("\n"),
                Err(error) => error.to_string(),
            };
            assert_eq!(told, expect);
        };
        check(&[("INPUT_SECRETS", "false"), ("INPUT_FORMAT", "json")], "");
        check(&[("INPUT_SECRETS", "true")], "secrets: not there yet");
        check(
            &[("INPUT_IGNORE-BASE", "perhaps")],
            "ignore-base: `perhaps` is neither true nor false",
        );
        check(&[("INPUT_TO", "x")], "to changes nothing: it is for compare");
        check(&[("INPUT_TAGS", "x")], "tags changes nothing: it is for attestation-add");
        check(
            &[("INPUT_ONLY-UPDATE", "true")],
            "only-update changes nothing: it is for recommendations",
        );
        check(&[("INPUT_EXIT-CODE", "true")], "");
    }
}
