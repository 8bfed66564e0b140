//! What is known of the world: the almanac on the disk, opened anew when it changes.

mod kept;

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use almanac::Almanac;
use engine::Lookout;
use model::Moment;

pub(crate) use kept::Kept;

/// The almanac on the disk is looked at again after this long.
const GLANCE: Duration = Duration::from_secs(1);

/// What is known of the world.
pub struct World {
    /// Where the almanac is; without one, only what is built in is known.
    directory: Option<PathBuf>,
    seen: Mutex<Option<Seen>>,
    /// Almanacs that things were last judged by.
    pub(crate) kept: Kept,
}

struct Seen {
    /// Whose words and days change from question to question.
    lookout: Lookout,
    /// The manifest's time and length: another almanac has others.
    mark: Mark,
    looked: Instant,
}

/// So many bytes are given to what was decided about packages, of which many images have the same.
const MEMORY: usize = 96 << 20;

type Mark = Option<(std::time::SystemTime, u64)>;

impl World {
    /// The world as the almanac in `directory` knows it.
    pub fn new(directory: Option<PathBuf>) -> Self {
        Self { directory, seen: Mutex::new(None), kept: Kept::default() }
    }

    /// The same, where the almanac that things were last judged by is kept in `directory` until they
    /// are judged by the next. Without it nobody can tell what the next one changes.
    #[must_use]
    pub fn keeping(self, directory: PathBuf) -> Self {
        Self { kept: Kept::new(directory), ..self }
    }

    /// With this a question is answered at that time, without anybody's statements.
    pub(crate) fn lookout(&self, now: Moment) -> Result<Lookout, almanac::Error> {
        let today = now.to_string();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(there) = seen.as_mut() {
            if there.looked.elapsed() < GLANCE {
                return Ok(there.lookout.on(today));
            }
            there.looked = Instant::now();
            if there.mark == self.mark() {
                return Ok(there.lookout.on(today));
            }
        }
        // Looked at before it is opened: what changes in between is noticed the next time.
        let mark = self.mark();
        let lookout = self.open(today.clone())?.with_memory(MEMORY);
        let answer = lookout.on(today);
        *seen = Some(Seen { lookout, mark, looked: Instant::now() });
        Ok(answer)
    }

    fn open(&self, today: String) -> Result<Lookout, almanac::Error> {
        let Some(directory) = &self.directory else { return Ok(Lookout::with_starter(today)) };
        match Almanac::open(directory) {
            // One that is not whole would be silent about what it lacks.
            Ok(almanac) if !almanac::missing(directory, almanac.manifest()).is_empty() => {
                Err(almanac::Error::Corrupt {
                    at: directory.display().to_string(),
                    why: "sheets are missing or cut short".to_owned(),
                })
            }
            Ok(almanac) => Ok(Lookout::new(almanac, today)),
            Err(almanac::Error::Absent(_)) => Ok(Lookout::with_starter(today)),
            Err(error) => Err(error),
        }
    }

    fn mark(&self) -> Mark {
        let manifest = self.directory.as_ref()?.join(almanac::MANIFEST);
        let there = fs_err::metadata(manifest).ok()?;
        Some((there.modified().ok()?, there.len()))
    }
}
