//! A book of a few rows, written as text.

use std::borrow::Cow;

use almanac::{About, Book, End, Handle, Key, Known, Row, Stretch, Text};
use ecosystem::order;
use model::{Exploited, Forecast, Level, Names, Outlook, Rating, Space, Status};

/// Rows, each with its advisory's own facts.
#[derive(Default)]
pub(super) struct Shelf {
    pub(super) entries: Vec<Entry>,
    exploited: Vec<String>,
    /// Spaces in which a feed speaks without a word about anything here.
    silent: Vec<(Space, String)>,
}

/// One row, owned.
#[derive(Clone)]
pub(super) struct Entry {
    space: Space,
    name: String,
    feed: String,
    id: String,
    aliases: Vec<String>,
    withdrawn: bool,
    malicious: bool,
    names: Names,
    status: Status,
    spans: Vec<(Option<Edge>, Option<Edge>)>,
    versions: Vec<Edge>,
    outlook: Option<Outlook>,
    reason: Option<String>,
    rating: Option<Rating>,
    ratings: Vec<Rating>,
    bulletins: Vec<String>,
    arch: Vec<String>,
    module: Option<String>,
    channel: Option<String>,
    products: Vec<String>,
    torn: bool,
}

#[derive(Clone)]
struct Edge {
    key: Option<Vec<u8>>,
    version: String,
    included: bool,
}

impl Edge {
    fn end(&self) -> End<'_> {
        let key: Key<'_> = self.key.as_deref().map(Cow::Borrowed);
        End { key, version: &self.version, included: self.included }
    }
}

impl Shelf {
    /// Lines of `FEED SPACE NAME ID` with words behind them: `source`, `binary`, `=ALIAS`,
    /// `not-affected`, `investigating`, `>=1,<2`, `all`, `v:1.0`, `outlook:minor`, `reason:…`,
    /// `level:high` (for the package), `score:SOURCE/7.5/VECTOR`, `arch:`, `module:`, `channel:`,
    /// `product:`, `bulletin:`, `withdrawn`, `malicious`, `torn`. And `exploited ID`, `feed FEED SPACE`.
    pub(super) fn read(text: &str) -> Self {
        let mut shelf = Self::default();
        for line in text.lines().map(str::trim).filter(|it| !it.is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[0] {
                "exploited" => shelf.exploited.push(words[1].to_owned()),
                "feed" => shelf.silent.push((Space::from(words[2]), words[1].to_owned())),
                _ => shelf.entries.push(Entry::read(&words)),
            }
        }
        shelf
    }
}

impl Entry {
    fn read(words: &[&str]) -> Self {
        let space = Space::from(words[1]);
        let edge = |version: &str, included: bool| {
            let mut key = Vec::new();
            let is_read = order::of(&space).is_some_and(|it| it.key(version, &mut key).is_ok());
            Edge { key: is_read.then_some(key), version: version.to_owned(), included }
        };
        let mut entry = Self {
            space: space.clone(),
            name: words[2].to_owned(),
            feed: words[0].to_owned(),
            id: words[3].to_owned(),
            aliases: Vec::new(),
            withdrawn: false,
            malicious: false,
            names: Names::Either,
            status: Status::Affected,
            spans: Vec::new(),
            versions: Vec::new(),
            outlook: None,
            reason: None,
            rating: None,
            ratings: Vec::new(),
            bulletins: Vec::new(),
            arch: Vec::new(),
            module: None,
            channel: None,
            products: Vec::new(),
            torn: false,
        };
        for word in &words[4..] {
            let value = word.split_once(':').map_or("", |(_, value)| value);
            match word.split(':').next().unwrap() {
                "source" => entry.names = Names::Source,
                "binary" => entry.names = Names::Binary,
                "not-affected" => entry.status = Status::NotAffected,
                "investigating" => entry.status = Status::UnderInvestigation,
                "withdrawn" => entry.withdrawn = true,
                "malicious" => entry.malicious = true,
                "torn" => entry.torn = true,
                "all" => entry.spans.push((None, None)),
                "v" => entry.versions.push(edge(value, true)),
                "outlook" => {
                    entry.outlook = Some(match value {
                        "minor" => Outlook::Minor,
                        "never" => Outlook::WillNotFix,
                        "eol" => Outlook::EndOfLife,
                        _ => Outlook::Open,
                    });
                }
                "reason" => entry.reason = Some(value.replace('_', " ")),
                "level" => entry.rating = Some(Rating::word(words[0], value)),
                "score" => {
                    let parts: Vec<&str> = value.split('/').collect();
                    let score: f32 = parts[1].parse().unwrap();
                    entry.ratings.push(Rating {
                        source: parts[0].to_owned(),
                        level: Level::of_score(score),
                        word: None,
                        score: Some(score),
                        vector: Some(parts[2].to_owned()),
                    });
                }
                "bulletin" => entry.bulletins.push(value.to_owned()),
                "arch" => entry.arch.push(value.to_owned()),
                "module" => entry.module = Some(value.to_owned()),
                "channel" => entry.channel = Some(value.to_owned()),
                "product" => entry.products.push(value.to_owned()),
                it if it.starts_with('=') => entry.aliases.push(word[1..].to_owned()),
                _ => {
                    let (mut from, mut to) = (None, None);
                    for part in word.split(',') {
                        match part.split_at(part.find(|it| !"<>=".contains(it)).unwrap()) {
                            (">=", it) => from = Some(edge(it, true)),
                            (">", it) => from = Some(edge(it, false)),
                            ("<", it) => to = Some(edge(it, false)),
                            ("<=", it) => to = Some(edge(it, true)),
                            _ => panic!("what is {word}?"),
                        }
                    }
                    entry.spans.push((from, to));
                }
            }
        }
        entry
    }
}

