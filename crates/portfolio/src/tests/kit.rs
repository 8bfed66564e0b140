//! Images, deployments and almanacs, written as text.

use std::collections::{BTreeMap, HashMap};

use almanac::{Almanac, Builder};
use model::{
    Advisory, Affected, Distro, Exploited, Forecast, Inventory, Level, Names, OrganisationId,
    Package, PackageKind, Rating, SourcePackage, Space, Span, Status, Subject,
};

use crate::Portfolio;

/// A portfolio, and what is in it.
pub(super) struct World {
    pub(super) portfolio: Portfolio,
    pub(super) images: BTreeMap<i64, (OrganisationId, Inventory)>,
    sets: HashMap<String, i64>,
}

impl World {
    /// `image NUMBER ORGANISATION [DISTRO]`, its packages on the lines below; `run DEPLOYMENT
    /// ORGANISATION ENVIRONMENT IMAGE`.
    pub(super) fn read(text: &str) -> Self {
        let mut world =
            Self { portfolio: Portfolio::new(), images: BTreeMap::new(), sets: HashMap::new() };
        let mut lines = text.lines().map(str::trim).filter(|it| !it.is_empty()).peekable();
        while let Some(line) = lines.next() {
            let words: Vec<&str> = line.split_whitespace().collect();
            if words[0] == "run" {
                let organisation = OrganisationId(words[2].to_owned());
                let image = words[4].parse().unwrap();
                world.portfolio.start(&organisation, words[1], words[3], image);
                continue;
            }
            let mut packages = Vec::new();
            while let Some(line) = lines.next_if(|it| it.starts_with("pkg:")) {
                packages.push(read_package(line));
            }
            let organisation = OrganisationId(words[2].to_owned());
            let inventory = inventory(words.get(3).copied(), packages);
            world.add(words[1].parse().unwrap(), organisation, inventory);
        }
        world
    }

    /// Adds an image; packages of one type come together.
    pub(super) fn add(&mut self, image: i64, organisation: OrganisationId, inventory: Inventory) {
        let mut sets: BTreeMap<&str, Vec<&Package>> = BTreeMap::new();
        for package in &inventory.packages {
            sets.entry(package.purl.kind()).or_default().push(package);
        }
        let mut numbers = Vec::new();
        for packages in sets.into_values() {
            let next = i64::try_from(self.sets.len()).unwrap_or(i64::MAX);
            let number = *self.sets.entry(format!("{packages:?}")).or_insert(next);
            numbers.push(number);
            if !self.portfolio.knows_set(number) {
                let packages: Vec<_> =
                    packages.into_iter().map(|it| self.portfolio.know(it)).collect();
                self.portfolio.add_set(number, packages);
            }
        }
        let distro = inventory.distro.as_ref();
        self.portfolio.add_image(&organisation, image, distro, &numbers).unwrap();
        self.images.insert(image, (organisation, inventory));
    }

    pub(super) fn remove(&mut self, image: i64) {
        self.portfolio.remove_image(image);
        self.images.remove(&image);
    }
}

pub(super) fn inventory(distro: Option<&str>, packages: Vec<Package>) -> Inventory {
    let distro = distro.map(|it| {
        let (id, version) = it.split_once('-').unwrap_or((it, ""));
        Distro {
            id: id.to_owned(),
            version: (!version.is_empty()).then(|| version.to_owned()),
            cpe: (id == "rhel").then(|| format!("cpe:/o:redhat:enterprise_linux:{version}")),
            ..Distro::default()
        }
    });
    let subject = Subject::Document { name: String::new() };
    Inventory { subject, distro, packages, statements: Vec::new(), gaps: Vec::new() }.in_order()
}

