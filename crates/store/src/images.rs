//! Images: which an organisation knows, and whether their content is known.

use model::{
    Act, Digest, EventKind, ImageDescription, ImageRecord, ImageState, OrganisationId, Platform,
};
use serde_json::json;

use crate::contract::{Error, ImageSelection, Page, Paged, WrittenImage};
use crate::db::{Query, Row, Tx, values};
use crate::deployments::platform_key;
use crate::{Store, events, names};

pub(crate) const SELECT: &str = "
    SELECT i.id, i.digest, i.platform, i.state, i.why, i.outline, i.packages, i.first_seen,
           i.analysed_at
    FROM images i";

impl Store {
    /// Takes note of an image that is there to be analysed. Says whether it is new.
    pub async fn hear_of_image(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        digest: &Digest,
        platform: &Platform,
        repository: Option<&str>,
    ) -> Result<bool, Error> {
        let platform = platform_key(platform)?;
        let repository = repository.map(names::repository).transpose()?;
        let mut tx = self.db.write().await?;
        let (id, new) = know(&mut tx, organisation, act, digest, &platform).await?;
        see_in(&mut tx, id, repository.as_deref()).await?;
        tx.commit().await?;
        Ok(new)
    }

    /// Takes note that an image could not be read. One that was read before stays so, and the same
    /// trouble once more is no news.
    pub async fn image_failed(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        digest: &Digest,
        why: &str,
    ) -> Result<(), Error> {
        let mut tx = self.db.write().await?;
        let rows = tx
            .run(
                "UPDATE images SET state = 'failed', why = $3, analysed_at = $4
                 WHERE organisation = $1 AND digest = $2
                 AND (state = 'pending' OR state = 'failed' AND why <> $3)",
                values![&organisation.0, digest.as_str(), why, act.at],
            )
            .await?;
        if rows == 0 {
            return Ok(());
        }
        let repository = repository_of(&mut tx, organisation, digest).await?;
        let note = events::Note::new(EventKind::ImageFailed, digest.as_str());
        let note = note.detail(json!({ "why": why, "repository": repository }));
        note.write(&mut tx, organisation, act).await?;
        tx.commit().await
    }

    /// The image of that digest.
    pub async fn image(
        &self,
        organisation: &OrganisationId,
        digest: &Digest,
    ) -> Result<Option<ImageRecord>, Error> {
        let mut tx = self.db.read().await?;
        let sql = format!("{SELECT} WHERE i.organisation = $1 AND i.digest = $2");
        let rows = tx.rows(sql, values![&organisation.0, digest.as_str()]).await?;
        Ok(read_all(&mut tx, &rows).await?.pop())
    }

    /// The images that are selected, by digest.
    pub async fn images(
        &self,
        organisation: &OrganisationId,
        selection: &ImageSelection,
        page: &Page,
    ) -> Result<Paged<ImageRecord>, Error> {
        let written = self.written_images(organisation, selection, page).await?;
        let rows = written.rows.into_iter().map(record).collect::<Result<_, _>>()?;
        Ok(Paged { rows, next: written.next })
    }

    /// The same, as it was written down.
    pub async fn written_images(
        &self,
        organisation: &OrganisationId,
        selection: &ImageSelection,
        page: &Page,
    ) -> Result<Paged<WrittenImage>, Error> {
        let limit = page.rows();
        let mut query = Query::new("SELECT i.*, r.repository FROM (", vec![]);
        query.then(SELECT);
        query.with("WHERE i.organisation = $?", &organisation.0);
        if let Some(repository) = &selection.repository {
            query.with(
                "AND i.id IN (SELECT image FROM image_repositories WHERE repository = $?)",
                repository,
            );
        }
        if let Some(state) = &selection.state {
            query.with("AND i.state = $?", state_word(state));
        }
        if let Some(after) = &page.after {
            query.with("AND i.digest > $?", after);
        }
        query.then(&format!("ORDER BY i.digest LIMIT {}) i", limit + 1));
        query.then("LEFT JOIN image_repositories r ON r.image = i.id");
        let (sql, values) = query.into_parts();
        let rows = self.db.few(sql, values).await?;
        // An image is as many rows as repositories it was seen in.
        let mut images: Vec<WrittenImage> = Vec::new();
        for row in &rows {
            let repository = row.maybe_text("repository")?;
            match images.last_mut() {
                Some(image) if image.digest.as_str() == row.word("digest")? => {
                    image.repositories.extend(repository);
                }
                _ => {
                    let mut image = written(row)?;
                    image.repositories.extend(repository);
                    images.push(image);
                }
            }
        }
        // They come so, but no database promises it.
        images.sort_by(|left, right| left.digest.cmp(&right.digest));
        images.dedup_by(|next, image| {
            let same = next.digest == image.digest;
            if same {
                image.repositories.append(&mut next.repositories);
            }
            same
        });
        for image in &mut images {
            image.repositories.sort();
        }
        Ok(Paged::of(images, limit, |it: &WrittenImage| it.digest.to_string()))
    }
}

