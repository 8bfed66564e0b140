//! An rpm repository's errata: mirrors, what `repomd.xml` names, and its digest.

use ecosystem::xml::{self, Element, Visit};

use super::get::{Getter, Wanted};
use super::{Error, ErrorKind};
use crate::contract::Part;

const UPDATES: &str = "updateinfo.xml.gz";
const INDEX: &str = "fetched.repomd.xml";
const MIRRORS: &str = "fetched.mirror.list";
/// Mirrors that are tried.
const TRIED: usize = 3;
/// Bytes of a list of mirrors, and of an index.
const SMALL: u64 = 4 << 20;

pub(super) async fn fetch(getter: &mut Getter<'_>, part: &Part) -> Result<(), Error> {
    let Some(url) = part.urls.first() else { return Ok(()) };
    let list = small(getter, url, MIRRORS).await?;
    let folder = url.rsplit_once('/').map_or("", |(folder, _)| folder);
    let arch = folder.rsplit('/').next().unwrap_or_default();
    let bases: Vec<String> = list.lines().filter_map(|it| base(it, arch)).take(TRIED).collect();
    let mut last = getter.error(ErrorKind::Corrupt, "its list of mirrors names none");
    for base in bases {
        match repository(getter, &base).await {
            Ok(()) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn repository(getter: &mut Getter<'_>, base: &str) -> Result<(), Error> {
    let index = small(getter, &format!("{base}/repodata/repomd.xml"), INDEX).await?;
    let mut found = Found::default();
    if let Err(why) = xml::read(index.as_bytes(), &mut found) {
        return Err(getter.error(ErrorKind::Corrupt, format!("repomd.xml cannot be read: {why}")));
    }
    if !found.wanted {
        return Err(getter.error(ErrorKind::NotFound, "the repository has no errata"));
    }
    let algorithm = match found.algorithm.as_str() {
        "sha256" => "sha256",
        "sha512" => "sha512",
        other => {
            let why = format!("its digest is made by `{}`, which is not enough", shown(other));
            return Err(getter.error(ErrorKind::Corrupt, why));
        }
    };
    let path = found.href.as_str();
    let fits = |it: u8| it.is_ascii_alphanumeric() || b"._-+/".contains(&it);
    if path.is_empty() || path.contains("..") || path.starts_with('/') || !path.bytes().all(fits) {
        return Err(getter.error(ErrorKind::Corrupt, "repomd.xml names no file of the repository"));
    }
    let checksum = found.checksum.to_ascii_lowercase();
    let former = getter.state.files.get(UPDATES).cloned();
    let same = former.filter(|it| it.checksum.as_ref() == Some(&checksum));
    if same.is_some_and(|it| getter.edition(UPDATES, &it.url).is_some()) {
        return Ok(());
    }
    let url = format!("{base}/{path}");
    getter.keep_checked(&url, UPDATES, Some((algorithm, &checksum))).await?;
    Ok(())
}

/// The text of a small file, fetched anew.
async fn small(getter: &Getter<'_>, url: &str, name: &str) -> Result<String, Error> {
    let wanted = Wanted { largest: Some(SMALL), ..Wanted::default() };
    getter.get(url, &getter.folder.join(name), &wanted, &mut None).await?;
    getter.text(name)
}

/// A mirror's address, never without TLS.
fn base(line: &str, arch: &str) -> Option<String> {
    let line = line.trim().trim_end_matches('/');
    let rest = line.strip_prefix("https://").or_else(|| line.strip_prefix("http://"))?;
    Some(format!("https://{}", rest.replace("$basearch", arch)))
}

fn shown(text: &str) -> String {
    text.chars().take(20).collect()
}

/// What `repomd.xml` says of the errata.
#[derive(Default)]
struct Found {
    inside: bool,
    wanted: bool,
    href: String,
    algorithm: String,
    checksum: String,
}

impl Visit for Found {
    fn open(&mut self, element: &Element) {
        match element.name.as_str() {
            "data" => {
                self.inside = element.get("type") == "updateinfo";
                self.wanted |= self.inside;
            }
            "location" if self.inside => element.get("href").clone_into(&mut self.href),
            "checksum" if self.inside => element.get("type").clone_into(&mut self.algorithm),
            _ => {}
        }
    }

    fn close(&mut self, name: &str, text: &str) {
        if self.inside && name == "checksum" {
            text.clone_into(&mut self.checksum);
        }
    }
}
