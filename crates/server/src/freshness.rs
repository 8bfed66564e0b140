//! Freshness: a feed that speaks of what runs and is older than it is to be is told once, and once more
//! when it is not.

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
    for organisation in app.store.organisations().await.map_err(told)? {
        let before = app.store.stale_feeds(&organisation.id).await.map_err(told)?;
        if before.is_empty() && !is_any_old {
            continue;
        }
        // Where others have another almanac by which things are judged, its age is for them to tell.
        let judged = app.store.last_evaluation(&organisation.id).await.map_err(told)?;
        if judged.is_none_or(|it| it.almanac != digest) {
            continue;
        }
        let held = app.fleet.now(&app.store).await.map_err(told)?;
        let families = held.ships().portfolio.families(&organisation.id);
        drop(held);
        let matter = if families.is_empty() {
            std::collections::BTreeSet::new()
        } else {
            lookout.feeds_about(&families)
        };
        for feed in &feeds {
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
            let written =
                app.store.feed_is(&organisation.id, &act, &feed.feed, is_stale, detail).await;
            written.map_err(told)?;
        }
    }
    Ok(())
}
