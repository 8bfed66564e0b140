//! One recording: what it supersedes, and what it leaves as it is.

use std::collections::HashMap;

use model::{
    Act, Deployment, Digest, EventKind, ImageState, Moment, OrganisationId, Platform, Recording,
    Source,
};

use super::{SELECT, described, read};
use crate::contract::{Change, Error, Recorded};
use crate::db::{Tx, values};
use crate::environments::Held;
use crate::{events, names, new_id};

/// A recording that was looked through.
pub(super) struct Draft {
    pub(super) application: String,
    /// As a key has it.
    pub(super) platform: String,
    recording: Recording,
    source: Source,
}

impl Draft {
    pub(super) fn new(recording: &Recording, source: &Source) -> Result<Self, Error> {
        let repository = names::repository(&recording.repository)?;
        let application = match &recording.application {
            Some(name) => names::cleaned("application", name)?,
            None => repository.clone(),
        };
        let tag = recording.tag.as_deref().map(|it| names::cleaned("tag", it)).transpose()?;
        let platform = platform_key(&recording.platform)?;
        let recording = Recording { repository, tag, ..recording.clone() };
        Ok(Self { application, platform, recording, source: source.clone() })
    }

    fn digest(&self) -> &Digest {
        &self.recording.digest
    }

    /// Is this what runs already?
    pub(super) fn is(&self, running: &Deployment) -> bool {
        running.digest == self.recording.digest
            && running.tag == self.recording.tag
            && running.repository == self.recording.repository
    }

    /// A runtime's own, or the empty one that everybody else records into.
    fn slot(&self) -> String {
        self.source.runtime().map(|_| self.source.to_string()).unwrap_or_default()
    }
}

/// A platform as a text that reads back.
pub(crate) fn platform_key(platform: &Platform) -> Result<String, Error> {
    let key = platform.to_string();
    if key.len() <= 100 && key.parse::<Platform>().is_ok() {
        return Ok(key);
    }
    Err(Error::Refused {
        what: format!("platform `{}`", key.chars().take(60).collect::<String>().escape_debug()),
        why: "it is not a platform such as linux/amd64".to_owned(),
        hint: None,
    })
}

/// Each image of an application gets a name of its own: the one that ran before keeps it, else the
/// smallest digest has it.
pub(super) fn one_per_key(mut drafts: Vec<Draft>, before: &[Deployment]) -> Vec<Draft> {
    let known: HashMap<(&str, String), &Digest> = before
        .iter()
        .map(|it| ((it.application.as_str(), it.platform.to_string()), &it.digest))
        .collect();
    drafts.sort_by_cached_key(|it| {
        let key = (it.application.as_str(), it.platform.clone());
        let ran = known.get(&key).is_some_and(|digest| *digest == it.digest());
        let tag = it.recording.tag.clone();
        (it.application.clone(), it.platform.clone(), !ran, it.digest().clone(), tag)
    });
    drafts.dedup_by(|left, right| {
        left.application == right.application
            && left.platform == right.platform
            && left.digest() == right.digest()
    });
    let mut last = None;
    for draft in &mut drafts {
        let key = (draft.application.clone(), draft.platform.clone());
        if last.as_ref() == Some(&key) {
            draft.application = format!("{}@{}", draft.application, draft.digest().short());
        } else {
            last = Some(key);
        }
    }
    drafts
}

