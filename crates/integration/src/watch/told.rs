//! What was told is looked into.

use std::time::Duration;

use model::Digest;

use super::report::stays;
use super::{Cause, Found, Leads, Report, STAYS_FOR, Watch, WatchError};
use crate::contract::{Action, Failure, Notice, Repository};

/// When what was told is asked for once more, before it is taken for gone.
const SOON: [Duration; 3] =
    [Duration::from_millis(100), Duration::from_millis(500), Duration::from_secs(2)];

impl Watch<'_> {
    /// Looks at what a notice is about that came just now. What it says leads; what the registry says
    /// counts.
    pub async fn told(&self, notice: &Notice) -> Result<Report, WatchError> {
        self.told_before(notice, Duration::ZERO).await
    }

    /// The same, of a notice that came so long ago: what is still not there is not waited for.
    pub async fn told_before(&self, notice: &Notice, ago: Duration) -> Result<Report, WatchError> {
        let repository = self.directory.repository(&notice.registry, &notice.repository);
        let filter = &self.options.filter;
        let mut report = Report { repositories: 1, ..Report::default() };
        if !filter.takes(&repository) {
            return Ok(Report::default());
        }
        self.forgive(|(failure, at)| stays(failure) && at.elapsed() < STAYS_FOR).await;
        let tags: Vec<String> = match (&notice.tag, &notice.digest) {
            (Some(tag), _) => vec![tag.clone()],
            // Every tag that led there may be gone with it.
            (None, Some(digest)) if notice.action == Action::Deleted => {
                let before = self.memory.tags(&repository).await?;
                before.into_iter().filter(|it| it.1 == *digest).map(|it| it.0).collect()
            }
            // Whoever wants some tags alone does not want what has none.
            (None, Some(_)) if filter.has_tags() => Vec::new(),
            (None, Some(digest)) => {
                match self.soon(&repository, digest.as_str(), ago).await {
                    Ok(Some(digest)) => {
                        let action = Action::Pushed;
                        let found = Found { repository, tag: None, digest, action };
                        self.work(&found, &mut report).await?;
                    }
                    Ok(None) => {}
                    Err(failure) => report.failed(&repository.name, &failure),
                }
                return Ok(report);
            }
            (None, None) => Vec::new(),
        };
        let cause = if notice.action == Action::Deleted { Cause::Look } else { Cause::Told };
        for tag in tags.into_iter().filter(|it| filter.takes_tag(it)) {
            report.tags += 1;
            let was = self.memory.tag(&repository, &tag).await?;
            let mut leads = Leads::Unknown;
            if notice.action != Action::Deleted {
                report.asked += 1;
                leads = match self.soon(&repository, &tag, ago).await {
                    Ok(Some(digest)) => Leads::To(digest),
                    Ok(None) => Leads::Nowhere,
                    Err(failure) => {
                        report.failed(&format!("{}:{tag}", repository.name), &failure);
                        continue;
                    }
                };
            }
            self.compare(&repository, &tag, leads, was.as_ref(), cause, &mut report).await?;
        }
        Ok(report)
    }

    /// What a tag or digest leads to that was pushed so long ago. Some registries tell of it a moment
    /// before they know it themselves.
    async fn soon(
        &self,
        repository: &Repository,
        what: &str,
        ago: Duration,
    ) -> Result<Option<Digest>, Failure> {
        let mut ago = ago;
        loop {
            let found = {
                let _place = self.places.acquire().await.ok();
                self.directory.digest(repository, what).await?
            };
            let next = SOON.into_iter().find(|it| *it > ago);
            match (found, next) {
                (None, Some(next)) => {
                    tokio::time::sleep(next.saturating_sub(ago)).await;
                    ago = next;
                }
                (found, _) => return Ok(found),
            }
        }
    }
}
