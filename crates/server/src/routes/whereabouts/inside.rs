//! What images that were found have inside: in which files a package is, and what is said about a flaw.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use api::{Place, Sighted};
use engine::{Filter, Lookout};
use model::{Analysis, Gap, Inventory, OrganisationId, Purl, Statement};

use crate::app::App;
use crate::exceptions::{Lookouts, Said};
use crate::refusal::Refusal;
use crate::{judge, named};

/// What is wanted of each image.
pub(super) struct Inside {
    /// The files.
    pub(super) places: bool,
    /// What counts of what is said.
    pub(super) lookouts: Lookouts,
}

/// One deployment of an image: what was found, and what is to be told of it.
struct Told<'a> {
    /// Its number among all that was found.
    of: usize,
    /// All names of the flaw, if one was looked for.
    flaw: Vec<String>,
    said: Said,
    purls: &'a [Purl],
    places: &'a mut Vec<Place>,
    statement: &'a mut Option<Statement>,
}

impl Inside {
    /// Puts to each deployment what is wanted of its image. Each image is read once, and one at a time
    /// is held: there may be hundreds. Adds to the gaps those that nobody can look into any more, and
    /// gives back what images say that does not count.
    pub(super) async fn look(
        &mut self,
        app: &App,
        organisation: &OrganisationId,
        found: &mut [(Sighted, Vec<Purl>)],
        gaps: &mut Vec<Gap>,
    ) -> Result<Vec<Gap>, Refusal> {
        let mut refused = Vec::new();
        let mut by_image: BTreeMap<(String, String, Option<String>), Vec<Told<'_>>> =
            BTreeMap::new();
        for (of, (sighted, purls)) in found.iter_mut().enumerate() {
            let flaw = sighted.flaw.as_ref();
            let flaw = flaw.map(|it| [std::slice::from_ref(&it.id), &it.aliases].concat());
            let flaw = flaw.unwrap_or_default();
            let mut said: HashMap<Option<&String>, Said> = HashMap::new();
            for it in &mut sighted.deployments {
                let deployment = &it.deployment;
                let own =
                    Some(&deployment.environment).filter(|it| self.lookouts.are_others_in(it));
                let own_name = own.map(String::as_str);
                let said = *said.entry(own).or_insert_with(|| match &*flaw {
                    [] => Said::Nothing,
                    [id, aliases @ ..] => self.lookouts.said(own_name, id, aliases),
                });
                if !self.places && said == Said::Nothing {
                    continue;
                }
                let image = (deployment.digest.clone(), deployment.image.clone(), own.cloned());
                let (places, statement) = (&mut it.places, &mut it.statement);
                let told = Told { of, flaw: flaw.clone(), said, purls, places, statement };
                by_image.entry(image).or_default().push(told);
            }
        }
        // What is said of every image alike, by what was found, and where.
        let mut alike: HashMap<(usize, Option<String>), Option<Statement>> = HashMap::new();
        for ((digest, image, own), mut told) in by_image {
            told.retain_mut(|it| {
                let known = alike.get(&(it.of, own.clone())).filter(|_| it.said == Said::Alike);
                if let Some(known) = known {
                    known.clone_into(it.statement);
                }
                self.places || known.is_none()
            });
            if told.is_empty() {
                continue;
            }
            let digest = named::digest(&digest)?;
            let Some(inventory) = app.store.inventory(organisation, &digest).await? else {
                gaps.push(Gap::new(image, "it is not analysed any more: cannot tell"));
                continue;
            };
            if self.places {
                for it in &mut told {
                    *it.places = places(&inventory, it.purls);
                }
            }
            // A package is where it is, whatever is said about it.
            if told.iter().all(|it| it.flaw.is_empty()) {
                continue;
            }
            let name = |it: Gap| Gap::new(format!("{image}: {}", it.at), it.why);
            let lookout = self.lookouts.there(own.as_deref());
            refused.extend(lookout.refused(&inventory).into_iter().map(name));
            if told.iter().all(|it| it.said == Said::Nothing) {
                continue;
            }
            let analysis = analysis(app, &lookout, inventory).await?;
            for it in told {
                *it.statement = statement(&analysis, &it.flaw, it.purls);
                if it.said == Said::Alike && it.statement.is_some() {
                    alike.insert((it.of, own.clone()), it.statement.clone());
                }
            }
        }
        refused.sort();
        refused.dedup();
        Ok(refused)
    }
}

