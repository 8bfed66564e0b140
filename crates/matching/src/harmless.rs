//! Binaries that hold nothing that could have a flaw of their source: headers and documentation.
//!
//! Only what is certain by the name's own rule. Static libraries (`-dev`), data and tools can have
//! the flaw, or one of their own.

/// Such binaries: of this type, built from a source whose name starts so, called so; and why.
/// One `*` stands for anything.
const TABLE: &[(&str, &str, &str, &str)] = &[
    ("deb", "linux", "linux-headers-*", "kernel headers: nothing of the kernel runs from them"),
    ("deb", "linux", "linux-*headers-*", "kernel headers: nothing of the kernel runs from them"),
    ("deb", "linux", "linux-libc-dev*", "kernel headers: nothing of the kernel runs from them"),
    ("deb", "linux", "linux-doc*", "documentation of the kernel"),
    ("deb", "linux", "linux-kbuild-*", "scripts to build kernel modules with"),
    ("deb", "", "*-doc", "documentation, by Debian's policy on names"),
    ("deb", "", "*-dbgsym", "debugging symbols, which are not run"),
    ("apk", "", "*-doc", "manual pages, split off by abuild"),
    ("apk", "", "*-dbg", "debugging symbols, which are not run"),
    ("rpm", "kernel", "kernel*-headers", "kernel headers: nothing of the kernel runs from them"),
    ("rpm", "kernel", "kernel*-devel", "kernel headers: nothing of the kernel runs from them"),
    ("rpm", "kernel", "kernel*-devel-matched", "an empty package that asks for kernel headers"),
    ("rpm", "kernel", "kernel*-doc", "documentation of the kernel"),
    ("rpm", "", "*-javadoc", "documentation"),
    ("rpm", "", "*-debuginfo", "debugging symbols, which are not run"),
    ("rpm", "", "*-debugsource", "source to show in a debugger, which is not run"),
    ("rpm", "", "*-filesystem", "empty directories"),
];

/// Why a binary of that name has no flaw of that source. `None`: it may have them all.
pub(crate) fn reason(kind: &str, source: &str, binary: &str) -> Option<&'static str> {
    TABLE
        .iter()
        .find(|(its_kind, its_source, pattern, _)| {
            *its_kind == kind && source.starts_with(its_source) && fits(pattern, binary)
        })
        .map(|(.., why)| *why)
}

/// Each `*` of the pattern is any run of characters.
fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|it| name.strip_prefix(it)) else { return false };
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: &str, source: &str, binaries: &str, expect: bool) {
        for binary in binaries.split(' ') {
            assert_eq!(reason(kind, source, binary).is_some(), expect, "{binary}");
        }
    }

    #[test]
    fn headers_and_documentation() {
        check("deb", "linux", "linux-headers-6.1.0-18-amd64 linux-libc-dev linux-doc-6.1", true);
        check("deb", "linux-aws-5.15", "linux-aws-5.15-headers-5.15.0-1031", true);
        check("deb", "linux", "linux-image-6.1.0-18-amd64 linux-modules-5.15.0 linux-perf", false);
        check("deb", "openssl", "libssl-doc", true);
        check("deb", "openssl", "libssl-dev libssl3 openssl doc-x", false);
        check("rpm", "kernel", "kernel-headers kernel-devel kernel-rt-devel kernel-doc", true);
        check("rpm", "kernel", "kernel kernel-core kernel-modules kernel-tools bpftool", false);
        check("rpm", "emacs", "emacs-filesystem", true);
        check("apk", "linux", "linux-headers", false);
        check("apk", "curl", "curl-doc", true);
        check("npm", "", "x-doc", false);
    }
}
