//! Bases: images that are found at the beginning of others, because they are known or were taught.

use std::collections::BTreeMap;

use model::{
    Act, Digest, EventKind, ImageDescription, KnownBase, LayerDescription, OrganisationId, Outline,
    chains_of, whole_chain,
};
use serde_json::json;

use crate::contract::{BaseRecord, Error, NewBase, Page, Paged};
use crate::db::{Query, Row, Tx, values};
use crate::{Store, events, names, new_id};

/// Bases that somebody taught of one organisation.
const MOST: i64 = 20_000;
/// Bases that are told of one image, and names of each: who asks wants the longest.
const TOLD: usize = 50;
const NAMES: usize = 20;
/// Images whose chains are filled in at once.
const PART: i64 = 500;

const COLUMNS: &str =
    "name, platform, digest, config, chain, depth, learned_at, learned_by FROM bases";

/// What was learned under the same name later, made for the same.
const NEWER: &str = "(SELECT n.digest FROM bases n WHERE n.organisation = bases.organisation
                       AND n.name = bases.name AND n.platform = bases.platform
                       AND n.learned_at > bases.learned_at
                       ORDER BY n.learned_at DESC, n.digest LIMIT 1) AS newer";

impl Store {
    /// Remembers that these images are bases, and what they are called: what a tag led to before stays.
    /// Says how many of them are new.
    pub async fn learn_bases(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        name: &str,
        images: &[NewBase],
    ) -> Result<u64, Error> {
        let name = names::repository(name)?;
        let mut tx = self.db.write().await?;
        tx.lock(&format!("bases of {}", organisation.0), true).await?;
        let who = names::told(&act.who);
        let (mut new, mut back) = (0, 0);
        for it in images {
            let sql = "INSERT INTO bases (id, organisation, name, platform, digest, config, chain,
                                          depth, learned_at, learned_by)
                       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
                       ON CONFLICT (organisation, name, digest) DO NOTHING";
            let values = values![
                new_id(),
                &organisation.0,
                &name,
                it.platform.to_string(),
                it.digest.as_str(),
                it.config.as_ref().map(Digest::as_str),
                it.chain.as_str(),
                i64::from(it.layers),
                act.at,
                &who,
            ];
            if tx.run(sql, values).await? > 0 {
                new += 1;
                continue;
            }
            // A tag that leads to a former image again leads to the other one no more.
            let sql = "UPDATE bases SET learned_at = $4
                       WHERE organisation = $1 AND name = $2 AND digest = $3 AND learned_at < $4
                       AND EXISTS (SELECT 1 FROM bases n WHERE n.organisation = $1 AND n.name = $2
                                   AND n.platform = bases.platform
                                   AND n.learned_at > bases.learned_at)";
            back +=
                tx.run(sql, values![&organisation.0, &name, it.digest.as_str(), act.at]).await?;
        }
        if new == 0 {
            if back > 0 {
                tx.commit().await?;
            }
            return Ok(0);
        }
        let sql = "SELECT COUNT(*) AS rows FROM bases WHERE organisation = $1";
        let rows = tx.row(sql, values![&organisation.0]).await?;
        if rows.map(|it| it.int("rows")).transpose()?.unwrap_or(0) > MOST {
            return Err(Error::Refused {
                what: format!("base `{name}`"),
                why: "there are too many already".to_owned(),
                hint: Some("forget those that nothing stands on any more".to_owned()),
            });
        }
        let note = events::Note::new(EventKind::BaseLearned, &name).detail(json!({ "new": new }));
        note.write(&mut tx, organisation, act).await?;
        tx.commit().await?;
        Ok(new)
    }

    /// The bases that were taught, by name.
    pub async fn bases(
        &self,
        organisation: &OrganisationId,
        page: &Page,
    ) -> Result<Paged<BaseRecord>, Error> {
        let limit = page.rows();
        // Names have no line ends, so this parts them from digests.
        let (name, digest) =
            page.after.as_deref().unwrap_or("").split_once('\n').unwrap_or_default();
        let sql = format!(
            "SELECT {COLUMNS} WHERE organisation = $1 AND (name > $2 OR name = $2 AND digest > $3)
             ORDER BY name, digest LIMIT $4"
        );
        let rows = self.db.rows(sql, values![&organisation.0, name, digest, limit + 1]).await?;
        let rows = rows.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Paged::of(rows, limit, |it: &BaseRecord| format!("{}\n{}", it.name, it.digest)))
    }

    /// A mark that is another one when other bases are taught.
    pub async fn bases_mark(&self, organisation: &OrganisationId) -> Result<String, Error> {
        let sql = "SELECT COUNT(*) AS rows, COALESCE(MAX(learned_at), 0) AS last FROM bases
                   WHERE organisation = $1";
        let rows = self.db.rows(sql, values![&organisation.0]).await?;
        let Some(row) = rows.first() else { return Ok(String::new()) };
        Ok(format!("{} {}", row.int("rows")?, row.int("last")?))
    }

    /// Forgets all that was taught under that name. Says how many images that were.
    pub async fn forget_base(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        name: &str,
    ) -> Result<u64, Error> {
        let mut tx = self.db.write().await?;
        let sql = "DELETE FROM bases WHERE organisation = $1 AND name = $2";
        let gone = tx.run(sql, values![&organisation.0, name]).await?;
        if gone > 0 {
            let note = events::Note::new(EventKind::BaseForgotten, name);
            let note = note.detail(json!({ "images": gone }));
            note.write(&mut tx, organisation, act).await?;
            tx.commit().await?;
        }
        Ok(gone)
    }

    /// The images whose layers are the beginning of the one that these are the layers of, most layers
    /// first: those that were taught; of those that are known otherwise, those with fewer layers.
    pub async fn bases_below(
        &self,
        organisation: &OrganisationId,
        layers: &[Digest],
    ) -> Result<Vec<KnownBase>, Error> {
        let mut chains = chains_of(layers);
        // The longest are looked for first, and when there are enough nothing else is.
        chains.reverse();
        let mut tx = self.db.read().await?;
        let taught = taught(&mut tx, organisation, &chains).await?;
        let is_whole = chains.len() == layers.len();
        let fewer = chains.get(usize::from(is_whole)..).unwrap_or_default();
        let mut found = images(&mut tx, organisation, fewer).await?;
        found.extend(taught);
        found.sort_by(|left, right| {
            (right.layers, right.taught, &left.names).cmp(&(left.layers, left.taught, &right.names))
        });
        found.truncate(TOLD);
        Ok(found)
    }
}

