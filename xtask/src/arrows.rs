//! The table of allowed arrows: which crate may know which. Anything else needs an ADR and a line here.

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use crate::run::root;

    /// Every crate of ours, from the ground up, with what it may depend on.
    const ALLOWED: &[(&str, &[&str])] = &[
        ("model", &[]),
        ("tarball", &[]),
        ("crew", &[]),
        ("cache", &["model"]),
        ("store", &["model"]),
        ("format", &["model", "crew"]),
        ("statement", &["model"]),
        ("policy", &["model"]),
        ("ecosystem", &["model", "format", "statement"]),
        ("feed", &["model", "ecosystem", "tarball"]),
        ("almanac", &["model", "crew", "ecosystem"]),
        ("matching", &["model", "crew", "ecosystem", "almanac"]),
        ("portfolio", &["model", "crew", "ecosystem", "almanac", "matching"]),
        ("attestation", &["model"]),
        ("base", &["model", "attestation"]),
        ("image", &["model", "tarball", "attestation"]),
        ("integration", &["model", "image"]),
        ("catalog", &["model", "tarball", "ecosystem"]),
        (
            "engine",
            &[
                "model",
                "tarball",
                "image",
                "catalog",
                "format",
                "cache",
                "statement",
                "ecosystem",
                "feed",
                "almanac",
                "matching",
            ],
        ),
        (
            "gate",
            &["model", "policy", "ecosystem", "attestation", "base", "image", "format", "engine"],
        ),
        ("api", &["model"]),
        ("agent", &["model", "image", "api"]),
        ("dashboard", &["model", "api"]),
        (
            "server",
            &[
                "base",
                "model",
                "format",
                "policy",
                "almanac",
                "image",
                "integration",
                "portfolio",
                "engine",
                "gate",
                "store",
                "api",
                "dashboard",
            ],
        ),
        (
            "cli",
            &[
                "model",
                "crew",
                "api",
                "agent",
                "server",
                "store",
                "ecosystem",
                "attestation",
                "base",
                "image",
                "integration",
                "format",
                "cache",
                "statement",
                "policy",
                "tarball",
                "feed",
                "almanac",
                "engine",
                "gate",
            ],
        ),
        ("testkit", &[]),
    ];

    #[test]
    fn crates_know_only_what_they_may() {
        let allowed: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();
        for (name, knows) in crates() {
            let may = allowed
                .get(name.as_str())
                .unwrap_or_else(|| panic!("crate {name} is not in the table"));
            for other in &knows {
                assert!(
                    may.contains(&other.as_str()),
                    "{name} → {other} is not allowed: see docs/adr"
                );
            }
        }
    }

    #[test]
    fn arrows_only_point_down() {
        let order: Vec<&str> = ALLOWED.iter().map(|(name, _)| *name).collect();
        for (at, (name, may)) in ALLOWED.iter().enumerate() {
            for other in *may {
                assert!(order[..at].contains(other), "{name} → {other} points up");
            }
        }
    }

    #[test]
    fn the_table_has_no_ghosts() {
        let there: BTreeSet<String> = crates().into_keys().collect();
        for (name, _) in ALLOWED {
            assert!(there.contains(*name), "crate {name} is in the table, not in the tree");
        }
    }

    /// Our crates and which of ours each depends on, tests aside.
    fn crates() -> BTreeMap<String, Vec<String>> {
        let folder = root().join("crates");
        let names: BTreeSet<String> = fs_err::read_dir(folder)
            .unwrap()
            .map(|it| it.unwrap().file_name().into_string().unwrap())
            .collect();
        let mut found = BTreeMap::new();
        for name in &names {
            let manifest = root().join("crates").join(name).join("Cargo.toml");
            let manifest = fs_err::read_to_string(manifest).unwrap();
            let mut section = "";
            let mut knows = Vec::new();
            for line in manifest.lines() {
                if line.starts_with('[') {
                    section = line;
                } else if section == "[dependencies]" {
                    let word = line.split(['.', ' ', '=']).next().unwrap_or("");
                    if names.contains(word) {
                        knows.push(word.to_owned());
                    }
                }
            }
            found.insert(name.clone(), knows);
        }
        found
    }
}
