//! Toy catalogers: files in a small language that says what is to be found in them.

use ecosystem::{Beside, Cataloger, Claim, File};
use model::{Found, Gap, LayerInventory, Owned, Package, PackageKind, Purl, Remark, hash_path};
use tarball::{Limits, TarReader};
use testkit::LayerBuilder;

use crate::claims::Claims;
use crate::{ReadOptions, os_release};

/// A database, a file by name, one by its first bytes, and one that looks beside it.
pub(crate) fn claims() -> Claims {
    Claims::new(&[&os_release::CATALOGER, &DATABASE, &NAMED, &MAGIC, &PEEKING])
}

static DATABASE: Cataloger = Cataloger {
    id: "deb-toy",
    reads: "a toy database",
    version: 1,
    claims: &[Claim::Path("var/db/status"), Claim::Path("usr/db/status")],
    peeks: &[],
    read,
};
static NAMED: Cataloger =
    Cataloger { id: "npm-toy", claims: &[Claim::Path("**/toy.json")], ..DATABASE };
static MAGIC: Cataloger =
    Cataloger { id: "golang-toy", claims: &[Claim::Magic(b"TOY!")], ..DATABASE };
static PEEKING: Cataloger = Cataloger {
    id: "pypi-toy",
    claims: &[Claim::Path("**/METADATA")],
    peeks: &["**/RECORD"],
    ..DATABASE
};

/// Reads lines such as `npm left-pad 1.0 declared in=a.jar proof=usr/bin/x`.
fn read(file: &File<'_>, beside: &dyn Beside) -> Found {
    let bytes = file.bytes(1 << 20).unwrap_or_default();
    let mut found = Found::default();
    for line in String::from_utf8_lossy(&bytes).lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["TOY!"] => {}
            ["size"] => {
                let version = file.size().to_string();
                found.packages.push(Package::new(Purl::new("size", "s").with_version(&version)));
            }
            ["panic"] => panic!("a toy that is told to panic"),
            ["gap", why] => found.gaps.push(Gap::new(file.path(), why)),
            ["owns", package, path] => {
                let paths = vec![hash_path(path)];
                found.owned.push(Owned { package: package.to_owned(), paths });
            }
            ["license", kind, name, license] => found.remarks.push(Remark {
                ecosystem: kind.to_owned(),
                package: name.to_owned(),
                licenses: vec![license.to_owned()],
            }),
            ["beside", path] => match beside.bytes(path) {
                Some(bytes) => {
                    let text = String::from_utf8_lossy(bytes);
                    found.packages.push(Package::new(Purl::new("pypi", text.trim())));
                }
                None => found.gaps.push(Gap::new(path, "is not beside")),
            },
            [kind, name, version, ref rest @ ..] => {
                let purl = Purl::new(kind, name).with_version(version);
                let mut package = Package::new(purl);
                for word in rest {
                    match word.split_once('=') {
                        Some(("in", path)) => package = package.inside(path),
                        Some(("proof", path)) => package.proof.push(path.to_owned()),
                        Some(("arch", arch)) => {
                            package.purl = package.purl.with_qualifier("arch", arch);
                        }
                        _ => package.kind = PackageKind::parse(word).expect("a kind"),
                    }
                }
                found.packages.push(package);
            }
            _ => {}
        }
    }
    found
}

/// The layer, read.
pub(crate) fn read_with(layer: LayerBuilder, options: &ReadOptions) -> LayerInventory {
    let tar = layer.tar();
    let mut reader = TarReader::new(&tar[..], &Limits::default());
    claims().read_layer(&mut reader, options).expect("a whole archive")
}
