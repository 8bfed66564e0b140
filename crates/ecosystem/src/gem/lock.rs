//! Bundler's lock file: sections, in which specs are indented by four.

use model::{Found, Gap, Package, PackageKind};

use crate::document;
use crate::listing::{Listing, brief, is_inside_a_package};
use crate::{Beside, File};

pub(super) fn read(file: &File<'_>, _: &dyn Beside) -> Found {
    if is_inside_a_package(file.path()) {
        return Found::default();
    }
    document::found(read_sections(file))
}

fn read_sections(file: &File<'_>) -> Result<Found, Gap> {
    let text = document::text(file)?;
    let mut listing = Listing::of(file.path());
    let (mut section, mut remote, mut revision) = ("", "", "");
    for line in text.lines() {
        let indent = line.bytes().take_while(|it| *it == b' ').count();
        let line = line.trim();
        match indent {
            0 if line.is_empty() => {}
            0 => {
                if ["<<<<<<<", "=======", ">>>>>>>"].iter().any(|it| line.starts_with(it)) {
                    listing.refuse("an unresolved merge conflict");
                    continue;
                }
                (section, remote, revision) = (line, "", "");
            }
            2 => match line.split_once(": ") {
                Some(("remote", value)) => remote = value,
                Some(("revision", value)) => revision = value,
                _ => {}
            },
            4 if section == "GEM" => add(line, "", &mut listing),
            4 if section == "GIT" => {
                let prefix = if remote.starts_with("git") { "" } else { "git+" };
                add(line, &format!("{prefix}{remote}@{revision}"), &mut listing);
            }
            _ => {}
        }
    }
    Ok(listing.finish())
}

/// `nokogiri (1.13.9-x86_64-linux)`.
fn add(spec: &str, origin: &str, listing: &mut Listing<'_>) {
    let parts =
        spec.split_once(" (").and_then(|(name, rest)| Some((name, rest.strip_suffix(')')?)));
    let purl = parts.and_then(|(name, version)| {
        let (version, platform) = version.split_once('-').unwrap_or((version, ""));
        super::purl(name, version, platform)
    });
    match purl {
        Some(purl) => listing.add(
            Package::new(purl.with_qualifier("vcs_url", origin)).of_kind(PackageKind::Declared),
        ),
        None => listing.refuse(format!("`{}` is no gem with a version", brief(spec))),
    }
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::shown::check;

    #[test]
    fn sections() {
        check(
            read,
            "app/Gemfile.lock",
            "GIT\n  remote: https://example.org/g.git\n  revision: abc\n  branch: main\n  specs:\n    g (1.0)\n      rack\n\n\
             PATH\n  remote: .\n  specs:\n    app (0.1)\n\n\
             GEM\n  remote: https://rubygems.org/\n  specs:\n    rack (2.2.4)\n    rails (7.0.4)\n      rack (~> 2.0, >= 2.2.0)\n    \
             nokogiri (1.13.9-x86_64-linux)\n    nokogiri (1.13.9)\n\n\
             PLATFORMS\n  ruby\n  x86_64-linux\n\nDEPENDENCIES\n  rails (~> 7)\n\nCHECKSUMS\n  rack (2.2.4) sha256=abc\n\nBUNDLED WITH\n   2.3.15\n",
            "pkg:gem/g@1.0?vcs_url=git%2Bhttps://example.org/g.git%40abc (declared)\npkg:gem/rack@2.2.4 (declared)\npkg:gem/rails@7.0.4 (declared)\n\
             pkg:gem/nokogiri@1.13.9?platform=x86_64-linux (declared)\npkg:gem/nokogiri@1.13.9 (declared)",
        );
    }

    #[test]
    fn what_cannot_be_a_gem_is_a_gap() {
        check(
            read,
            "Gemfile.lock",
            "GEM\n  specs:\n    rack\n    a b (1)\n    c (\n    d ()\n    e (1.0)\n=======\n",
            "pkg:gem/e@1.0 (declared)\ngap: Gemfile.lock: `rack` is no gem with a version\ngap: Gemfile.lock: `a b (1)` is no gem with a version\n\
             gap: Gemfile.lock: `c (` is no gem with a version\ngap: Gemfile.lock: `d ()` is no gem with a version\ngap: Gemfile.lock: an unresolved merge conflict",
        );
        check(read, "Gemfile.lock", "\0\n    \u{e9}\n", "");
    }

    #[test]
    fn a_lock_file_inside_a_gem_is_not_ours() {
        let lock = "GEM\n  specs:\n    rack (2.2.4)\n";
        check(read, "usr/lib/ruby/gems/3.1.0/gems/x-1.0.0/Gemfile.lock", lock, "");
        check(read, "app/gems/part/Gemfile.lock", lock, "pkg:gem/rack@2.2.4 (declared)");
    }
}