async fn analysis(
    app: &App,
    lookout: &Arc<Lookout>,
    inventory: Inventory,
) -> Result<Analysis, Refusal> {
    let judged = judge::on_a_core(app, lookout, move |lookout| {
        lookout.analyze_in_brief(inventory, &Filter::default())
    });
    judged.await
}

/// The statement that takes the flaw out of the way, if all that the packages have of it is.
fn statement(analysis: &Analysis, flaw: &[String], purls: &[Purl]) -> Option<Statement> {
    let is_about = |at: &usize| {
        analysis.inventory.packages.get(*at).is_some_and(|it| purls.contains(&it.purl))
    };
    let mut about = analysis.findings.iter().filter(|it| {
        let mut names = it.aliases.iter().chain([&it.id]);
        names.any(|it| flaw.contains(it)) && it.packages.iter().any(is_about)
    });
    let first = about.next().filter(|it| it.suppressed())?;
    about.all(model::Finding::suppressed).then(|| first.statement.clone()).flatten()
}

/// The files that the packages are in, by layer.
fn places(inventory: &Inventory, purls: &[Purl]) -> Vec<Place> {
    let layers = inventory.subject.image().map(|it| it.layers.as_slice()).unwrap_or_default();
    let mut places: BTreeMap<(Option<u32>, String), Place> = BTreeMap::new();
    for place in
        inventory.packages.iter().filter(|it| purls.contains(&it.purl)).flat_map(|it| &it.places)
    {
        let layer = place.first_layer.or(place.layer);
        let made = layer.and_then(|it| layers.get(it as usize));
        places.entry((layer, place.path.clone())).or_insert_with(|| Place {
            layer,
            digest: made
                .and_then(|it| it.digest.as_ref().or(it.diff_id.as_ref()))
                .map(ToString::to_string),
            path: place.path.clone(),
            created_by: made.and_then(|it| it.created_by.clone()),
        });
    }
    places.into_values().collect()
}

#[cfg(test)]
mod tests {
    use api::{Deployment, Judging, Sighting};
    use serde_json::json;

    use super::*;

    /// It was found a moment ago, and what it holds is gone.
    #[tokio::test]
    async fn what_went_meanwhile_is_a_gap_and_not_left_aside() {
        let app = crate::tests::app().await;
        let deployment: Deployment = serde_json::from_value(json!({
            "id": "d", "environment": "production", "application": "web", "platform": "linux/amd64",
            "image": "acme/web:v1", "repository": "docker.io/acme/web",
            "digest": model::Digest::from_sha256(&[1; 32]).to_string(),
            "source": "cli", "recorded_by": "ann", "recorded_from": "",
            "from": "2026-11-21T10:00:00Z", "pending": false,
        }))
        .unwrap();
        let sighting = Sighting { deployment, places: vec![], statement: None };
        let sighted = Sighted {
            flaw: None,
            purls: vec![],
            images: 1,
            environments: vec![],
            deployments: vec![sighting],
            more: false,
        };
        let acme = OrganisationId("acme".to_owned());
        let lookouts = Lookouts::of(&app, &acme, Judging::default()).await.unwrap();
        let mut inside = Inside { places: true, lookouts };
        let mut gaps = Vec::new();
        let refused = inside.look(&app, &acme, &mut [(sighted, vec![])], &mut gaps).await.unwrap();
        let why = "it is not analysed any more: cannot tell";
        assert_eq!((refused, gaps), (vec![], vec![Gap::new("acme/web:v1", why)]));
    }
}
