//! Freshness: a feed that speaks of what runs and is older than it is to be is told once, and once more
//! when it is not.

use std::collections::BTreeSet;

use engine::{FeedState, Lookout};
use model::OrganisationId;
use serde_json::json;

use crate::app::App;
use crate::jobs::itself;

/// By this name it is told.
const WHO: &str = "judge_freshness";

/// Looks at each feed that matters to somebody.
pub(crate) async fn judge(app: &App) -> Result<(), String> {
    let told = |error: store::Error| error.to_string();
    let lookout = app.world.lookout(app.now()).map_err(|error| error.to_string())?;
    let (feeds, digest) = (lookout.feeds(), lookout.almanac().digest().to_string());
    let is_any_old = feeds.iter().any(|it| it.is_old);
    let mut outcome = Ok(());
    for organisation in app.store.organisations().await.map_err(told)? {
        // What is wrong with one is in nobody else's way.
        let judged = judge_one(app, &organisation.id, (&lookout, &feeds, &digest), is_any_old);
        outcome = outcome.and(judged.await.map_err(told));
    }
    outcome
}

async fn judge_one(
    app: &App,
    organisation: &OrganisationId,
    (lookout, feeds, digest): (&Lookout, &[FeedState], &str),
    is_any_old: bool,
) -> Result<(), store::Error> {
    let before = app.store.stale_feeds(organisation).await?;
    if before.is_empty() && !is_any_old {
        return Ok(());
    }
    // Where others have another almanac by which things are judged, its age is for them to tell.
    let judged = app.store.last_evaluation(organisation).await?;
    if judged.is_none_or(|it| it.almanac != digest) {
        return Ok(());
    }
    let held = app.fleet.now(&app.store).await?;
    let families = held.ships().portfolio.families(organisation);
    drop(held);
    let matter = if families.is_empty() { BTreeSet::new() } else { lookout.feeds_about(&families) };
    for feed in feeds {
        let is_stale = feed.is_old && matter.contains(&*feed.feed);
        let was_stale = before.contains(&feed.feed);
        // One that matters to nobody any more is let go of as it is.
        if is_stale == was_stale || (was_stale && feed.is_old) {
            continue;
        }
        let detail = json!({
            "days": feed.age,
            "current": feed.current,
            "why": feed.errors.first(),
            "almanac": digest,
        });
        let act = itself(app, WHO);
        app.store.feed_is(organisation, &act, &feed.feed, is_stale, detail).await?;
    }
    Ok(())
}
