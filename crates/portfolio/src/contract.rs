//! The contract: what a portfolio is asked, and what it answers.

use model::{Fix, Gap, Level, OrganisationId, Outlook, Purl, Space, Verdict};
use roaring::RoaringBitmap;

/// What the portfolio calls a package: packages between which matching sees no difference have one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageNumber(pub(crate) u32);

/// A set was named that nobody has told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("package set {0}: there is none of that number")]
pub struct UnknownSet(
    /// Its number.
    pub i64,
);

/// How packages are judged: `matching::Options`, as far as they are the same for all images.
///
/// Statements are not among them: what the portfolio tells is what publishers say of packages. Whether
/// somebody has taken a finding out of the way depends on the single image, and is for the caller to
/// ask of those images that are told.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terms<'a> {
    /// Also packages that are only declared.
    pub declared: bool,
    /// The date (RFC 3339, or its first ten characters), for the ends of distributions' lives.
    pub today: Option<&'a str>,
}

/// Which packages are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sought<'a> {
    /// That one.
    Number(PackageNumber),
    /// Those of that name: full (`@babel/core`), short (`core`), or of the source they are built from;
    /// whatever its capitals.
    Named {
        /// The name.
        name: &'a str,
        /// Only those whose version is in this range, as those write it who make such packages:
        /// `<2.17.1`, `^4.0`, `vers:npm/…`.
        range: Option<&'a str>,
    },
    /// Those of that purl; what it does not say may be anything.
    Purl {
        /// The purl.
        purl: &'a Purl,
        /// Likewise.
        range: Option<&'a str>,
    },
}

/// Images, as the portfolio keeps them: `Portfolio::some_image_numbers` tells the caller's numbers. Good
/// until the portfolio changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Images(pub(crate) RoaringBitmap);

impl Images {
    /// How many.
    pub fn len(&self) -> u64 {
        self.0.len()
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These as well.
    pub fn add(&mut self, others: &Self) {
        self.0 |= &others.0;
    }
}

/// Where something is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spread {
    /// In which images, whether they run or not.
    pub images: Images,
    /// In which environments some of those run, by id; only those where one does.
    pub environments: Vec<InEnvironment>,
}

/// How much of something is in an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InEnvironment {
    /// The environment's id.
    pub environment: String,
    /// So many different images that run there.
    pub images: u64,
}

/// A package that is somewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// What the portfolio calls it.
    pub package: PackageNumber,
    /// What the world calls it.
    pub purl: Purl,
    /// Where it is.
    pub spread: Spread,
}

/// A package's full name in small letters, and its type.
pub type Title<'t> = (&'t str, &'t str);

/// A package in all its versions.
#[derive(Clone, Debug, PartialEq)]
pub struct Leaf {
    /// Its type: `npm`, `deb`.
    pub kind: String,
    /// Its full name.
    pub name: String,
    /// Its versions, the latest first; an empty one where it is not known.
    pub versions: Vec<String>,
    /// Where it is.
    pub spread: Spread,
}

/// What is found, and what could not be told.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer<T> {
    /// In a fixed order.
    pub found: Vec<T>,
    /// Holes, sorted, each once.
    pub gaps: Vec<Gap>,
}

/// A flaw in packages that have one name and version, and where those are.
#[derive(Clone, Debug, PartialEq)]
pub struct Affected {
    /// The name that it goes by there.
    pub flaw: String,
    /// Its other names, sorted.
    pub aliases: Vec<String>,
    /// Where packages and advisory met.
    pub space: Space,
    /// What the advisory speaks of: the source package's name, or the package's full name.
    pub name: String,
    /// The version that was compared.
    pub version: String,
    /// The packages, sorted.
    pub purls: Vec<Purl>,
    /// How it stands.
    pub state: State,
    /// Where they are.
    pub spread: Spread,
}

/// How a flaw stands in a package, as far as a change of it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// How bad it is.
    pub level: Level,
    /// What can be done about it.
    pub fix: Fix,
    /// It is known to be used in attacks.
    pub exploited: bool,
}

impl Default for State {
    /// Nothing is known of it.
    fn default() -> Self {
        Self { level: Level::Unspecified, fix: Fix::None(Outlook::Open), exploited: false }
    }
}

/// What another almanac changes, for one organisation: told once for all images that have the same
/// package.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Whose images.
    pub organisation: OrganisationId,
    /// What happened.
    pub kind: ChangeKind,
    /// The name that the flaw goes by, now if it is there.
    pub flaw: String,
    /// Its other names, former and present, sorted.
    pub aliases: Vec<String>,
    /// Where packages and advisory met.
    pub space: Space,
    /// What the advisory speaks of: the source package's name, or the package's full name.
    pub name: String,
    /// The version that was compared.
    pub version: String,
    /// The packages, sorted.
    pub purls: Vec<Purl>,
    /// How it stood; none where there was no finding.
    pub before: Option<State>,
    /// How it stands; none where there is no finding any more.
    pub after: Option<State>,
    /// Where those packages are.
    pub spread: Spread,
}

/// What can happen to a flaw in a package. Scores alone are no change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    /// A finding where there was none.
    New,
    /// It is used in attacks, as is known now.
    Exploited,
    /// It is worse than it was thought, or not so bad.
    Severity,
    /// There is a fix where there was none.
    FixAppeared,
    /// The fix is another version than before, or there is none any more.
    FixChanged,
    /// A finding no more, and this is why. That it cannot be told any more is no all-clear.
    Gone(Verdict),
}

/// What another almanac changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rematch {
    /// By organisation, kind, worst level first, flaw and package.
    pub changes: Vec<Change>,
    /// What cannot be told any more of the packages looked at, whosever they are: sorted, each once.
    pub gaps: Vec<Gap>,
    /// How many distinct packages had to be judged, before and after.
    pub judged: usize,
}

/// How much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Distinct packages.
    pub packages: usize,
    /// Package sets.
    pub sets: usize,
    /// Packages of sets, all together.
    pub members: u64,
    /// Images with an inventory.
    pub images: usize,
    /// Deployments.
    pub deployments: usize,
    /// Bytes held, about.
    pub bytes: usize,
}

impl ChangeKind {
    /// Is the finding gone because the package does not have the flaw, as somebody says or withdrew?
    pub fn is_all_clear(self) -> bool {
        let Self::Gone(why) = self else { return false };
        !matches!(why, Verdict::CannotTell | Verdict::UnderInvestigation | Verdict::NoSource)
    }
}
