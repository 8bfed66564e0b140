//! What a module says about itself: the `# METADATA` above its package, in YAML.
//! <https://www.openpolicyagent.org/docs/latest/annotations/>

use serde::Deserialize;

use crate::contract::ResultKind;

/// The deepest that a value in it may be nested.
const DEEPEST: usize = 16;

/// The most bytes that it may have.
const LARGEST: usize = 64 << 10;

/// The block, as far as it concerns us; whatever else it has is not ours to judge.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Metadata {
    #[serde(default)]
    pub(crate) title: Option<String>,
    #[serde(default)]
    pub(crate) description: Option<String>,
    #[serde(default)]
    pub(crate) custom: Option<Custom>,
}

#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Custom {
    #[serde(default)]
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) result_type: Option<ResultKind>,
    #[serde(default)]
    pub(crate) weight: Option<u32>,
    #[serde(default)]
    pub(crate) not_compliant_title: Option<String>,
    #[serde(default)]
    pub(crate) details_order: Option<Vec<String>>,
    /// Ours: it counts only where a configuration enables it.
    #[serde(default)]
    pub(crate) opt_in: Option<bool>,
}

/// Reads the block that belongs to the package; a module without one says nothing about itself.
/// An error has its line.
pub(crate) fn read(text: &str) -> Result<Metadata, (usize, String)> {
    let Some((line, yaml)) = block(text) else { return Ok(Metadata::default()) };
    if yaml.len() > LARGEST {
        return Err((line, format!("its metadata is larger than {LARGEST} bytes")));
    }
    if yaml.trim().is_empty() {
        return Ok(Metadata::default());
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DEEPEST,
            flow_nesting_limit: DEEPEST,
            max_aliases: 0,
            max_anchors: 0,
            max_nodes: 10_000,
            max_documents: 1,
        },
    };
    serde_saphyr::from_str_with_options::<Option<Metadata>>(&yaml, options)
        .map(Option::unwrap_or_default)
        .map_err(|error| {
            let why = error.to_string();
            let why = why.lines().next().unwrap_or_default().trim_start_matches("error: ");
            (line, format!("its metadata cannot be read: {why}"))
        })
}

/// The last block before the package, and its first line; OPA wants it right above, and whoever
/// leaves a line between means the same.
fn block(text: &str) -> Option<(usize, String)> {
    let mut found = None;
    let mut inside = false;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_end();
        let comment = line.trim_start().strip_prefix('#');
        match comment {
            Some(rest) if rest.trim() == "METADATA" => {
                found = Some((number + 1, String::new()));
                inside = true;
            }
            Some(rest) if inside => {
                if let Some((_, yaml)) = &mut found {
                    yaml.push_str(rest.strip_prefix(' ').unwrap_or(rest));
                    yaml.push('\n');
                }
            }
            Some(_) => {}
            None if line.trim().is_empty() => inside = false,
            None if is_package(line) => return found,
            None => return None,
        }
    }
    None
}

fn is_package(line: &str) -> bool {
    line.trim_start()
        .strip_prefix("package")
        .is_some_and(|rest| rest.starts_with(char::is_whitespace))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        let shown = match read(text) {
            Ok(it) => {
                let custom = it.custom.unwrap_or_default();
                format!(
                    "{:?} {:?} {:?} {:?} {:?}",
                    it.title.unwrap_or_default(),
                    custom.name.unwrap_or_default(),
                    custom.result_type.unwrap_or_default(),
                    custom.weight.unwrap_or_default(),
                    custom.details_order.unwrap_or_default(),
                )
            }
            Err((line, why)) => format!("{line}: {why}"),
        };
        assert!(shown.starts_with(expect), "{shown}");
    }

    #[test]
    fn blocks() {
        check("package docker.scout\n", r#""" "" Generic 0 []"#);
        check(
            "# A head.\n\n# METADATA\n# title: T\n# custom:\n#   name: n\n#   result_type: license\n\
             #   weight: 5\n#   details_order:\n#   - a\n#   - b\npackage docker.scout\n",
            r#""T" "n" License 5 ["a", "b"]"#,
        );
        check("# METADATA\n# title: A: b\npackage x\n", "1: its metadata cannot be read: ");
        check("# METADATA\n# title: of a rule\nimport rego.v1\npackage x\n", r#""" """#);
        check("# METADATA\n# custom:\n#   weight: -1\npackage x\n", "1: its metadata cannot");
        check(
            "# METADATA\n# custom:\n#   result_type: magic\npackage x\n",
            "1: its metadata cannot",
        );
        check("# METADATA\n\npackage x\n", r#""" """#);
        check(&format!("# METADATA\n# title: {}\npackage x\n", "[".repeat(100_000)), "1: ");
        check("# METADATA\n# a: &a 1\n# title: *a\npackage x\n", "1: ");
    }
}