async fn taught(
    tx: &mut Tx,
    organisation: &OrganisationId,
    chains: &[Digest],
) -> Result<Vec<KnownBase>, Error> {
    // What several names lead to is one base.
    let mut found: BTreeMap<Digest, KnownBase> = BTreeMap::new();
    for run in runs(chains) {
        let sql = format!("SELECT {NEWER}, {COLUMNS} WHERE organisation =");
        let mut query = Query::new(&sql, vec![]);
        query.with("$?", &organisation.0);
        query.with_all("AND chain IN $?", run);
        query.then(&format!("ORDER BY depth DESC, name, digest LIMIT {}", TOLD * NAMES));
        let (sql, values) = query.into_parts();
        for row in &tx.rows(sql, values).await? {
            let it = read(row)?;
            let newer = newer(row)?.map(|newer| (it.name.clone(), newer));
            if let Some(known) = found.get_mut(&it.digest) {
                if known.names.len() < NAMES {
                    known.names.push(it.name);
                    known.moved.extend(newer);
                }
                continue;
            }
            let known = KnownBase {
                moved: newer.into_iter().collect(),
                names: vec![it.name],
                digest: Some(it.digest.clone()),
                config: it.config,
                platform: it.platform,
                layers: it.layers,
                taught: true,
            };
            found.insert(it.digest, known);
        }
    }
    Ok(found.into_values().collect())
}

async fn images(
    tx: &mut Tx,
    organisation: &OrganisationId,
    chains: &[Digest],
) -> Result<Vec<KnownBase>, Error> {
    let mut found = Vec::new();
    for run in runs(chains) {
        if found.len() >= TOLD {
            break;
        }
        let mut query = Query::new(
            "SELECT digest, platform, outline, depth FROM images WHERE organisation =",
            vec![],
        );
        query.with("$?", &organisation.0);
        query.with_all("AND chain IN $?", run);
        query.then(&format!("ORDER BY depth DESC, digest LIMIT {TOLD}"));
        let (sql, values) = query.into_parts();
        for row in &tx.rows(sql, values).await? {
            let digest: Digest = row.parsed("digest")?;
            let outline = row.maybe_text("outline")?;
            let outline = outline.and_then(|it| serde_json::from_str::<Outline>(&it).ok());
            let (names, moved) = called(tx, organisation, &digest).await?;
            found.push(KnownBase {
                names,
                moved,
                digest: Some(digest),
                config: outline.and_then(|it| it.config),
                platform: row.parsed("platform")?,
                layers: depth(row)?,
                taught: false,
            });
        }
    }
    Ok(found)
}

