//! `cargo xtask tidy`: house rules that no compiler knows. Each is a test, so an editor finds it too.

use crate::run::run;

pub(crate) fn tidy(_: &[String]) -> anyhow::Result<()> {
    run("cargo", &["test", "--package", "xtask"])
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::run::{output, root};

    fn tracked(ending: &str) -> Vec<(String, String)> {
        let files =
            output("git", &["ls-files", "--cached", "--others", "--exclude-standard"]).unwrap();
        files
            .lines()
            .filter(|it| Path::new(it).extension().is_some_and(|it| it == ending))
            .filter(|it| root().join(it).is_file())
            .map(|it| (it.to_owned(), fs_err::read_to_string(root().join(it)).unwrap()))
            .collect()
    }

    #[test]
    fn every_file_has_a_nameplate() {
        for (path, text) in tracked("rs") {
            let line = text.lines().next().unwrap_or("");
            assert!(line.starts_with("//! "), "{path}: its first line must say what it is");
        }
    }

    #[test]
    fn nobody_hides_in_mod_rs() {
        for (path, _) in tracked("rs") {
            assert!(!path.ends_with("/mod.rs"), "{path}: name the file after what it is");
        }
    }

    #[test]
    fn files_are_of_a_readable_size() {
        for (path, text) in tracked("rs") {
            let lines = text.lines().count();
            assert!(lines <= 800, "{path} has {lines} lines: it is two things");
        }
    }

    #[test]
    fn nothing_is_left_to_do_in_silence() {
        let words = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X ")];
        for (path, text) in tracked("rs") {
            for (number, line) in text.lines().enumerate() {
                let found = words.iter().any(|it| line.contains(it));
                assert!(!found, "{path}:{}: give it an issue's number, or do it", number + 1);
            }
        }
    }

    #[test]
    fn every_crate_is_on_the_map() {
        let map = fs_err::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
        for it in fs_err::read_dir(root().join("crates")).unwrap() {
            let name = it.unwrap().file_name().into_string().unwrap();
            assert!(
                map.contains(&format!("`{name}`")),
                "ARCHITECTURE.md does not mention `{name}`"
            );
        }
    }

    #[test]
    fn adrs_are_numbered_without_a_hole() {
        let mut numbers: Vec<u32> = fs_err::read_dir(root().join("docs/adr"))
            .unwrap()
            .map(|it| it.unwrap().file_name().into_string().unwrap()[..4].parse().unwrap())
            .collect();
        numbers.sort_unstable();
        let wanted: Vec<u32> = (1..).take(numbers.len()).collect();
        assert_eq!(numbers, wanted);
    }

    #[test]
    fn links_in_documents_lead_somewhere() {
        for (path, text) in tracked("md") {
            let folder = root().join(&path);
            let folder = folder.parent().unwrap();
            for part in text.split("](").skip(1) {
                let target = part.split([')', '#']).next().unwrap_or("");
                if target.is_empty() || target.contains("://") || target.contains(' ') {
                    continue;
                }
                assert!(folder.join(target).exists(), "{path}: nothing at {target}");
            }
        }
    }

    #[test]
    fn nothing_names_a_machine() {
        let words = [concat!("/wo", "rk/"), concat!("/ro", "ot/")];
        for ending in ["rs", "md", "toml", "sh", "py", "yml"] {
            for (path, text) in tracked(ending) {
                for word in words {
                    assert!(!text.contains(word), "{path} names a path of somebody's machine");
                }
            }
        }
    }
}