/// `PURL source:NAME[@VERSION] owner:PURL author:NAME vendored declared`.
pub(super) fn read_package(line: &str) -> Package {
    let mut words = line.split_whitespace();
    let mut package = Package::new(words.next().unwrap().parse().unwrap());
    for word in words {
        let (key, value) = word.split_once(':').unwrap_or((word, ""));
        match key {
            "source" => {
                let (name, version) =
                    value.split_once('@').map_or((value, None), |it| (it.0, Some(it.1)));
                let (name, version) = (name.to_owned(), version.map(str::to_owned));
                package.source = Some(SourcePackage { name, version });
            }
            "owner" => package.owner = Some(value.parse().unwrap()),
            "author" => package.author = Some(value.to_owned()),
            kind => package.kind = PackageKind::parse(kind).unwrap(),
        }
    }
    package
}

/// Lines of `FEED SPACE NAME ID` with words behind them: `source`, `binary`, `not-affected`,
/// `investigating`, `withdrawn`, `malicious`, `all`, `<1`, `>=1`, `v:1`, `=ALIAS`, `level:WORD` (for
/// the package), `rates:WORD`, `arch:`, `product:`, `bulletin:`. And `FEED exploited ID`, `FEED rates
/// ID WORD`, `FEED forecast ID SCORE`.
pub(super) fn read_almanac(text: &str) -> Almanac {
    let mut builders: BTreeMap<&str, Builder> = BTreeMap::new();
    for line in text.lines().map(str::trim).filter(|it| !it.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let builder = builders.entry(words[0]).or_insert_with(|| Builder::new(words[0], "all"));
        match words[1] {
            "exploited" => builder.add_exploited(Exploited {
                id: words[2].to_owned(),
                added: "2024-01-01".to_owned(),
                due: None,
                ransomware: false,
                title: String::new(),
                action: String::new(),
            }),
            "forecast" => builder.add_forecast(Forecast {
                id: words[2].to_owned(),
                score: words[3].parse().unwrap(),
                percentile: 0.5,
            }),
            "rates" => builder.add(Advisory {
                id: words[2].to_owned(),
                ratings: vec![rating(words[0], words[3])],
                ..Advisory::default()
            }),
            _ => builder.add(read_advisory(&words)),
        }
    }
    let sheets = builders.into_values().flat_map(|it| it.finish().unwrap().sheets);
    Almanac::in_memory(sheets.collect())
}

fn read_advisory(words: &[&str]) -> Advisory {
    let mut affected = Affected::new(Space::from(words[1]), words[2]);
    let mut advisory = Advisory { id: words[3].to_owned(), ..Advisory::default() };
    for word in &words[4..] {
        let (key, value) = word.split_once(':').unwrap_or((word, ""));
        match key {
            "source" => affected.names = Names::Source,
            "binary" => affected.names = Names::Binary,
            "not-affected" => affected.status = Status::NotAffected,
            "investigating" => affected.status = Status::UnderInvestigation,
            "withdrawn" => advisory.withdrawn = Some("2024-01-01T00:00:00Z".to_owned()),
            "malicious" => advisory.malicious = true,
            "all" => affected.spans.push(Span::all()),
            "v" => affected.versions.push(value.to_owned()),
            "level" => affected.rating = Some(rating(words[0], value)),
            "rates" => advisory.ratings.push(rating(words[0], value)),
            "arch" => affected.arch.push(value.to_owned()),
            "product" => affected.products.push(value.to_owned()),
            "bulletin" => affected.bulletins.push(value.to_owned()),
            _ if word.starts_with('=') => advisory.aliases.push(word[1..].to_owned()),
            _ if word.starts_with('<') => affected.spans.push(Span::before(&word[1..])),
            _ if word.starts_with(">=") => affected.spans.push(Span::all().since(&word[2..])),
            word => panic!("{word}"),
        }
    }
    advisory.affected.push(affected);
    advisory
}

fn rating(source: &str, word: &str) -> Rating {
    let (source, level) = (source.to_owned(), Level::of_word(word));
    Rating { source, level, word: None, score: None, vector: None }
}
