//! `cargo xtask demo`: the main job, on an image that needs no network: this machine's own system.

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

#[expect(clippy::print_stderr, reason = "a chore says what it does")]
pub(crate) fn demo(_: &[String]) -> anyhow::Result<()> {
    run("cargo", &["build", "--release", "--locked", "--package", "cli"])?;
    let folder = target().join("demo");
    let image = folder.join("this-machine.tar");
    if !image.exists() {
        eprintln!("packing this machine's system into {}", image.display());
        let mut packing = Packing::new(&folder)?;
        packing.add_paths(PARTS)?;
        packing.finish("this-machine:latest", &image)?;
    }
    let foretop = target().join("release/foretop");
    let foretop = foretop.to_str().context("the target directory's name is not UTF-8")?;
    run(foretop, &["sbom", "--format", "list", &format!("archive://{}", image.display())])
}
