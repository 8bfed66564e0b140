//! What is kept although it follows from the rest, so that lists need not count what they tell of:
//! how much runs in an environment, and as which image, once that is analysed, a deployment is known.
//!
//! How much runs is always true: whoever changes it holds the environment. An analysed image is only
//! ever forgotten to be told of, where somebody records while somebody else analyses; so who finds
//! none looks at the images themselves. On SQLite one writes after the other, and nothing is forgotten.

use model::{Digest, OrganisationId};

use crate::contract::Error;
use crate::db::{Db, Tx, values};

/// So many more run in an environment that we hold.
pub(crate) async fn runs_more(tx: &mut Tx, environment: &str, more: i64) -> Result<(), Error> {
    if more != 0 {
        let sql = "UPDATE environments SET running = running + $2 WHERE id = $1";
        tx.run(sql, values![environment, more]).await?;
    }
    Ok(())
}

/// An image is analysed: what runs of it says so, but for what others change right now.
pub(crate) async fn is_analysed(
    tx: &mut Tx,
    organisation: &OrganisationId,
    digest: &Digest,
    image: i64,
) -> Result<(), Error> {
    let sql = format!(
        "UPDATE deployments SET analysed = $3 WHERE id IN
             (SELECT id FROM deployments WHERE organisation = $1 AND digest = $2
              AND until_at IS NULL AND analysed IS NULL {})",
        tx.skipping_held()
    );
    tx.run(sql, values![&organisation.0, digest.as_str(), image]).await.map(|_| ())
}

/// How much of what runs in an environment `e` is of images that nobody has analysed, as SQL.
pub(crate) fn unread(db: &Db) -> &'static str {
    if db.is_file() {
        return "(SELECT COUNT(*) FROM deployments d
                 WHERE d.environment = e.id AND d.until_at IS NULL AND d.analysed IS NULL)";
    }
    "(SELECT COUNT(*) FROM deployments d
      LEFT JOIN images i ON i.organisation = d.organisation AND i.digest = d.digest
           AND i.state = 'analysed'
      WHERE d.environment = e.id AND d.until_at IS NULL AND d.analysed IS NULL AND i.id IS NULL)"
}

/// All of it anew, from the rest.
pub(crate) async fn all(tx: &mut Tx) -> Result<(), Error> {
    for sql in [
        "UPDATE environments SET running = (SELECT COUNT(*) FROM deployments d
             WHERE d.environment = environments.id AND d.until_at IS NULL)",
        "UPDATE deployments SET analysed = (SELECT i.id FROM images i
             WHERE i.organisation = deployments.organisation AND i.digest = deployments.digest
             AND i.state = 'analysed') WHERE until_at IS NULL",
    ] {
        tx.run(sql, vec![]).await?;
    }
    Ok(())
}