/// Records a draft in an environment that we hold.
pub(super) async fn put(
    tx: &mut Tx,
    organisation: &OrganisationId,
    act: &Act,
    held: &Held,
    draft: &Draft,
) -> Result<Recorded, Error> {
    let recording = &draft.recording;
    let former = latest(tx, organisation, held, draft).await?;
    let running = former.as_ref().filter(|it| it.until.is_none());
    if let Some(running) = running.filter(|it| draft.is(it)) {
        return Ok(Recorded { deployment: running.clone(), change: Change::Unchanged });
    }
    // Clocks differ and are set back; the order of what was recorded does not change for that.
    let after = former.as_ref().map(|it| it.until.unwrap_or(it.from.next()));
    let image = analysed(tx, organisation, &recording.digest).await?;
    let deployment = Deployment {
        id: new_id(),
        environment: held.name.clone(),
        application: draft.application.clone(),
        platform: draft.platform.parse().expect("it was read back before"),
        repository: recording.repository.clone(),
        tag: recording.tag.clone(),
        digest: recording.digest.clone(),
        source: draft.source.clone(),
        recorded_by: names::told(&act.who),
        recorded_from: names::told(&act.origin),
        from: after.map_or(act.at, |it| it.max(act.at)),
        until: None,
        pending: image.is_none(),
    };
    let replaced = match running.cloned() {
        Some(mut it) => {
            let sql = "UPDATE deployments SET until_at = $2 WHERE id = $1";
            tx.run(sql, values![&it.id, deployment.from]).await?;
            it.until = Some(deployment.from);
            Some(it)
        }
        None => None,
    };
    insert(tx, organisation, held, draft, &deployment, image).await?;
    let kind = match &replaced {
        Some(_) => EventKind::DeploymentReplaced,
        None => EventKind::DeploymentStarted,
    };
    let mut detail = described(&deployment);
    if let Some(it) = &replaced {
        detail["replaced"] = described(it);
    }
    let note = events::Note::new(kind, &deployment.application).within(&held.id, &held.name);
    note.detail(detail).write(tx, organisation, act).await?;
    let change = replaced.map_or(Change::Started, |it| Change::Replaced(Box::new(it)));
    Ok(Recorded { deployment, change })
}

/// The last that was recorded under the draft's key, running or ended.
async fn latest(
    tx: &mut Tx,
    organisation: &OrganisationId,
    held: &Held,
    draft: &Draft,
) -> Result<Option<Deployment>, Error> {
    let sql = format!(
        "{SELECT} WHERE d.organisation = $5 AND d.environment = $1 AND d.slot = $2
                  AND d.application = $3 AND d.platform = $4 ORDER BY d.from_at DESC LIMIT 1"
    );
    let (slot, whose) = (draft.slot(), &organisation.0);
    let values = values![&held.id, slot, &draft.application, &draft.platform, whose];
    tx.row(sql, values).await?.as_ref().map(read).transpose()
}

/// The number of an image that is analysed, which is not deleted before the end.
async fn analysed(
    tx: &mut Tx,
    organisation: &OrganisationId,
    digest: &Digest,
) -> Result<Option<i64>, Error> {
    let sql = format!(
        "SELECT id FROM images WHERE organisation = $1 AND digest = $2 AND state = $3 {}",
        tx.keeping()
    );
    let state = crate::images::state_word(&ImageState::Analysed);
    let row = tx.row(sql, values![&organisation.0, digest.as_str(), state]).await?;
    row.map(|it| it.int("id")).transpose()
}

async fn insert(
    tx: &mut Tx,
    organisation: &OrganisationId,
    held: &Held,
    draft: &Draft,
    deployment: &Deployment,
    image: Option<i64>,
) -> Result<(), Error> {
    tx.run(
        "INSERT INTO deployments (id, organisation, environment, slot, application, platform,
                                  repository, tag, digest, source, recorded_by, recorded_from,
                                  from_at, until_at, analysed)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        values![
            &deployment.id,
            &organisation.0,
            &held.id,
            draft.slot(),
            &deployment.application,
            &draft.platform,
            &deployment.repository,
            deployment.tag.as_deref(),
            deployment.digest.as_str(),
            deployment.source.to_string(),
            &deployment.recorded_by,
            &deployment.recorded_from,
            deployment.from,
            deployment.until.map(Moment::micros),
            image,
        ],
    )
    .await
    .map(|_| ())
}
