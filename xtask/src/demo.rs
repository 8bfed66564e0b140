//! `cargo xtask demo`: the main jobs, on an image that needs no network: this machine's own system, and
//! an application on top with libraries of some years ago.

use anyhow::Context as _;

use crate::pack::Packing;
use crate::run::{run, target};

/// What of the system goes into the image: package databases, and where programs put themselves.
const PARTS: &[&str] = &[
    "etc/os-release",
    "usr/lib/os-release",
    "var/lib/dpkg",
    "lib/apk",
    "usr/lib/apk",
    "var/lib/rpm",
    "usr/lib/sysimage/rpm",
    "usr/share/doc",
    "usr/bin",
    "usr/lib/python3",
    "usr/share/nodejs",
    "usr/share/java",
    "usr/lib/ruby",
    "usr/local/bin",
    "usr/local/lib",
];

/// The application: what installers leave behind of a few libraries.
const APPLICATION: &[(&str, &str)] = &[
    (
        "srv/shop/node_modules/lodash/package.json",
        r#"{"name":"lodash","version":"4.17.15","license":"MIT"}"#,
    ),
    (
        "srv/shop/node_modules/minimist/package.json",
        r#"{"name":"minimist","version":"1.2.0","license":"MIT"}"#,
    ),
    (
        "srv/shop/lib/python3.11/site-packages/PyYAML-5.3.dist-info/METADATA",
        "Metadata-Version: 2.1\nName: PyYAML\nVersion: 5.3\nLicense: MIT\n\n",
    ),
    (
        "srv/shop/lib/python3.11/site-packages/urllib3-1.26.4.dist-info/METADATA",
        "Metadata-Version: 2.1\nName: urllib3\nVersion: 1.26.4\nLicense: MIT\n\n",
    ),
];

#[expect(clippy::print_stderr, reason = "a chore says what it does")]
pub(crate) fn demo(_: &[String]) -> anyhow::Result<()> {
    run("cargo", &["build", "--release", "--locked", "--package", "cli"])?;
    let folder = target().join("demo");
    let image = folder.join("shop.tar");
    if !image.exists() {
        eprintln!("packing this machine's system into {}", image.display());
        let mut packing = Packing::new(&folder)?;
        packing.add_paths(PARTS)?;
        packing.add_files(APPLICATION)?;
        packing.finish("shop:latest", &image)?;
    }
    let foretop = target().join("release/foretop");
    let foretop = foretop.to_str().context("the target directory's name is not UTF-8")?;
    let image = format!("archive://{}", image.display());
    run(foretop, &["sbom", "--format", "list", &image])?;
    run(foretop, &["cves", &image])?;
    run(foretop, &["quickview", &image])?;
    // What runs where is remembered in a place of the demo's own, and nobody is asked.
    let database = format!("FORETOP_DATABASE=sqlite://{}", folder.join("demo.db").display());
    let remembering =
        |words: &[&str]| run("env", &[&[&database, "FORETOP_OFFLINE=1", foretop], words].concat());
    remembering(&["push", &image, "--tag", "shop:latest"])?;
    remembering(&["env", "production", "shop:latest"])?;
    remembering(&["env", "production", "--history"])?;
    remembering(&["where", "CVE-2021-44906"])
}
