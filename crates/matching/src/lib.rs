//! Inventory and almanac in, findings out: pure.
//!
//! One walk serves both [`analyze`], which wants findings and nothing else, and [`judge`], which
//! wants to know why: a package has a space, the space has names for it, each name has rows, each row
//! has an outcome for this package; rows about one flaw are a group, and in each group one voice
//! decides. Statements come last.

mod authority;
mod builds;
mod compare;
mod decide;
mod each;
mod explain;
mod extent;
mod findings;
mod flaws;
mod gaps;
mod harmless;
mod memory;
mod names;
mod origin;
mod ratings;
mod register;
mod releases;
mod scope;
mod silence;
mod spaces;
mod statements;
mod titles;
mod walk;
mod words;

use almanac::Book;
use model::{Finding, Gap, Inventory, Judgement, Package, Statement};

pub use each::{analyze_each, filed_under, is_system, names_of, space_of, verdicts_each};
pub use explain::{Asked, packages_called};
pub use extent::least;
pub use memory::Memory;
pub use register::{Counted, Number, Register};

/// What is asked: what is wrong with this inventory, going by this book and these statements?
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// What is there.
    pub inventory: &'a Inventory,
    /// What is known.
    pub book: &'a dyn Book,
    /// What is said about it. Only these count: the inventory's own are among them if the caller
    /// wants them to be, and those of authors whom nobody trusts are not.
    pub statements: &'a [Statement],
    /// How to look.
    pub options: Options<'a>,
}

/// The last day on which somebody mends a distribution's release, where that is published.
pub fn supported_until(distro: &model::Distro) -> Option<&'static str> {
    releases::until(&distro.id, distro.version.as_deref()?)
}

/// Which findings somebody wants.
pub type Wanted<'a> = &'a (dyn Fn(&Finding) -> bool + Sync);

/// How to look.
#[derive(Clone, Copy, Default)]
pub struct Options<'a> {
    /// Also at packages that are only declared.
    pub declared: bool,
    /// Findings that this wants carry titles, details and references, which take longer to look up.
    pub texts: Option<Wanted<'a>>,
    /// The date (RFC 3339, or its first ten characters), for what expires. Without one nothing does.
    pub today: Option<&'a str>,
    /// CPEs of products that the image is, beside the one of its distribution.
    pub cpes: &'a [String],
    /// What others with the same packages were told by the same book, so that each of those is judged
    /// once. The answer is the same with and without it.
    pub memory: Option<&'a Memory>,
}

/// What is wrong, worst first, and what could not be told.
pub fn analyze(question: &Question<'_>) -> (Vec<Finding>, Vec<Gap>) {
    let walk = walk::Walk::new(question, false);
    match question.options.memory {
        Some(memory) => memory::find(&walk, memory),
        None => findings::find(&walk),
    }
}

/// What is wrong, for whoever only counts: findings have the numbers that `number` gives to each finding of a
/// package, always the same to the same. Those of one register are given by one counter, by one book.
pub fn count(
    question: &Question<'_>,
    register: &Register,
    number: &dyn Fn(&Finding, &Package) -> Number,
) -> (Vec<Counted>, Vec<Gap>) {
    let walk = walk::Walk::new(question, false);
    register.count(&walk, number)
}

/// What was decided about what is asked, and why, in the order of packages and flaws.
pub fn judge(question: &Question<'_>, asked: Asked<'_>) -> Vec<Judgement> {
    let walk = walk::Walk::new(question, true);
    explain::judge(&walk, asked)
}

#[cfg(test)]
mod tests;
