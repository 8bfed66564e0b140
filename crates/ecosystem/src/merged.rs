//! Where `/bin`, `/sbin` and `/lib` are links into `/usr`, a file is met under another path than the
//! one its package was built with.

use model::{PathHash, hash_path};

const LINKED: &[&str] = &["bin", "lib", "lib32", "lib64", "libx32", "sbin"];

/// Adds the hash of `path`, and the one that it has in a merged `/usr`.
pub(crate) fn add(hashes: &mut Vec<PathHash>, path: &str) {
    let path = path.trim_start_matches('/');
    hashes.push(hash_path(path));
    if path.split_once('/').is_some_and(|(first, _)| LINKED.contains(&first)) {
        hashes.push(hash_path(&format!("usr/{path}")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, expect: &[&str]) {
        let mut hashes = Vec::new();
        add(&mut hashes, path);
        assert_eq!(hashes, expect.iter().map(|it| hash_path(it)).collect::<Vec<u64>>(), "{path}");
    }

    #[test]
    fn both_paths_count() {
        check("/bin/busybox", &["bin/busybox", "usr/bin/busybox"]);
        check(
            "lib/x86_64-linux-gnu/libz.so.1",
            &["lib/x86_64-linux-gnu/libz.so.1", "usr/lib/x86_64-linux-gnu/libz.so.1"],
        );
        check("/usr/bin/env", &["usr/bin/env"]);
        check("/bin", &["bin"]);
        check("", &[""]);
    }
}
