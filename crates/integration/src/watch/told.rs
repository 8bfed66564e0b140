//! What was told is looked into.

use std::time::Duration;

use model::Digest;

use super::{Cause, Found, Report, Watch, WatchError};
use crate::contract::{Action, Failure, Notice, Repository, Tagged};

/// How long to wait for what was told, before it is taken for gone.
const SOON: [Duration; 3] =
    [Duration::from_millis(100), Duration::from_millis(400), Duration::from_millis(1500)];

impl Watch<'_> {
    /// Looks at what a notice is about. What it says leads; what the registry says counts.
    pub async fn told(&self, notice: &Notice) -> Result<Report, WatchError> {
        let repository = self.directory.repository(&notice.registry, &notice.repository);
        let mut report = Report { repositories: 1, ..Report::default() };
        if !self.options.filter.takes(&repository) {
            return Ok(Report::default());
        }
        self.forgive().await;
        let tags: Vec<String> = match (&notice.tag, &notice.digest) {
            (Some(tag), _) => vec![tag.clone()],
            // Every tag that led there may be gone with it.
            (None, Some(digest)) if notice.action == Action::Deleted => {
                let before = self.memory.tags(&repository).await?;
                before.into_iter().filter(|it| it.1 == *digest).map(|it| it.0).collect()
            }
            (None, Some(digest)) => {
                match self.soon(&repository, digest.as_str()).await {
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
        for tag in tags.into_iter().filter(|it| self.options.filter.takes_tag(it)) {
            report.tags += 1;
            let mut tagged = Tagged { tag, digest: None, at: None };
            if notice.action != Action::Deleted {
                report.asked += 1;
                tagged.digest = match self.soon(&repository, &tagged.tag).await {
                    Ok(digest) => digest,
                    Err(failure) => {
                        report.failed(&format!("{}:{}", repository.name, tagged.tag), &failure);
                        continue;
                    }
                };
            }
            let was = self.memory.tag(&repository, &tagged.tag).await?;
            self.look_at_tag(&repository, tagged, was.as_ref(), cause, &mut report).await?;
        }
        Ok(report)
    }

    /// What a tag or digest leads to that was just pushed. Some registries tell of it a moment before
    /// they know it themselves.
    async fn soon(&self, repository: &Repository, what: &str) -> Result<Option<Digest>, Failure> {
        for wait in SOON {
            let found = {
                let _place = self.places.acquire().await.ok();
                self.directory.digest(repository, what).await?
            };
            if found.is_some() {
                return Ok(found);
            }
            tokio::time::sleep(wait).await;
        }
        let _place = self.places.acquire().await.ok();
        self.directory.digest(repository, what).await
    }
}
