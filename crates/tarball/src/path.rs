//! Paths as archives write them, made safe: inside the root, in one spelling.

use std::borrow::Cow;

/// From the root, cleaned: no leading `/` or `./`, no `..`, no trailing `/`, no doubled `/`.
/// A `..` that would leave the root stays at the root.
pub fn clean_path(path: &str) -> Cow<'_, str> {
    if is_clean(path.as_bytes()) {
        return Cow::Borrowed(path);
    }
    let mut parts = Vec::new();
    walk(&mut parts, path);
    Cow::Owned(parts.join("/"))
}

/// Where a symbolic link at `path` (cleaned) leads, inside the root: absolute targets from the
/// root, others from the link's directory. Cleaned; no other link is followed.
pub fn resolve_link(path: &str, target: &str) -> String {
    let mut parts = Vec::new();
    if !target.starts_with('/') {
        walk(&mut parts, path.rsplit_once('/').map_or("", |(directory, _)| directory));
    }
    walk(&mut parts, target);
    parts.join("/")
}

fn walk<'a>(parts: &mut Vec<&'a str>, path: &'a str) {
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
}

/// Nearly every path is: then nothing need be copied.
fn is_clean(path: &[u8]) -> bool {
    // A dot or a slash at the start of a part is the only sign of anything to do.
    let mut starts = true;
    for &byte in path {
        if starts && matches!(byte, b'/' | b'.') {
            return path.split(|it| *it == b'/').all(|it| !matches!(it, b"" | b"." | b".."));
        }
        starts = byte == b'/';
    }
    !starts || path.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned() {
        let check = |path: &str, expect: &str| assert_eq!(clean_path(path), expect, "{path:?}");
        check("", "");
        check("a", "a");
        check("a/b", "a/b");
        check(".", "");
        check("./", "");
        check("/", "");
        check("./a/b/", "a/b");
        check("/a//b/./c", "a/b/c");
        check("../../etc/passwd", "etc/passwd");
        check("a/../../b", "b");
        check("a/..", "");
        check(".wh.x", ".wh.x");
        check("a/.b/..c", "a/.b/..c");
        check("a/...", "a/...");
    }

    #[test]
    fn links_stay_in_the_root() {
        let check = |path, target, expect: &str| assert_eq!(resolve_link(path, target), expect);
        check("etc/os-release", "../usr/lib/os-release", "usr/lib/os-release");
        check("etc/os-release", "/usr/lib/os-release", "usr/lib/os-release");
        check("lib", "usr/lib", "usr/lib");
        check("a/b", "../../../../x", "x");
        check("a/b", "c", "a/c");
        check("a/b", "", "a");
    }
}