/// The number of an image, held, and whether it is new here.
pub(crate) async fn know(
    tx: &mut Tx,
    organisation: &OrganisationId,
    act: &Act,
    digest: &Digest,
    platform: &str,
) -> Result<(i64, bool), Error> {
    let new = tx
        .run(
            "INSERT INTO images (organisation, digest, platform, state, first_seen)
             VALUES ($1, $2, $3, 'pending', $4)
             ON CONFLICT (organisation, digest) DO NOTHING",
            values![&organisation.0, digest.as_str(), platform, act.at],
        )
        .await?;
    let sql = "SELECT id FROM images WHERE organisation = $1 AND digest = $2";
    match tx.hold(sql, values![&organisation.0, digest.as_str()]).await? {
        Some(row) => Ok((row.int("id")?, new == 1)),
        None => Err(Error::Gone("image")),
    }
}

/// A repository that an image was seen in, to tell of it by name: the first of them.
pub(crate) async fn repository_of(
    tx: &mut Tx,
    organisation: &OrganisationId,
    digest: &Digest,
) -> Result<Option<String>, Error> {
    let sql = "SELECT MIN(r.repository) AS repository
               FROM images i JOIN image_repositories r ON r.image = i.id
               WHERE i.organisation = $1 AND i.digest = $2";
    match tx.row(sql, values![&organisation.0, digest.as_str()]).await? {
        Some(row) => row.maybe_text("repository"),
        None => Ok(None),
    }
}

/// Takes note of where an image was seen.
pub(crate) async fn see_in(tx: &mut Tx, id: i64, repository: Option<&str>) -> Result<(), Error> {
    if let Some(repository) = repository {
        let sql = "INSERT INTO image_repositories (image, repository) VALUES ($1, $2)
                   ON CONFLICT (image, repository) DO NOTHING";
        tx.run(sql, values![id, repository]).await?;
    }
    Ok(())
}

/// The digests that an image goes by besides its own, as its description has them: that of its
/// configuration, and that of the index it was chosen from. Other indexes may lead to it as well.
pub(crate) async fn call(
    tx: &mut Tx,
    id: i64,
    digest: &Digest,
    image: &ImageDescription,
) -> Result<(), Error> {
    let names = [(&image.config, 1_i64), (&image.index, 0), (&image.digest, 0)];
    for (name, is_config) in names {
        if let Some(name) = name.as_ref().filter(|it| *it != digest) {
            let sql = "INSERT INTO image_names (image, digest, is_config) VALUES ($1, $2, $3)
                       ON CONFLICT (image, digest) DO NOTHING";
            tx.run(sql, values![id, name.as_str(), is_config]).await?;
        }
    }
    Ok(())
}

/// The word that a state is kept by.
pub(crate) fn state_word(state: &ImageState) -> &'static str {
    match state {
        ImageState::Pending => "pending",
        ImageState::Analysed => "analysed",
        ImageState::Failed { .. } => "failed",
    }
}

/// Images, with the repositories they were seen in.
pub(crate) async fn read_all(tx: &mut Tx, rows: &[Row]) -> Result<Vec<ImageRecord>, Error> {
    let numbers: Vec<i64> = rows.iter().map(|it| it.int("id")).collect::<Result<_, _>>()?;
    let mut images: Vec<ImageRecord> = rows.iter().map(read).collect::<Result<_, _>>()?;
    for run in crate::db::runs(&numbers) {
        let mut query =
            Query::new("SELECT image, repository FROM image_repositories WHERE image IN", vec![]);
        query.with_all("$? ORDER BY repository", run);
        let (sql, values) = query.into_parts();
        for row in tx.rows(sql, values).await? {
            let number = row.int("image")?;
            let at = numbers.iter().position(|it| *it == number);
            if let Some(image) = at.and_then(|it| images.get_mut(it)) {
                image.repositories.push(row.text("repository")?);
            }
        }
    }
    Ok(images)
}

fn read(row: &Row) -> Result<ImageRecord, Error> {
    record(written(row)?)
}

fn written(row: &Row) -> Result<WrittenImage, Error> {
    let state = match row.word("state")? {
        "pending" => ImageState::Pending,
        "analysed" => ImageState::Analysed,
        "failed" => ImageState::Failed { why: row.maybe_text("why")?.unwrap_or_default() },
        other => return Err(corrupt("column state", format!("`{other}` is no state of an image"))),
    };
    Ok(WrittenImage {
        digest: row.parsed("digest")?,
        platform: row.parsed("platform")?,
        repositories: Vec::new(),
        state,
        outline: row.maybe_text("outline")?,
        first_seen: row.moment("first_seen")?,
        analysed: row.maybe_moment("analysed_at")?,
        packages: row.maybe_int("packages")?.and_then(|it| u64::try_from(it).ok()),
    })
}

fn record(it: WrittenImage) -> Result<ImageRecord, Error> {
    let outline = it.outline.as_deref().map(serde_json::from_str).transpose();
    Ok(ImageRecord {
        digest: it.digest,
        platform: it.platform,
        repositories: it.repositories,
        state: it.state,
        outline: outline.map_err(|error| corrupt("column outline", error.to_string()))?,
        first_seen: it.first_seen,
        analysed: it.analysed,
        packages: it.packages,
    })
}

fn corrupt(what: &str, why: String) -> Error {
    Error::Corrupt { what: what.to_owned(), why }
}