/// The tags that lead to an image, or led to it last, and where those lead by now that do not any more;
/// without any, the repositories it was seen in.
async fn called(
    tx: &mut Tx,
    organisation: &OrganisationId,
    digest: &Digest,
) -> Result<(Vec<String>, BTreeMap<String, Digest>), Error> {
    let sql = format!(
        "SELECT repository, tag, MAX(from_at) AS since, COUNT(*) - COUNT(until_at) AS leads,
                (SELECT MAX(n.digest) FROM tags n WHERE n.organisation = $1
                 AND n.repository = tags.repository AND n.tag = tags.tag AND n.until_at IS NULL
                 AND n.digest <> $2 AND n.platform IN
                     (SELECT o.platform FROM tags o WHERE o.organisation = $1
                      AND o.repository = tags.repository AND o.tag = tags.tag
                      AND o.digest = $2)) AS newer
         FROM tags WHERE organisation = $1 AND digest = $2
         GROUP BY repository, tag ORDER BY leads DESC, since DESC, repository, tag LIMIT {NAMES}"
    );
    let rows = tx.rows(sql, values![&organisation.0, digest.as_str()]).await?;
    let tag = |row: &Row| Ok(format!("{}:{}", row.text("repository")?, row.text("tag")?));
    let tags: Vec<String> = rows.iter().map(tag).collect::<Result<_, Error>>()?;
    if !tags.is_empty() {
        let mut moved = BTreeMap::new();
        for (name, row) in tags.iter().zip(&rows) {
            if row.int("leads")? == 0 {
                moved.extend(newer(row)?.map(|it| (name.clone(), it)));
            }
        }
        return Ok((tags, moved));
    }
    let sql = format!(
        "SELECT r.repository FROM images i JOIN image_repositories r ON r.image = i.id
         WHERE i.organisation = $1 AND i.digest = $2 ORDER BY r.repository LIMIT {NAMES}"
    );
    let rows = tx.rows(sql, values![&organisation.0, digest.as_str()]).await?;
    let name = |it: &Row| Ok(format!("{}@{digest}", it.text("repository")?));
    Ok((rows.iter().map(name).collect::<Result<_, Error>>()?, BTreeMap::new()))
}

fn newer(row: &Row) -> Result<Option<Digest>, Error> {
    Ok(row.maybe_text("newer")?.and_then(|it| it.parse().ok()))
}

fn runs(chains: &[Digest]) -> Vec<Vec<String>> {
    let texts: Vec<String> = chains.iter().map(ToString::to_string).collect();
    crate::db::runs(&texts).collect()
}

/// The chain of an image, as its column has it, and how many layers that are.
pub(crate) fn chain(image: Option<&ImageDescription>) -> (String, usize) {
    let layers = image.map_or(&[][..], |it| &it.layers);
    match whole_chain(layers) {
        Some(chain) => (chain.to_string(), layers.len()),
        None => (String::new(), 0),
    }
}

/// Puts chains into their column, of images that were kept by whoever knew no such column.
pub(crate) async fn fill_in(tx: &mut Tx) -> Result<(), Error> {
    let sql = format!(
        "SELECT id, outline FROM images WHERE outline IS NOT NULL AND chain IS NULL
         ORDER BY id LIMIT {PART}"
    );
    loop {
        let rows = tx.rows(sql.clone(), vec![]).await?;
        for row in &rows {
            let outline = row.maybe_text("outline")?.unwrap_or_default();
            // One that cannot be read has no chain; whoever needs it is told so.
            let outline: Outline = serde_json::from_str(&outline).unwrap_or_default();
            let layer = |diff_id| LayerDescription { diff_id, ..LayerDescription::default() };
            let layers = outline.layers.into_iter().map(|it| layer(it.diff_id)).collect();
            let image = ImageDescription { layers, ..ImageDescription::default() };
            let (chain, depth) = chain(Some(&image));
            let sql = "UPDATE images SET chain = $2, depth = $3 WHERE id = $1";
            tx.run(sql, values![row.int("id")?, chain, depth]).await?;
        }
        if rows.is_empty() {
            return Ok(());
        }
    }
}

/// Is there nothing to fill in?
pub(crate) async fn is_filled_in(tx: &mut Tx) -> Result<bool, Error> {
    let sql = "SELECT id FROM images WHERE outline IS NOT NULL AND chain IS NULL LIMIT 1";
    Ok(tx.row(sql, vec![]).await?.is_none())
}

fn depth(row: &Row) -> Result<u32, Error> {
    Ok(u32::try_from(row.maybe_int("depth")?.unwrap_or(0)).unwrap_or(u32::MAX))
}

fn read(row: &Row) -> Result<BaseRecord, Error> {
    Ok(BaseRecord {
        name: row.text("name")?,
        platform: row.parsed("platform")?,
        digest: row.parsed("digest")?,
        config: row.maybe_text("config")?.and_then(|it| it.parse().ok()),
        chain: row.parsed("chain")?,
        layers: depth(row)?,
        learned: row.moment("learned_at")?,
        learned_by: row.text("learned_by")?,
    })
}
