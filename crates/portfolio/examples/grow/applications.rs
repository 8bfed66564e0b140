//! Applications as companies have them: on one of a few dozen bases that are built again and again,
//! with dependencies of which most builds change none or a few. The same number is the same one.

use model::Package;

use super::catalogue::{
    Dice, LANGUAGES, SOURCES, SYSTEMS, VERSIONS, language_package, mixed, parts,
};

/// Images of one application.
pub(crate) const BUILDS: u64 = 20;
/// Where images run.
pub(crate) const ENVIRONMENTS: u64 = 60;
const BASES: u64 = 40;
/// How often each base was built anew.
const REBUILDS: u64 = 8;

/// A package, by its world, name, part and version.
pub(crate) type Made = [u64; 4];
/// Packages that come in one layer, and what that layer is called.
pub(crate) type Layer = ([u64; 3], Vec<Made>);

/// An application: a base, perhaps something of the distribution on it, and its dependencies.
pub(crate) struct Application {
    /// Its distribution's place in the catalogue.
    pub(crate) system: u64,
    number: u64,
    dice: Dice,
    base: u64,
    language: u64,
    dependencies: Vec<(u64, u64)>,
    more: Vec<u64>,
    edition: u64,
}

impl Application {
    /// The application of that number, before its first build.
    pub(crate) fn new(number: u64) -> Self {
        let mut dice = Dice(mixed(&[number, 11]));
        let base = dice.popular(BASES);
        let system = base % SYSTEMS.len() as u64;
        let language = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3][dice.below(10) as usize];
        let (_, names) = LANGUAGES[language as usize];
        let mut dependencies: Vec<(u64, u64)> = (0..dice.between(50, 800))
            .map(|_| (dice.popular(names), VERSIONS - 1 - dice.popular(VERSIONS)))
            .collect();
        dependencies.sort_unstable();
        dependencies.dedup_by_key(|it| it.0);
        let more = if dice.below(2) == 0 {
            Vec::new()
        } else {
            (0..dice.between(5, 60)).map(|_| dice.popular(SOURCES)).collect()
        };
        Self { system, number, dice, base, language, dependencies, more, edition: 0 }
    }

    /// The layers of its next build; they are asked for one after the other, from 0.
    pub(crate) fn build(&mut self, build: u64) -> Vec<Layer> {
        let rebuild = build * REBUILDS / BUILDS;
        let mut layers = vec![([u64::MAX, self.base, rebuild], of_base(self.base, rebuild))];
        if !self.more.is_empty() {
            let packages = self.more.iter().flat_map(|source| {
                let version = version_of(self.system, *source, rebuild);
                [[self.system, *source, 0, version], [self.system, *source, 1, version]]
            });
            layers.push(([self.number, 1, rebuild], packages.collect()));
        }
        // Every other build has the dependencies of the one before.
        if build % 2 == 1 {
            self.edition = build;
            for it in &mut self.dependencies {
                if self.dice.below(33) == 0 {
                    it.1 = (it.1 + 1).min(VERSIONS - 1);
                }
            }
        }
        let packages = self.dependencies.iter().map(|it| [100 + self.language, it.0, 0, it.1]);
        layers.push(([self.number, 2, self.edition], packages.collect()));
        layers
    }
}

/// The package itself.
pub(crate) fn package([world, name, part, version]: Made) -> Package {
    match world.checked_sub(100) {
        Some(language) => language_package(LANGUAGES[language as usize].0, name, version),
        None => SYSTEMS[world as usize].package(name, part, version),
    }
}

/// Eighty to four hundred packages of a distribution; each rebuild brings some up to date.
fn of_base(base: u64, rebuild: u64) -> Vec<Made> {
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
    packages
}

/// The version of a distribution's package at the time of a rebuild.
fn version_of(system: u64, source: u64, rebuild: u64) -> u64 {
    (mixed(&[system, source]) % 4 + (rebuild + mixed(&[source]) % 4) / 3).min(VERSIONS - 1)
}
