//! gem: libraries of Ruby, by their installed specifications or a `Gemfile.lock`.

use model::Purl;

use crate::listing::is_version;
use crate::{Cataloger, Claim, Ecosystem, EcosystemId};

mod installed;
mod lock;

pub(crate) struct Gem;

impl Ecosystem for Gem {
    fn id(&self) -> EcosystemId {
        "gem"
    }

    fn title(&self) -> &'static str {
        "Ruby gems"
    }

    fn catalogers(&self) -> &'static [Cataloger] {
        CATALOGERS
    }
}

const CATALOGERS: &[Cataloger] = &[
    Cataloger {
        id: "gem-gemfile-lock",
        reads: "`Gemfile.lock` and `gems.locked`, outside installed packages",
        version: 1,
        claims: &[Claim::Path("**/Gemfile.lock"), Claim::Path("**/gems.locked")],
        peeks: &[],
        read: lock::read,
    },
    Cataloger {
        id: "gem-installed",
        reads: "`specifications/*.gemspec` and `specifications/default/*.gemspec`, those that ship \
                with Ruby",
        version: 1,
        claims: &[
            Claim::Path("**/specifications/*.gemspec"),
            Claim::Path("**/specifications/default/*.gemspec"),
        ],
        peeks: &[],
        read: installed::read,
    },
];

/// The purl of `name` at `version`, if both are sound; `ruby` is every platform.
fn purl(name: &str, version: &str, platform: &str) -> Option<Purl> {
    let is_inner = |it: u8| it.is_ascii_alphanumeric() || b"._-".contains(&it);
    let is_sound = !name.is_empty() && !name.starts_with(['.', '-']) && name.bytes().all(is_inner);
    let platform = if platform == "ruby" { "" } else { platform };
    (is_sound && is_version(version) && version.bytes().all(is_inner))
        .then(|| Purl::new("gem", name).with_version(version).with_qualifier("platform", platform))
}
