//! What was seen being loaded where images run, for those who judge: by one image, and by all of them.

use std::collections::{BTreeSet, HashMap};

use engine::in_use::{Evidence, Usage};
use model::{Digest, InUse, Moment, OrganisationId, Profile};

use crate::app::App;

/// What was seen more seconds ago says nothing any more: whoever looks does so every few minutes.
const OLD: i64 = 7 * 86_400;
/// Packages of all images of an organisation that are held at once. Of what is beyond, nobody can tell.
const MOST: usize = 3_000_000;

/// What was seen being loaded of an image in an environment; `None`: nobody looked.
pub(crate) async fn evidence(
    app: &App,
    organisation: &OrganisationId,
    environment: &str,
    digest: &Digest,
) -> Result<Option<Evidence>, store::Error> {
    let all = app.store.in_use(organisation, environment, digest).await?;
    let Some(oldest) = all.iter().map(|it| it.seen).min() else { return Ok(None) };
    let by: BTreeSet<String> = all.iter().map(|it| it.by.clone()).collect();
    let since = since(app);
    let is_old = all.iter().all(|it| it.seen < since);
    let lately: Vec<_> = all.into_iter().filter(|it| it.seen >= since).collect();
    let seen = lately.iter().map(|it| it.seen).min().unwrap_or(oldest);
    let looked = InUse { by: by.into_iter().collect(), seen: seen.to_string(), is_old };
    let profiles = lately.into_iter().map(|it| it.profile).collect();
    Ok(Some(Evidence { looked, profiles }))
}

/// What was seen before says nothing any more.
fn since(app: &App) -> Moment {
    app.now().plus_seconds(-OLD)
}

/// What stands for what was seen being loaded wherever images of an organisation run: another where
/// anything of it is another.
pub(crate) struct Marks(HashMap<String, HashMap<String, String>>);

impl Marks {
    /// All of it that is not old.
    pub(crate) async fn of(app: &App, organisation: &OrganisationId) -> Result<Self, store::Error> {
        app.store.in_use_marks(organisation, since(app)).await.map(Self)
    }

    /// Of an environment, by its id: by image; `None`: nobody looked there.
    pub(crate) fn there(&self, environment: &str) -> Option<&HashMap<String, String>> {
        self.0.get(environment)
    }
}

/// What was seen being loaded wherever images of an organisation run.
#[derive(Default)]
pub(crate) struct Seen(HashMap<(String, String), Usage>);

impl Seen {
    /// All of it that is not old.
    pub(crate) async fn of(app: &App, organisation: &OrganisationId) -> Result<Self, store::Error> {
        let since = since(app);
        let mut profiles: HashMap<(String, String), Vec<Profile>> = HashMap::new();
        let (mut count, mut is_all) = (0, true);
        let take = |environment: String, it: store::SeenInUse| {
            count += it.profile.packages.len();
            is_all = count <= MOST;
            if is_all {
                profiles.entry((environment, it.digest)).or_default().push(it.profile);
            }
            is_all
        };
        app.store.all_in_use(organisation, since, take).await?;
        if !is_all {
            tracing::warn!(organisation = organisation.0, "more is loaded than can be held");
            // Another runtime may have seen the same image load more.
            profiles.values_mut().flatten().for_each(|it| it.is_whole = false);
        }
        let usage = profiles.into_iter().filter_map(|(key, all)| Some((key, Usage::of(all)?)));
        Ok(Self(usage.collect()))
    }

    /// What an image loads in that environment, by its id; `None`: nobody looked.
    pub(crate) fn usage(&self, environment: &str, digest: &Digest) -> Option<&Usage> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get(&(environment.to_owned(), digest.to_string()))
    }

    /// Does one of these images load one of these packages in that environment, by its id?
    pub(crate) fn loads<'a>(
        &self,
        environment: &str,
        digests: impl IntoIterator<Item = &'a Digest>,
        packages: &[model::Purl],
        source: &str,
    ) -> Option<bool> {
        if self.0.is_empty() {
            return None;
        }
        let (mut is_any, mut is_doubtful) = (false, false);
        for digest in digests {
            is_any = true;
            let usage = self.0.get(&(environment.to_owned(), digest.to_string()));
            match usage.and_then(|it| it.loads(packages, source)) {
                Some(true) => return Some(true),
                Some(false) => {}
                None => is_doubtful = true,
            }
        }
        (is_any && !is_doubtful).then_some(false)
    }
}
