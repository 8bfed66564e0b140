//! Which image a container runs: by the digest of its manifest, of an index that leads to it, or of its
//! configuration.

use std::collections::{BTreeSet, HashMap};

use model::{Digest, OrganisationId, Platform};

use crate::contract::{Container, Error};
use crate::db::{Query, Tx, runs};

/// Where an image was taken from that nobody gave a name.
const UNNAMED: &str = "unnamed";

/// What is known of the digests that were told.
#[derive(Default)]
pub(super) struct Known {
    images: HashMap<String, Image>,
    /// What else they are called.
    names: HashMap<String, Vec<Name>>,
    /// In which repository an image was seen, the first of them.
    repositories: HashMap<i64, String>,
}

struct Image {
    number: i64,
    platform: Platform,
    analysed: bool,
}

struct Name {
    number: i64,
    digest: Digest,
    platform: Platform,
    is_config: bool,
}

/// Which image it is.
#[derive(Clone, Debug)]
pub(super) struct Placement {
    pub(super) repository: String,
    pub(super) tag: Option<String>,
    pub(super) digest: Digest,
    pub(super) platform: Platform,
    /// Its number, if it is analysed.
    pub(super) image: Option<i64>,
}

impl Known {
    /// What is known of the digests of these containers. The images stay until the end.
    pub(super) async fn of(
        tx: &mut Tx,
        organisation: &OrganisationId,
        digests: &BTreeSet<&Digest>,
    ) -> Result<Self, Error> {
        let mut known = Self::default();
        let digests: Vec<&str> = digests.iter().map(|it| it.as_str()).collect();
        for run in runs(&digests) {
            let mut query = Query::new("SELECT id, digest, platform, state FROM images", vec![]);
            query.with("WHERE organisation = $?", &organisation.0);
            query.with_all("AND digest IN $?", run.clone());
            query.then("ORDER BY digest");
            query.then(tx.keeping());
            let (sql, values) = query.into_parts();
            for row in tx.rows(sql, values).await? {
                let image = Image {
                    number: row.int("id")?,
                    platform: row.parsed("platform")?,
                    analysed: row.word("state")? == "analysed",
                };
                known.images.insert(row.text("digest")?, image);
            }
            let mut query = Query::new(
                "SELECT n.digest AS called, n.is_config, i.id, i.digest, i.platform
                 FROM image_names n JOIN images i ON i.id = n.image",
                vec![],
            );
            query.with("WHERE i.organisation = $?", &organisation.0);
            query.then("AND i.state = 'analysed'");
            query.with_all("AND n.digest IN $?", run);
            query.then("ORDER BY i.id");
            let (sql, values) = query.into_parts();
            for row in tx.rows(sql, values).await? {
                let name = Name {
                    number: row.int("id")?,
                    digest: row.parsed("digest")?,
                    platform: row.parsed("platform")?,
                    is_config: row.int("is_config")? != 0,
                };
                let all = known.names.entry(row.text("called")?).or_default();
                // What a digest was filled up with is told twice.
                if all.iter().all(|it| it.number != name.number) {
                    all.push(name);
                }
            }
        }
        known.repositories(tx).await?;
        Ok(known)
    }

    async fn repositories(&mut self, tx: &mut Tx) -> Result<(), Error> {
        let named = self.names.values().flatten().map(|it| it.number);
        let images: BTreeSet<i64> = self.images.values().map(|it| it.number).chain(named).collect();
        for run in runs(&images.into_iter().collect::<Vec<_>>()) {
            let mut query = Query::new(
                "SELECT image, MIN(repository) AS repository FROM image_repositories",
                vec![],
            );
            query.with_all("WHERE image IN $?", run);
            query.then("GROUP BY image");
            let (sql, values) = query.into_parts();
            for row in tx.rows(sql, values).await? {
                self.repositories.insert(row.int("image")?, row.text("repository")?);
            }
        }
        Ok(())
    }

    /// Which image a container runs; none where nobody can tell.
    pub(super) fn place(&self, it: &Container) -> Option<Placement> {
        let told = self.images.get(it.digest.as_str());
        let analysed = told.filter(|it| it.analysed);
        if let (None, Some(name)) = (analysed, self.called(&it.digest, it.platform.as_ref())) {
            let image = Some(name.number);
            return Some(self.found(it, &name.digest, Some(&name.platform), image, image));
        }
        if let Some(image) = told {
            let number = Some(image.number);
            let analysed = number.filter(|_| image.analysed);
            return Some(self.found(it, &it.digest, Some(&image.platform), number, analysed));
        }
        // As it was told: whoever asks its registry will know.
        it.repository.is_some().then(|| self.found(it, &it.digest, None, None, None))
    }

    /// The image that goes by another digest, for a platform.
    fn called(&self, digest: &Digest, wanted: Option<&Platform>) -> Option<&Name> {
        let names = self.names.get(digest.as_str())?;
        let usual = usual();
        let fits = |wish: &Platform| {
            let ranked = names.iter().filter_map(|it| Some((it.platform.rank_for(wish)?, it)));
            ranked.min_by_key(|(rank, it)| (*rank, it.number)).map(|(_, it)| it)
        };
        match wanted {
            Some(wish) => fits(wish).or_else(|| names.iter().find(|it| it.is_config)),
            None if names.len() == 1 => names.first(),
            None => names.iter().find(|it| it.is_config).or_else(|| fits(&usual)),
        }
    }

    fn found(
        &self,
        it: &Container,
        digest: &Digest,
        platform: Option<&Platform>,
        number: Option<i64>,
        image: Option<i64>,
    ) -> Placement {
        let seen = || number.and_then(|it| self.repositories.get(&it).cloned());
        let repository = it.repository.clone().or_else(seen);
        Placement {
            repository: repository.unwrap_or_else(|| UNNAMED.to_owned()),
            tag: it.tag.clone(),
            digest: digest.clone(),
            platform: it.platform.as_ref().or(platform).cloned().unwrap_or_else(usual),
            image,
        }
    }

    /// As what a digest that runs already is known by now.
    pub(super) fn now(&self, digest: &Digest, platform: &Platform) -> Option<&Digest> {
        match self.images.get(digest.as_str()) {
            Some(image) if image.analysed => None,
            _ => self.called(digest, Some(platform)).map(|it| &it.digest),
        }
    }
}

/// The platform that is meant where nothing is said.
fn usual() -> Platform {
    Platform::new("linux", "amd64", None)
}
