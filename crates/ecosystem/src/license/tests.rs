//! What each spelling becomes.

use super::{normalise, normalise_many};

fn check(text: &str, expect: &str) {
    assert_eq!(normalise(text), expect, "for `{text}`");
    assert_eq!(normalise(expect), expect, "normal form is stable");
}

#[test]
fn ids_in_any_case() {
    check("MIT", "MIT");
    check("mit", "MIT");
    check(" apache-2.0 ", "Apache-2.0");
    check("BSD-3-clause", "BSD-3-Clause");
    check("ISC", "ISC");
    check("LicenseRef-ours", "LicenseRef-ours");
    check("Apache-2.0+", "Apache-2.0+");
}

#[test]
fn expressions() {
    check("MIT OR Apache-2.0", "MIT OR Apache-2.0");
    check("(MIT OR Apache-2.0)", "(MIT OR Apache-2.0)");
    check("MIT/Apache-2.0", "MIT OR Apache-2.0");
    check("mit or apache-2.0 with llvm-exception", "MIT OR Apache-2.0 WITH LLVM-exception");
    check(
        "GPL-2.0-or-later AND (MIT or BSD-2-Clause)",
        "GPL-2.0-or-later AND (MIT OR BSD-2-Clause)",
    );
    check("Apache 2.0 || MIT License", "Apache-2.0 OR MIT");
    check("MIT & ISC", "MIT AND ISC");
}

#[test]
fn debian() {
    check("Expat", "MIT");
    check("GPL-2", "GPL-2.0-only");
    check("GPL-2+", "GPL-2.0-or-later");
    check("GPL-2+ and Expat", "GPL-2.0-or-later AND MIT");
    check("LGPL-2.1+", "LGPL-2.1-or-later");
    check("LGPL-2", "LGPL-2.0-only");
    check("GFDL-1.3+", "GFDL-1.3-or-later");
    check("Apache-2", "Apache-2.0");
    check("GPL", "GPL");
    check("public-domain", "public-domain");
}

#[test]
fn rpm() {
    check("GPLv2+", "GPL-2.0-or-later");
    check("GPLv3", "GPL-3.0-only");
    check("LGPLv2+ and MIT", "LGPL-2.0-or-later AND MIT");
    check("ASL 2.0", "Apache-2.0");
    check("GPL+ or Artistic", "GPL-1.0-or-later OR Artistic-1.0-Perl");
    check("(GPLv2+ or MPLv2.0) and BSD", "(GPLv2+ or MPLv2.0) and BSD");
    check("GPLv2+ with exceptions", "GPLv2+ with exceptions");
    check("zlib", "Zlib");
}

#[test]
fn alpine() {
    check("GPL-2.0-only", "GPL-2.0-only");
    check("GPL2", "GPL-2.0-only");
    check("MIT BSD", "MIT BSD");
    check("GPL-2.0", "GPL-2.0-only");
    check("GPL-2.0+", "GPL-2.0-or-later");
}

#[test]
fn classifiers() {
    check("License :: OSI Approved :: MIT License", "MIT");
    check(
        "License :: OSI Approved :: GNU General Public License v2 or later (GPLv2+)",
        "GPL-2.0-or-later",
    );
    check("GNU Lesser General Public License v3 (LGPLv3)", "LGPL-3.0-only");
    check("Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0");
    check("ISC License (ISCL)", "ISC");
    check("BSD License", "BSD License");
    check("License :: OSI Approved :: BSD License", "License :: OSI Approved :: BSD License");
    check("Apache Software License", "Apache Software License");
    check("CC0 1.0 Universal (CC0 1.0) Public Domain Dedication", "CC0-1.0");
}

#[test]
fn human_spellings() {
    check("The MIT License (MIT)", "MIT");
    check("MIT licence", "MIT");
    check("MIT/X11", "MIT");
    check("The Apache Software License, Version 2.0", "Apache-2.0");
    check("Apache License v2.0", "Apache-2.0");
    check("Apache-2.0 license", "Apache-2.0");
    check("New BSD License", "BSD-3-Clause");
    check("BSD (3-clause)", "BSD-3-Clause");
    check("GNU GPL v3", "GPL-3.0-only");
    check("GPL v2 or later and MIT", "GPL-2.0-or-later AND MIT");
    check("GNU General Public License, version 2 or any later version", "GPL-2.0-or-later");
    check("GNU Lesser General Public License (LGPL), Version 3", "LGPL-3.0-only");
    check("WTFPL", "WTFPL");
    check("Eclipse Public License - v 2.0", "EPL-2.0");
}

#[test]
fn addresses() {
    check("http://www.apache.org/licenses/LICENSE-2.0.txt", "Apache-2.0");
    check("https://opensource.org/licenses/MIT", "MIT");
    check("http://www.opensource.org/licenses/mit-license.php", "MIT");
    check("https://licenses.nuget.org/BSD-3-Clause", "BSD-3-Clause");
    check("https://www.gnu.org/licenses/gpl-3.0.html", "GPL-3.0-only");
    check("https://spdx.org/licenses/LGPL-2.1-or-later.html", "LGPL-2.1-or-later");
    check("https://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0");
    check("https://example.org/LICENSE", "https://example.org/LICENSE");
}

#[test]
fn what_is_not_certain_stays() {
    for text in [
        "",
        "BSD",
        "Apache",
        "SEE LICENSE IN LICENSE.md",
        "UNLICENSED",
        "Dual License",
        "MIT AND",
        "(MIT",
        "MIT)",
        "OR",
        "MIT WITH nothing",
        "é",
        "MIT é",
        "+",
        "++",
        "(((((",
        "LicenseRef-",
        "or later",
        "MIT or later",
    ] {
        check(text, text);
    }
    let long = "MIT ".repeat(1000);
    assert_eq!(normalise(&long), long.trim());
}

#[test]
fn many() {
    assert_eq!(normalise_many(["MIT", "", "The MIT License", "BSD"]), ["MIT", "BSD"]);
}
