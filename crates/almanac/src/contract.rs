//! The contract: how advisories are looked up, whatever holds them.

use std::borrow::Cow;
use std::collections::HashSet;

use model::{Exploited, Forecast, Names, Outlook, Rating, Space, Status};

/// Something that advisories can be looked up in, by many at once.
pub trait Book: Sync {
    /// Appends every row that speaks about that name in that space, of every feed. An entry that
    /// cannot be read is a row with `torn` set, never silence.
    fn look_up<'a>(&'a self, space: &Space, name: &str, rows: &mut Vec<Row<'a>>);
    /// Tells of each of those rows which advisory's it is, with the names of its flaw: much quicker
    /// than the rows themselves. False where not all could be told: then look up all.
    fn glance<'a>(&'a self, _space: &Space, _name: &str, _each: &mut Each<'_, 'a>) -> bool {
        false
    }
    /// Appends those of the rows that are of these advisories.
    fn look_up_some<'a>(
        &'a self,
        space: &Space,
        name: &str,
        wanted: &HashSet<Handle>,
        rows: &mut Vec<Row<'a>>,
    ) {
        let mut all = Vec::new();
        self.look_up(space, name, &mut all);
        rows.extend(all.into_iter().filter(|it| wanted.contains(&it.advisory)));
    }
    /// The feeds that speak about that space, by id. None: nobody does.
    fn feeds(&self, space: &Space) -> Vec<&str>;
    /// How many advisories speak about that space, those of all feeds together. `None`: they were not
    /// counted.
    fn advisories(&self, _: &Space) -> Option<u64> {
        None
    }
    /// What is known of a flaw beside the rows about packages, by any of its names.
    fn about(&self, flaw: &str) -> About;
    /// What an advisory says about itself.
    fn known(&self, advisory: Handle) -> Option<Known>;
    /// The words of each. Slower: texts are compressed, so it is better to ask for many at once.
    fn texts(&self, advisories: &[Handle]) -> Vec<Option<Text>>;
}

/// Takes an advisory, the feed's name for its flaw, and the other names of that.
pub type Each<'e, 'a> = dyn FnMut(Handle, &'a str, &[&'a str]) + 'e;

/// Which advisory of which sheet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle {
    /// Number of the sheet.
    pub sheet: u32,
    /// Number of the advisory in it.
    pub advisory: u32,
}

/// What one advisory says about one package: `model::Affected`, compiled.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// Whose row: the feed's id.
    pub feed: &'a str,
    /// Of which advisory.
    pub advisory: Handle,
    /// The feed's own name for the flaw.
    pub id: &'a str,
    /// Its other names.
    pub aliases: Vec<&'a str>,
    /// It was taken back.
    pub withdrawn: bool,
    /// Not a flaw but malice.
    pub malicious: bool,
    /// Which packages are meant.
    pub names: Names,
    /// What is said about the versions.
    pub status: Status,
    /// Versions, as stretches.
    pub stretches: Vec<Stretch<'a>>,
    /// Versions, one by one.
    pub versions: Vec<End<'a>>,
    /// What the publisher means to do.
    pub outlook: Option<Outlook>,
    /// Its own words.
    pub reason: Option<&'a str>,
    /// Its own severity for this package.
    pub rating: Option<Rating>,
    /// Errata.
    pub bulletins: Vec<&'a str>,
    /// Only these architectures.
    pub arch: Vec<&'a str>,
    /// Only this module stream.
    pub module: Option<&'a str>,
    /// Only this channel.
    pub channel: Option<&'a str>,
    /// Only these products.
    pub products: Vec<&'a str>,
    /// It could not be read whole, and this is why: whatever it says about a package, it may say more.
    pub torn: Option<&'static str>,
}

/// A key as `ecosystem::order` makes it; none for a version that could not be read when the sheet was
/// compiled.
pub type Key<'a> = Option<Cow<'a, [u8]>>;

/// `model::Span`, compiled.
#[derive(Clone, Debug)]
pub struct Stretch<'a> {
    /// Where it begins.
    pub from: Option<End<'a>>,
    /// Where it ends.
    pub to: Option<End<'a>>,
}

/// `model::Bound`, compiled.
#[derive(Clone, Debug)]
pub struct End<'a> {
    /// To compare with.
    pub key: Key<'a>,
    /// To show.
    pub version: &'a str,
    /// Does that version belong to it?
    pub included: bool,
}

/// What an advisory says about itself, without its long texts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    /// The feed's own name for the flaw.
    pub id: String,
    /// Its other names.
    pub aliases: Vec<String>,
    /// Other flaws it has to do with.
    pub related: Vec<String>,
    /// RFC 3339.
    pub published: Option<String>,
    /// RFC 3339.
    pub modified: Option<String>,
    /// RFC 3339.
    pub withdrawn: Option<String>,
    /// How bad, each with its source.
    pub ratings: Vec<Rating>,
    /// CWE numbers.
    pub weaknesses: Vec<u32>,
}

/// An advisory's words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// One line.
    pub title: String,
    /// The whole story.
    pub details: String,
    /// Web addresses.
    pub references: Vec<String>,
}

/// What is known of a flaw.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct About {
    /// Every advisory that goes by that name in a space without releases: NVD's, and those of
    /// languages. What distributions say is about their own packages.
    pub advisories: Vec<Handle>,
    /// It is used in attacks.
    pub exploited: Option<Exploited>,
    /// How likely that is.
    pub forecast: Option<Forecast>,
}
