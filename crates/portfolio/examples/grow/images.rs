//! A portfolio, fed with applications and where they run, and how long that takes.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use model::OrganisationId;
use portfolio::{PackageNumber, Portfolio};

use super::applications::{Application, BUILDS, ENVIRONMENTS, Layer, Made, package};
use super::catalogue::{SYSTEMS, mixed};

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
    packages: HashMap<Made, PackageNumber>,
    sets: HashMap<[u64; 3], i64>,
    images: i64,
    deployments: u64,
}

impl Growth {
    /// All builds of an application, the last of which run.
    fn application(&mut self, number: u64, builds: u64) {
        let mut application = Application::new(number);
        let distro = SYSTEMS[application.system as usize].distro();
        let organisation = if number % 20 == 19 { "other" } else { "acme" };
        let organisation = OrganisationId(organisation.to_owned());
        for build in 0..builds {
            let layers = application.build(build);
            let sets: Vec<i64> = layers.into_iter().map(|it| self.set(it)).collect();
            let image = self.images;
            self.images += 1;
            let start = Instant::now();
            self.portfolio
                .add_image(&organisation, image, Some(&distro), &sets)
                .expect("its sets are there");
            // The last builds run, each in a few places.
            if build + 6 >= builds {
                for _ in 0..=mixed(&[number, build]) % 2 {
                    let environment = mixed(&[number, self.deployments]) % ENVIRONMENTS;
                    let (id, environment) =
                        (format!("d{}", self.deployments), format!("environment-{environment}"));
                    self.portfolio.start(&organisation, &id, &environment, image);
                    self.deployments += 1;
                }
            }
            self.spent += start.elapsed();
        }
    }

    fn set(&mut self, (key, packages): Layer) -> i64 {
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
