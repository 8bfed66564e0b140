//! Where packages and advisories can meet: the space of each package.

mod system;

use std::collections::HashMap;

use almanac::Book;
use ecosystem::order::{self, Order};
use model::{Distro, Purl, Space};

use crate::{extent, releases};
use system::{System, major, major_or_full};

/// Where a package stands.
pub(crate) struct Ground {
    /// What to call it in a line: `type generic`, `debian 12`.
    pub(crate) label: String,
    /// Where its advisories are; or why there are none.
    pub(crate) meeting: Result<Meeting, String>,
    /// What the reader must know even so.
    pub(crate) cautions: Vec<String>,
    /// How the space was found, for a chain.
    pub(crate) how: String,
}

/// A space in which somebody publishes.
pub(crate) struct Meeting {
    pub(crate) space: Space,
    /// How its versions are ordered. `None`: nobody taught us.
    pub(crate) order: Option<&'static dyn Order>,
    /// Who publishes.
    pub(crate) feeds: Vec<String>,
    /// An operating system's: its publisher is the vendor.
    pub(crate) is_system: bool,
    /// The release in full: `9.4` where the space is `rhel:9`.
    pub(crate) release: Option<String>,
}

/// All grounds of an inventory, each found once.
pub(crate) struct Grounds<'q> {
    distro: Option<&'q Distro>,
    book: &'q dyn Book,
    today: Option<&'q str>,
    found: Vec<Ground>,
    /// By type, namespace and `distro` qualifier.
    known: HashMap<(&'q str, &'q str, &'q str), usize>,
}

impl<'q> Grounds<'q> {
    pub(crate) fn new(
        distro: Option<&'q Distro>,
        book: &'q dyn Book,
        today: Option<&'q str>,
    ) -> Self {
        Self { distro, book, today, found: Vec::new(), known: HashMap::new() }
    }

    /// The number of the ground on which that package stands.
    pub(crate) fn of(&mut self, purl: &'q Purl) -> usize {
        let key = if is_system(purl.kind()) {
            let namespace = purl.namespace().unwrap_or_default();
            (purl.kind(), namespace, purl.qualifier("distro").unwrap_or_default())
        } else {
            (purl.kind(), "", "")
        };
        if let Some(number) = self.known.get(&key) {
            return *number;
        }
        let ground = self.find(purl);
        self.found.push(ground);
        let number = self.found.len() - 1;
        self.known.insert(key, number);
        number
    }

    /// Those found, in the order of their numbers.
    pub(crate) fn into_found(self) -> Vec<Ground> {
        self.found
    }

    fn find(&self, purl: &Purl) -> Ground {
        if is_system(purl.kind()) {
            return match System::of(purl, self.distro) {
                Some(system) => self.system(&system),
                None => Ground {
                    label: format!("type {}", purl.kind()),
                    meeting: Err("no distribution is named, so no advisory source".to_owned()),
                    cautions: Vec::new(),
                    how: "neither the package nor the image names a distribution".to_owned(),
                },
            };
        }
        let space = Space::of(purl.kind());
        let how = "by its type".to_owned();
        let label = format!("type {}", purl.kind());
        let meeting = self.meeting(&space, false, None).ok_or_else(|| {
            if order::of(&space).is_some() {
                format!("no advisory source for {space} in the almanac")
            } else {
                "no advisory source".to_owned()
            }
        });
        let cautions = meeting.iter().filter_map(|it| extent::caution(self.book, it)).collect();
        Ground { label, meeting, cautions, how }
    }

    fn system(&self, system: &System) -> Ground {
        let label = match &system.release {
            Some(release) => format!("{} {release}", system.family),
            None => system.family.clone(),
        };
        let release_name = system.release.as_deref().map(|it| major_or_full(&system.family, it));
        let ended = release_name
            .as_deref()
            .and_then(|release| releases::ended(&system.family, release, self.today));
        let how = format!("by {}: {label}", system.told_by);
        let own = system
            .spaces()
            .iter()
            .find_map(|space| self.meeting(space, true, system.release.clone()));
        if let Some(meeting) = own {
            let caution = ended.map(|it| format!("{it}: what became known later may be missing"));
            let extent = extent::caution(self.book, &meeting);
            let cautions = caution.into_iter().chain(extent).collect();
            return Ground { label, meeting: Ok(meeting), cautions, how };
        }
        if system.family == "centos"
            && let Some(release) = system.release.as_deref()
        {
            let space = Space::release("rhel", major(release));
            if let Some(meeting) = self.meeting(&space, true, system.release.clone()) {
                let is_stream = system.is_stream || matches!(major(release), "9" | "10");
                let caution = if is_stream {
                    Some(format!(
                        "matched with advisories of {space}: z-stream versions differ from CentOS Stream's"
                    ))
                } else {
                    ended.map(|it| format!("{it}: what became known later may be missing"))
                };
                let how = format!("{how}, built from the sources of {space}");
                let extent = extent::caution(self.book, &meeting);
                let cautions = caution.into_iter().chain(extent).collect();
                return Ground { label, meeting: Ok(meeting), cautions, how };
            }
        }
        let why = self.no_source(system, &label, release_name.as_deref(), ended);
        Ground { label, meeting: Err(why), cautions: Vec::new(), how }
    }

    fn no_source(
        &self,
        system: &System,
        label: &str,
        release: Option<&str>,
        ended: Option<String>,
    ) -> String {
        let none = format!("no advisory source for {label}");
        if let Some(ended) = ended {
            return format!("{none}, {ended}");
        }
        let others = releases::of(&system.family)
            .filter(|it| Some(it.name) != release)
            .any(|it| !self.book.feeds(&Space::release(it.family, it.name)).is_empty());
        if system.release.is_none() && others {
            format!("{none}, whose release is not known")
        } else if others {
            format!("{none}, which is end of life or unknown: there is one for other releases")
        } else if system.like.is_empty() {
            none
        } else {
            format!("{none}: those of its relative {} do not speak of it", system.like)
        }
    }

    fn meeting(&self, space: &Space, is_system: bool, release: Option<String>) -> Option<Meeting> {
        let feeds: Vec<String> = self.book.feeds(space).into_iter().map(str::to_owned).collect();
        (!feeds.is_empty()).then(|| Meeting {
            space: space.clone(),
            order: order::of(space),
            feeds,
            is_system,
            release,
        })
    }
}

/// Is this a package of an operating system, whose name means nothing without its distribution?
pub(crate) fn is_system(kind: &str) -> bool {
    matches!(kind, "deb" | "apk" | "rpm" | "alpm")
}
