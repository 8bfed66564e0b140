//! Every target runs over its seeds, without a nightly toolchain: what was found once stays mended.

use std::path::{Path, PathBuf};

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs_err::read_dir(folder).expect("it is there") {
        let path = entry.expect("it is there").path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

#[test]
fn every_target_runs_over_its_seeds() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for (name, run) in fuzz_targets::ALL {
        let mut seeds = Vec::new();
        files(&fuzz.join("seeds").join(name), &mut seeds);
        if *name == "feeds" {
            files(&fuzz.join("../crates/feed/fixtures"), &mut seeds);
        }
        assert!(!seeds.is_empty(), "{name} has no seeds");
        run(&[]);
        for seed in seeds {
            run(&fs_err::read(seed).unwrap());
        }
    }
}

#[test]
fn every_target_is_run_by_libfuzzer() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let listed = fs_err::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    for (name, _) in fuzz_targets::ALL {
        let program = fs_err::read_to_string(fuzz.join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(program.contains(&format!("fuzz_targets::{name}::run(input)")), "{name}");
        assert!(listed.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name}");
    }
    let mut programs = Vec::new();
    files(&fuzz.join("fuzz_targets"), &mut programs);
    assert_eq!(programs.len(), fuzz_targets::ALL.len());
}