impl Book for Shelf {
    fn look_up<'a>(&'a self, space: &Space, name: &str, rows: &mut Vec<Row<'a>>) {
        for (number, it) in self.entries.iter().enumerate() {
            if it.space != *space || it.name != name {
                continue;
            }
            rows.push(Row {
                feed: &it.feed,
                advisory: Handle { sheet: 0, advisory: u32::try_from(number).unwrap() },
                id: &it.id,
                aliases: it.aliases.iter().map(String::as_str).collect(),
                withdrawn: it.withdrawn,
                malicious: it.malicious,
                names: it.names,
                status: it.status,
                stretches: it
                    .spans
                    .iter()
                    .map(|(from, to)| Stretch {
                        from: from.as_ref().map(Edge::end),
                        to: to.as_ref().map(Edge::end),
                    })
                    .collect(),
                versions: it.versions.iter().map(Edge::end).collect(),
                outlook: it.outlook,
                reason: it.reason.as_deref(),
                rating: it.rating.clone(),
                bulletins: it.bulletins.iter().map(String::as_str).collect(),
                arch: it.arch.iter().map(String::as_str).collect(),
                module: it.module.as_deref(),
                channel: it.channel.as_deref(),
                products: it.products.iter().map(String::as_str).collect(),
                torn: it.torn.then_some("it is cut off"),
            });
        }
    }

    fn feeds(&self, space: &Space) -> Vec<&str> {
        let rows = self.entries.iter().map(|it| (&it.space, it.feed.as_str()));
        let silent = self.silent.iter().map(|(space, feed)| (space, feed.as_str()));
        let mut feeds: Vec<&str> =
            rows.chain(silent).filter(|it| it.0 == space).map(|it| it.1).collect();
        feeds.sort_unstable();
        feeds.dedup();
        feeds
    }

    fn about(&self, flaw: &str) -> About {
        let called = |it: &Entry| it.id == flaw || it.aliases.iter().any(|it| it == flaw);
        let exploited = self.exploited.iter().any(|it| it == flaw).then(|| Exploited {
            id: flaw.to_owned(),
            added: String::new(),
            due: None,
            ransomware: false,
            title: String::new(),
            action: String::new(),
        });
        About {
            advisories: (0..)
                .zip(&self.entries)
                .filter(|(_, it)| called(it))
                .map(|(advisory, _)| Handle { sheet: 0, advisory })
                .collect(),
            forecast: exploited.as_ref().map(|it| Forecast {
                id: it.id.clone(),
                score: 0.5,
                percentile: 0.9,
            }),
            exploited,
        }
    }

    fn known(&self, advisory: Handle) -> Option<Known> {
        let entry = self.entries.get(advisory.advisory as usize)?;
        Some(Known {
            id: entry.id.clone(),
            aliases: entry.aliases.clone(),
            ratings: entry.ratings.clone(),
            ..Known::default()
        })
    }

    fn texts(&self, advisories: &[Handle]) -> Vec<Option<Text>> {
        let text = |advisory: &Handle| {
            let entry = self.entries.get(advisory.advisory as usize)?;
            Some(Text { title: format!("about {}", entry.id), ..Text::default() })
        };
        advisories.iter().map(text).collect()
    }
}
