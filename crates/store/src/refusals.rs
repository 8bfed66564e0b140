//! Webhooks that were not taken: how many, and why the last, in one row for all of an integration.

use std::collections::BTreeMap;

use model::{Moment, OrganisationId};

use crate::contract::{Error, Refused};
use crate::db::values;
use crate::{Store, names};

impl Store {
    /// So many more webhooks of an integration were not taken, the last of them then and for that.
    /// Those from before it was told something else say nothing, and are counted no more.
    pub async fn webhooks_refused(
        &self,
        integration: &str,
        revision: i64,
        refused: &Refused,
    ) -> Result<(), Error> {
        let mut tx = self.db.write().await?;
        tx.run(
            "UPDATE integrations
             SET refused = $3 + CASE WHEN refused_of = revision THEN refused ELSE 0 END,
                 refused_of = revision, refused_at = $4, refused_why = $5
             WHERE id = $1 AND revision = $2",
            values![
                integration,
                revision,
                i64::try_from(refused.count).unwrap_or(i64::MAX),
                refused.last,
                names::told(&refused.why),
            ],
        )
        .await?;
        tx.commit().await
    }

    /// How many webhooks of each integration of an organisation were not taken, by its id.
    pub async fn refused_webhooks(
        &self,
        organisation: &OrganisationId,
    ) -> Result<BTreeMap<String, Refused>, Error> {
        let sql = "SELECT id, refused, refused_at, refused_why FROM integrations
                   WHERE organisation = $1 AND refused_of = revision AND refused > 0";
        let mut all = BTreeMap::new();
        for row in self.db.rows(sql, values![&organisation.0]).await? {
            let refused = Refused {
                count: u64::try_from(row.int("refused")?).unwrap_or_default(),
                last: row.maybe_moment("refused_at")?.unwrap_or(Moment::from_micros(0)),
                why: row.maybe_text("refused_why")?.unwrap_or_default(),
            };
            all.insert(row.text("id")?, refused);
        }
        Ok(all)
    }
}
