//! Who gives numbers to what is found, and knows what is told of it.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use engine::{Lookout, Number, Register};
use model::{Finding, Inventory, Package};
use roaring::RoaringBitmap;

use super::Judged;
use super::told::{Said, Told};

/// So many bytes are given to what was found in packages: that is some million findings.
const MEMORY: usize = 256 << 20;

/// All that was found in what runs, by the words of one almanac.
pub(super) struct Clerk {
    register: Register,
    books: Mutex<Books>,
}

#[derive(Default)]
struct Books {
    flaws: Numbers,
    /// Flaws with their levels and fixes: of one flaw there may be several.
    found: Numbers,
    /// What is told of each of those.
    told: Told,
    gaps: Numbers,
}

/// Long things, each with a small number. Of a thing no more is kept than a hash that nobody can foresee,
/// too long for two of them to be alike.
#[derive(Default)]
struct Numbers {
    known: HashMap<u128, u32>,
    hashers: [RandomState; 2],
}

impl Default for Clerk {
    fn default() -> Self {
        Self { register: Register::new(MEMORY), books: Mutex::default() }
    }
}

impl Clerk {
    /// What is told by now.
    pub(super) fn said(&self) -> Said {
        self.books().told.said().clone()
    }

    /// What is wrong with an image.
    pub(super) fn judge(&self, lookout: &Lookout, inventory: &Inventory) -> Judged {
        let number = |finding: &Finding, package: &Package| self.books().number(finding, package);
        let (counted, gaps) = lookout.count(inventory, &self.register, &number);
        let bitmap = |is_suppressed: bool| {
            let some = counted.iter().filter(|it| it.is_suppressed == is_suppressed);
            let mut numbers: Vec<u32> = some.map(|it| it.finding).collect();
            numbers.sort_unstable();
            let mut bitmap: RoaringBitmap = numbers.into_iter().collect();
            bitmap.optimize();
            bitmap
        };
        let (found, hidden) = (bitmap(false), bitmap(true));
        let gaps = gaps.iter().chain(&inventory.gaps);
        let mut books = self.books();
        let mut gaps: RoaringBitmap = gaps.map(|it| books.gaps.number(it)).collect();
        drop(books);
        gaps.optimize();
        Judged { found, hidden, gaps }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    fn number(&mut self, it: &Finding, package: &Package) -> Number {
        let same = self.flaws.number(&(&it.id, &it.space, &it.name, &it.version));
        let finding = self.found.number(&(same, it.level, it.fixed()));
        self.told.know(finding, same, it, &package.purl);
        Number { finding, same }
    }
}

impl Numbers {
    fn number(&mut self, it: &impl Hash) -> u32 {
        let next = u32::try_from(self.known.len()).unwrap_or(u32::MAX);
        let [left, right] = self.hashers.each_ref().map(|hasher| u128::from(hasher.hash_one(it)));
        *self.known.entry(left << 64 | right).or_insert(next)
    }
}
