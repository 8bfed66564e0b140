//! Where images would stand better than on a base: of what is known here, and no registry is asked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::FootingMove;
use base::{benefits, choose, is_better};
use model::{Digest, ImageState, OrganisationId, Reference};

use crate::app::App;
use crate::footings::Footing;
use crate::footings::brought::{self, Brought};
use crate::refusal::Refusal;

/// Tags of a repository that are looked at, the latest first; and those that are judged.
const TAGS: u32 = 1_000;
const CANDIDATES: usize = 8;

/// The same tag as it is now, and better ones of its repository.
pub(super) async fn of(
    app: &App,
    organisation: &OrganisationId,
    footing: &Footing,
    told: &api::Footing,
    now: &Arc<Brought>,
    untold: &mut Vec<String>,
) -> Result<Vec<FootingMove>, Refusal> {
    let named = told.names.iter().filter_map(|it| it.parse::<Reference>().ok());
    let Some((reference, tag)) =
        named.filter(|it| it.digest.is_none()).find_map(|it| it.tag.clone().map(|tag| (it, tag)))
    else {
        untold.push("where images would stand better: nobody said which tag this is".to_owned());
        return Ok(Vec::new());
    };
    let repository = format!("{}/{}", reference.host, reference.repository);
    let leads = app.store.tags_now(organisation, &repository, &footing.platform, TAGS).await?;
    if leads.is_empty() {
        untold
            .push(format!("where images would stand better: no tag of {repository} is known here"));
        return Ok(Vec::new());
    }
    if leads.len() >= TAGS as usize {
        untold.push(format!("{repository} has many tags: only the latest {TAGS} were looked at"));
    }
    let leads: BTreeMap<String, Digest> = leads.into_iter().collect();
    let own: BTreeSet<&Digest> = footing.itself.iter().map(|it| &it.digest).collect();
    let mut seen: BTreeSet<&Digest> = own.clone();
    let mut looked: Vec<(&str, &Digest, Vec<String>, bool)> = Vec::new();
    if let Some((tag, digest)) = leads.get_key_value(&tag)
        && seen.insert(digest)
    {
        looked.push((tag, digest, Vec::new(), true));
    }
    for choice in choose(&tag, leads.keys().map(String::as_str)).into_iter().take(CANDIDATES) {
        let Some((tag, digest)) = leads.get_key_value(&choice.tag) else { continue };
        if seen.insert(digest) {
            let steps = choice.steps.iter().map(|it| it.as_str().to_owned()).collect();
            looked.push((tag, digest, steps, false));
        }
    }
    let mut moves = Vec::new();
    for (tag, digest, steps, refresh) in looked {
        let name = format!("{repository}:{tag}");
        let image = app.store.image(organisation, digest).await?;
        let analysed = image.as_ref().filter(|it| it.state == ImageState::Analysed);
        let Some(image) = analysed else {
            untold.push(format!(
                "{name}: it is not analysed, so nobody can tell whether it is better"
            ));
            continue;
        };
        let asked = (digest, image.analysed);
        let Some(then) = brought::of(app, organisation, asked, None).await? else { continue };
        if then.weight.gaps > now.weight.gaps {
            untold.push(format!(
                "{name}: less is known of it, so nobody can tell whether it is better"
            ));
        }
        moves.push(FootingMove {
            digest: digest.to_string(),
            refresh,
            steps,
            better: is_better(&now.weight, &then.weight, refresh),
            benefits: benefits(&now.weight, &then.weight),
            removes: now.weight.adds(&then.weight) as u64,
            adds: then.weight.adds(&now.weight) as u64,
            brings: then.counts.clone(),
            name,
        });
    }
    moves.sort_by_key(|it| {
        let of = &it.brings;
        let counts = [of.critical, of.high, of.medium, of.low, of.unspecified];
        (!it.better, !it.refresh, counts, it.name.clone())
    });
    Ok(moves)
}
