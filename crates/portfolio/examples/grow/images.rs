//! Images as companies have them: a few dozen bases that are built again and again, and applications
//! on them, of which most builds change no dependency or a few.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use model::{OrganisationId, Package};
use portfolio::{PackageNumber, Portfolio};

use super::catalogue::{
    Dice, LANGUAGES, SOURCES, SYSTEMS, VERSIONS, language_package, mixed, parts,
};

const BASES: u64 = 40;
/// How often each base was built anew.
const REBUILDS: u64 = 8;
/// Images of one application.
const BUILDS: u64 = 20;
const ENVIRONMENTS: u64 = 60;

/// A portfolio of so many images, and the seconds it took to feed it.
pub(crate) fn build(images: usize) -> (Portfolio, f64) {
    let mut growth = Growth::default();
    let mut left = images as u64;
    let mut application = 0;
    while left > 0 {
        let builds = left.min(BUILDS);
        growth.application(application, builds);
        application += 1;
        left -= builds;
    }
    (growth.portfolio, growth.spent.as_secs_f64())
}

#[derive(Default)]
struct Growth {
    portfolio: Portfolio,
    spent: Duration,
    /// What was told already: packages by what they are, sets by theirs.
    packages: HashMap<[u64; 4], PackageNumber>,
    sets: HashMap<[u64; 3], i64>,
    images: i64,
    deployments: u64,
}

impl Growth {
    /// One application: a base, perhaps something of the distribution on it, and its dependencies.
    fn application(&mut self, application: u64, builds: u64) {
        let mut dice = Dice(mixed(&[application, 11]));
        let base = dice.popular(BASES);
        let system = base % SYSTEMS.len() as u64;
        let language = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3][dice.below(10) as usize];
        let (_, names) = LANGUAGES[language as usize];
        let mut dependencies: Vec<(u64, u64)> = (0..dice.between(50, 800))
            .map(|_| (dice.popular(names), VERSIONS - 1 - dice.popular(VERSIONS)))
            .collect();
        dependencies.sort_unstable();
        dependencies.dedup_by_key(|it| it.0);
        let more: Vec<u64> = if dice.below(2) == 0 {
            Vec::new()
        } else {
            (0..dice.between(5, 60)).map(|_| dice.popular(SOURCES)).collect()
        };
        let organisation = if application % 20 == 19 { "other" } else { "acme" };
        let organisation = OrganisationId(organisation.to_owned());
        let mut edition = 0;
        for build in 0..builds {
            let rebuild = build * REBUILDS / BUILDS;
            let mut sets = vec![self.base(base, rebuild)];
            if !more.is_empty() {
                let packages = more.iter().flat_map(|source| {
                    let version = version_of(system, *source, rebuild);
                    [[system, *source, 0, version], [system, *source, 1, version]]
                });
                sets.push(self.set([application, 1, rebuild], packages.collect()));
            }
            // Every other build has the dependencies of the one before.
            if build % 2 == 1 {
                edition = build;
                for it in &mut dependencies {
                    if dice.below(33) == 0 {
                        it.1 = (it.1 + 1).min(VERSIONS - 1);
                    }
                }
            }
            let packages = dependencies.iter().map(|it| [100 + language, it.0, 0, it.1]);
            sets.push(self.set([application, 2, edition], packages.collect()));
            let image = self.images;
            self.images += 1;
            let distro = SYSTEMS[system as usize].distro();
            let start = Instant::now();
            self.portfolio
                .add_image(&organisation, image, Some(&distro), &sets)
                .expect("its sets are there");
            // The last builds run, each in a few places.
            if build + 6 >= builds {
                for _ in 0..=mixed(&[application, build]) % 2 {
                    let environment = mixed(&[application, self.deployments]) % ENVIRONMENTS;
                    let (id, environment) =
                        (format!("d{}", self.deployments), format!("environment-{environment}"));
                    self.portfolio.start(&organisation, &id, &environment, image);
                    self.deployments += 1;
                }
            }
            self.spent += start.elapsed();
        }
    }

    /// Eighty to four hundred packages of a distribution; each rebuild brings some up to date.
    fn base(&mut self, base: u64, rebuild: u64) -> i64 {
        if let Some(number) = self.sets.get(&[u64::MAX, base, rebuild]) {
            return *number;
        }
        let mut dice = Dice(mixed(&[base, 12]));
        let system = base % SYSTEMS.len() as u64;
        let wanted = dice.between(80, 400);
        let mut packages = Vec::new();
        let mut source = 0;
        while (packages.len() as u64) < wanted {
            let version = version_of(system, source, rebuild);
            packages.extend((0..parts(source)).map(|part| [system, source, part, version]));
            source += 1 + dice.below(3);
        }
        self.set([u64::MAX, base, rebuild], packages)
    }

    fn set(&mut self, key: [u64; 3], packages: Vec<[u64; 4]>) -> i64 {
        if let Some(number) = self.sets.get(&key) {
            return *number;
        }
        let number = i64::try_from(self.sets.len()).unwrap_or(i64::MAX);
        self.sets.insert(key, number);
        let mut numbers = Vec::with_capacity(packages.len());
        for it in packages {
            let known = self.packages.get(&it).copied();
            let package = known.unwrap_or_else(|| {
                let package = package(it);
                let start = Instant::now();
                let number = self.portfolio.know(&package);
                self.spent += start.elapsed();
                self.packages.insert(it, number);
                number
            });
            numbers.push(package);
        }
        let start = Instant::now();
        self.portfolio.add_set(number, numbers);
        self.spent += start.elapsed();
        number
    }
}

fn package([world, name, part, version]: [u64; 4]) -> Package {
    match world.checked_sub(100) {
        Some(language) => language_package(LANGUAGES[language as usize].0, name, version),
        None => SYSTEMS[world as usize].package(name, part, version),
    }
}

/// The version of a distribution's package at the time of a rebuild.
fn version_of(system: u64, source: u64, rebuild: u64) -> u64 {
    (mixed(&[system, source]) % 4 + (rebuild + mixed(&[source]) % 4) / 3).min(VERSIONS - 1)
}
