//! Tests of dpkg's databases.

use model::hash_path;

use crate::Beside;
use crate::shown::{facts, facts_of, read};

fn status(text: &str, expect: &str) {
    assert_eq!(facts_of("deb-status", "var/lib/dpkg/status", text), expect);
}

fn copyright(text: &str, expect: &str) {
    assert_eq!(facts_of("deb-copyright", "usr/share/doc/x/copyright", text), expect);
}

#[test]
fn a_full_record() {
    status(
        "Package: libssl3\nStatus: install ok installed\nPriority: optional\nSection: libs\n\
         Installed-Size: 6022\nMaintainer: Debian OpenSSL Team <pkg@example.org>\n\
         Architecture: amd64\nMulti-Arch: same\nSource: openssl\nVersion: 3.0.11-1~deb12u2\n\
         Depends: libc6 (>= 2.34)\nDescription: Secure Sockets Layer toolkit - shared libraries\n \
         This package is part of the OpenSSL project's implementation.\n .\n more\n\
         Homepage: https://www.openssl.org/\n",
        "pkg:deb/libssl3@3.0.11-1~deb12u2?arch=amd64&upstream=openssl\n  \
         source: openssl\n  \
         author: Debian OpenSSL Team <pkg@example.org>\n  \
         description: Secure Sockets Layer toolkit - shared libraries\n  \
         url: https://www.openssl.org/\n  \
         installed size: 6166528\n",
    );
}

#[test]
fn sources() {
    let record = |source: &str| {
        format!("Package: bash\nStatus: install ok installed\n{source}Version: 5.2-2+b13\n")
    };
    status(&record(""), "pkg:deb/bash@5.2-2%2Bb13\n  source: bash\n");
    status(&record("Source: bash\n"), "pkg:deb/bash@5.2-2%2Bb13\n  source: bash\n");
    status(
        &record("Source: bash (5.2-2)\n"),
        "pkg:deb/bash@5.2-2%2Bb13?upstream=bash%405.2-2\n  source: bash 5.2-2\n",
    );
    status(
        &record("Source: shells (1:9.0)\n"),
        "pkg:deb/bash@5.2-2%2Bb13?upstream=shells%401:9.0\n  source: shells 1:9.0\n",
    );
}

#[test]
fn states() {
    let record = |state: &str| format!("Package: x\nStatus: {state}\nVersion: 1\n\n");
    let installed = "pkg:deb/x@1\n  source: x\n";
    status(&record("install ok installed"), installed);
    status(&record("hold ok installed"), installed);
    status(&record("deinstall ok installed"), installed);
    status(&record("install ok half-configured"), installed);
    status(&record("install ok half-installed"), installed);
    status(&record("install ok unpacked"), installed);
    status(&record("install ok triggers-pending"), installed);
    status(&record("deinstall ok config-files"), "");
    status(&record("purge ok not-installed"), "");
    status("Package: x\nVersion: 1\n", installed);
}

#[test]
fn holes_are_told() {
    status("", "");
    status("\n\n  \n", "");
    status(
        "Package: x\nVersion: 1\n\nVersion: 2\n\n\nPackage: y\n",
        "pkg:deb/x@1\n  source: x\n\
         gap: var/lib/dpkg/status:4: a record without a package name\n\
         gap: var/lib/dpkg/status:7: the record of `y` has no version\n",
    );
    status(
        "\0\0\0: \n:\n\u{feff}",
        "gap: var/lib/dpkg/status:1: a record without a package name\n",
    );
}

#[test]
fn other_line_ends_and_other_bytes() {
    status("Package: x\r\nVersion: 1\r\n\r\nPackage: y\r\nVersion: 2", {
        "pkg:deb/x@1\n  source: x\npkg:deb/y@2\n  source: y\n"
    });
    let latin1 = b"Package: x\nVersion: 1\nMaintainer: J\xf6rg\n";
    assert_eq!(
        facts_of("deb-status", "var/lib/dpkg/status", latin1),
        "pkg:deb/x@1\n  source: x\n  author: J\u{fffd}rg\n"
    );
}

struct Record;

impl Beside for Record {
    fn bytes(&self, path: &str) -> Option<&[u8]> {
        (path == "var/lib/dpkg/status.d/bGliYzY=").then_some(b"Package: libc6\nVersion: 2.36-9\n")
    }
}

#[test]
fn without_dpkg() {
    let path = "var/lib/dpkg/status.d/bGliYzY=";
    assert_eq!(
        facts_of("deb-status-directory", path, "Package: libc6\nVersion: 2.36-9\nSource: glibc\n"),
        "pkg:deb/libc6@2.36-9?upstream=glibc\n  source: glibc\n"
    );
    let sums = b"0123456789abcdef0123456789abcdef  lib/libc.so.6\n\
                 0123456789abcdef0123456789abcdef  usr/x y\n";
    let path = "var/lib/dpkg/status.d/bGliYzY=.md5sums";
    let found = read("deb-status-directory", path, sums, &Record);
    let paths = ["lib/libc.so.6", "usr/lib/libc.so.6", "usr/x y"];
    assert_eq!(facts(&found), "libc6 owns 3\n");
    assert_eq!(found.owned[0].paths, paths.map(hash_path));
    assert_eq!(facts_of("deb-status-directory", path, sums), "bGliYzY= owns 3\n");
}

#[test]
fn file_lists() {
    let path = "var/lib/dpkg/info/zlib1g:amd64.list";
    let found =
        read("deb-files", path, b"/.\n/usr\n/usr/lib\n/usr/lib/libz.so.1\n", &crate::Nothing);
    assert_eq!(facts(&found), "zlib1g:amd64 owns 3\n");
    assert!(found.owned[0].paths.contains(&hash_path("usr/lib/libz.so.1")));
    assert_eq!(facts_of("deb-files", path, "/.\n"), "");
}

#[test]
fn licences_of_files() {
    copyright(
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n\
         Files: *\nCopyright: somebody\nLicense: Expat\n\n\
         Files: a/*\nLicense: GPL-2+ or Artistic-2.0\n\n\
         Files: b/*\nLicense: GPL-3+, and something-own\n Text\n\n\
         Files: debian/*\nLicense: Expat\n\n\
         License: GPL-2+\n On Debian systems, see /usr/share/common-licenses/GPL-2.\n",
        "deb x: GPL-2.0-or-later OR Artistic-2.0, GPL-3+ and something-own, MIT\n",
    );
    copyright("Format: x\nLicense: Zlib\n", "deb x: Zlib\n");
    copyright("Format: x\n\nFiles: *\nCopyright: y\n", "");
}

#[test]
fn licences_referred_to() {
    copyright(
        "This is the Debian package of x.\n\nYou may find it in `/usr/share/common-licenses/GPL-2'.\n\
         Also /usr/share/common-licenses/Apache-2.0.\nAnd /usr/share/common-licenses/GPL\n",
        "deb x: Apache-2.0, GPL, GPL-2\n",
    );
    copyright("All rights reserved.\n", "");
}
