//! Freshness: of which feeds an organisation was told that they are older than they are to be.

use std::collections::BTreeSet;

use model::{Act, EventKind, OrganisationId};
use serde_json::Value as Json;

use crate::contract::Error;
use crate::db::values;
use crate::{Store, events};

impl Store {
    /// The feeds that an organisation was told are stale, and not yet that they are fresh again.
    pub async fn stale_feeds(
        &self,
        organisation: &OrganisationId,
    ) -> Result<BTreeSet<String>, Error> {
        let sql = "SELECT feed FROM stale_feeds WHERE organisation = $1";
        let rows = self.db.rows(sql, values![&organisation.0]).await?;
        rows.iter().map(|it| it.text("feed")).collect()
    }

    /// A feed is stale, or is not: that is told once, when it changes. Says whether it did.
    pub async fn feed_is(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        feed: &str,
        stale: bool,
        detail: Json,
    ) -> Result<bool, Error> {
        let mut tx = self.db.write().await?;
        let (kind, changed) = if stale {
            let sql = "INSERT INTO stale_feeds (organisation, feed, since_at)
                       SELECT o.id, $2, $3 FROM organisations o WHERE o.id = $1 AND o.deleting = 0
                       ON CONFLICT (organisation, feed) DO NOTHING";
            let changed = tx.run(sql, values![&organisation.0, feed, act.at]).await?;
            (EventKind::AlmanacStale, changed)
        } else {
            let sql = "DELETE FROM stale_feeds WHERE organisation = $1 AND feed = $2";
            (EventKind::AlmanacFresh, tx.run(sql, values![&organisation.0, feed]).await?)
        };
        if changed == 0 {
            return Ok(false);
        }
        events::Note::new(kind, feed).detail(detail).write(&mut tx, organisation, act).await?;
        tx.commit().await?;
        Ok(true)
    }
}
