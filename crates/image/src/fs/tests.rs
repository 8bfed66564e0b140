//! Tests of directories as trees of entries.

use std::fmt::Write as _;

use super::*;

/// Every entry with its content, then the holes.
fn told(path: &Path) -> String {
    let mut walk = match Walk::of(path.to_str().unwrap(), Limits::default()) {
        Ok(walk) => walk,
        Err(error) => return format!("{error} ({})", error.hint().unwrap_or_default()),
    };
    let mut text = String::new();
    while let Some(entry) = walk.next().unwrap() {
        let Entry { path, kind, size, .. } = entry;
        let mut body = String::new();
        let body = match walk.body().read_to_string(&mut body) {
            Ok(_) => body,
            Err(error) => format!("({error})"),
        };
        let _ = match kind {
            EntryKind::File => writeln!(text, "{path} {size} {body}"),
            EntryKind::Directory => writeln!(text, "{path}/"),
            EntryKind::Symlink(target) => writeln!(text, "{path} -> {target}"),
            other => writeln!(text, "{path} {other:?}"),
        };
    }
    for (path, why) in walk.holes() {
        let _ = writeln!(text, "hole: {path}: {why}");
    }
    text
}

#[test]
fn tells_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    fs_err::create_dir_all(root.join("b/c")).unwrap();
    fs_err::write(root.join("b/c/deep"), "deep").unwrap();
    fs_err::write(root.join("b/also"), "also").unwrap();
    fs_err::write(root.join("z"), "last").unwrap();
    fs_err::write(root.join("a"), "first").unwrap();
    let expect = "a 5 first\nb/\nb/also 4 also\nb/c/\nb/c/deep 4 deep\nz 4 last\n";
    assert_eq!(told(root), expect);
}

#[test]
fn a_single_file_is_a_tree() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.jar");
    fs_err::write(&path, "PK").unwrap();
    assert_eq!(told(&path), "app.jar 2 PK\n");
}

#[test]
fn links_are_told_and_never_followed() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    fs_err::create_dir_all(root.join("d")).unwrap();
    fs_err::os::unix::fs::symlink("..", root.join("d/up")).unwrap();
    fs_err::os::unix::fs::symlink("/etc/passwd", root.join("d/out")).unwrap();
    assert_eq!(told(root), "d/\nd/out -> /etc/passwd\nd/up -> ..\n");
}

#[test]
fn what_is_no_file_is_not_opened() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let _listener = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
    assert_eq!(told(root), "socket Other\n");
    assert_eq!(
        told(&root.join("socket")),
        format!(
            "{}: it is neither a directory nor a file (give the path of a directory or a file)",
            root.join("socket").display()
        )
    );
}

#[test]
fn names_that_are_not_utf8() {
    use std::os::unix::ffi::OsStringExt as _;
    let directory = tempfile::tempdir().unwrap();
    let name = OsString::from_vec(b"caf\xe9".to_vec());
    fs_err::write(directory.path().join(name), "x").unwrap();
    assert_eq!(told(directory.path()), "caf\u{fffd} 1 x\n");
}

#[test]
fn what_went_away_is_a_hole() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    for name in ["a", "b"] {
        fs_err::write(root.join(name), "x").unwrap();
    }
    let mut walk = Walk::of(root.to_str().unwrap(), Limits::default()).unwrap();
    assert_eq!(walk.next().unwrap().unwrap().path, "a");
    fs_err::remove_file(root.join("a")).unwrap();
    fs_err::remove_file(root.join("b")).unwrap();
    let error = walk.body().read(&mut [0; 1]).unwrap_err();
    assert_eq!(error.to_string(), "it went away");
    assert_eq!(walk.next().unwrap(), None);
    assert_eq!(walk.holes(), [("b".to_owned(), "it cannot be read: it went away".to_owned())]);
}

#[test]
fn limits_hold() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["a", "b", "cccccc"] {
        fs_err::write(directory.path().join(name), "x").unwrap();
    }
    let path = directory.path().to_str().unwrap();
    let mut walk = Walk::of(path, Limits { entries: 1, ..Limits::default() }).unwrap();
    assert!(walk.next().unwrap().is_some());
    assert_eq!(walk.next().unwrap_err().to_string(), "it has more than 1 entries");
    let mut walk = Walk::of(path, Limits { path: 3, ..Limits::default() }).unwrap();
    while walk.next().unwrap().is_some() {}
    let expect = ("cccccc…".to_owned(), "its path is longer than 3 bytes".to_owned());
    assert_eq!(walk.holes(), [expect]);
}

#[test]
fn many_holes_are_counted() {
    let directory = tempfile::tempdir().unwrap();
    for number in 0..HOLES + 5 {
        fs_err::write(directory.path().join(format!("{number:08}")), "x").unwrap();
    }
    let path = directory.path().to_str().unwrap();
    let mut walk = Walk::of(path, Limits { path: 3, ..Limits::default() }).unwrap();
    assert_eq!(walk.next().unwrap(), None);
    let holes = walk.holes();
    assert_eq!(holes.len(), HOLES + 1);
    assert_eq!(holes[HOLES].1, "5 more cannot be read");
    assert_eq!(walk.holes(), []);
}

#[test]
fn a_missing_path() {
    assert_eq!(
        told(Path::new("no/such")),
        "no/such: there is no such file (give the path of a directory or a file)"
    );
    assert_eq!(
        told(Path::new("")),
        "fs://: no path is given (to read the current directory: fs://.)"
    );
}
