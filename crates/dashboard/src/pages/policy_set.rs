//! A set of policies: which count and with which thresholds, tried out against what runs before it counts.

use api::{
    PolicyChoice, PolicyModule, PolicySet, PolicyTrial, SettingPolicies, Sort, TriedChange,
    TryingPolicies,
};
use askama::Template;
use axum::response::Response;
use http::StatusCode;

use super::join::trouble;
use crate::contract::{Found, Page};
use crate::draft::{Draft, Field};
use crate::html::Html;
use crate::layout::{Layout, html};
use crate::refused::Refused;
use crate::standing::{state_cell, versions, words};
use crate::table::{Cell, Table, column};
use crate::told::image_page;
use crate::visit::{Form, Visit, go};

pub(super) const PAGE: Page = Page {
    id: "policy_set",
    path: "/o/{org}/policies/set",
    title: "A set of policies",
    about: "What the policies of the organization or of an environment ask for, and asked for; owners \
            change that, and see what would flip before it counts.",
    found: Found::ByLink,
    show: |visit| Box::pin(show(visit)),
    take: Some(|visit, form| Box::pin(take(visit, form))),
};

#[derive(Template)]
#[template(path = "policy_set.html")]
struct Shown {
    layout: Layout,
    owns: bool,
    environment: Option<String>,
    /// Whose these are, for people.
    whose: String,
    /// The version that was in force when the form was drawn; 0: none.
    version: u32,
    /// The former one that is shown instead.
    former: Option<u32>,
    fields: Vec<Field>,
    debug: bool,
    modules: Vec<PolicyModule>,
    is_own: bool,
    is_short: bool,
    trouble: Option<String>,
    note: Option<&'static str>,
    trial: Option<Told>,
    mark: String,
    versions: Html,
    action: String,
    back: String,
}

/// What came of trying, for people.
struct Told {
    summary: String,
    unclear: Option<String>,
    policies: Html,
    changes: Html,
    more: u64,
    is_same: bool,
}

/// What is in force in a place, and from where it is.
struct Place {
    environment: Option<String>,
    set: PolicySet,
}

impl Place {
    async fn of(visit: &Visit, environment: Option<String>) -> Result<Self, Refused> {
        let asked = visit.client.policies(visit.organisation(), environment.as_deref(), None).await;
        Ok(Self { environment, set: asked? })
    }

    /// The version that is in force; 0: what comes with the server. That an environment goes by the
    /// organization's is another one than that it goes by its own.
    fn version(&self) -> u32 {
        let version = self.set.version.as_ref();
        version.filter(|it| it.environment == self.environment).map_or(0, |it| it.version)
    }

    fn whose(&self) -> String {
        let counts = match (&self.environment, &self.set.version) {
            (Some(name), Some(it)) if it.environment.is_none() => {
                format!(
                    "{name} has none of its own: the organization's version {} counts.",
                    it.version
                )
            }
            (Some(name), None) => {
                format!("{name} has none of its own: those that come with Foretop count.")
            }
            (_, Some(it)) => format!("Version {}, set by {}.", it.version, it.set_by),
            (None, None) => "Nobody has set any: those that come with Foretop count.".to_owned(),
        };
        match &self.environment {
            Some(_) => counts,
            None => format!("These hold wherever no environment has its own. {counts}"),
        }
    }
}

async fn show(visit: Visit) -> Result<Response, Refused> {
    let place = Place::of(&visit, visit.asks("environment")).await?;
    if visit.takes_away("versions") {
        let file = every_version(&visit, &place).await?.file(&visit);
        return file.ok_or_else(|| Refused::nowhere("table", "versions"));
    }
    let asked = visit.asked("version").and_then(|it| it.parse::<u32>().ok());
    let former = asked.filter(|it| *it != place.version());
    let (draft, choices) = match former {
        None => {
            let choices = visit
                .client
                .policy_choices(visit.organisation(), place.environment.as_deref())
                .await?;
            (Draft::of(place.set.modules.clone(), &place.set.config), choices.items)
        }
        Some(version) => {
            let environment = place.environment.as_deref();
            let set =
                visit.client.policies(visit.organisation(), environment, Some(version)).await?;
            let draft = Draft::of(set.modules, &set.config);
            // Only owners may have them read: others see what counts, without what else there is.
            let choices = if visit.owns() {
                choices(&visit, &draft).await?
            } else {
                listed(set.version.as_ref(), &draft)
            };
            (draft, choices)
        }
    };
    let drawn = drawn(&visit, &place, draft, &choices).await?;
    Ok(html(&Shown { former, ..drawn }))
}

/// The policies of a version, as far as it says so itself.
fn listed(version: Option<&api::PolicyVersion>, draft: &Draft) -> Vec<PolicyChoice> {
    let titles = version.into_iter().flat_map(|it| &it.policies);
    let choice = |it: &api::PolicyTitle| PolicyChoice {
        id: it.id.clone(),
        title: it.title.clone(),
        description: String::new(),
        points: it.points,
        counts: true,
        by_default: true,
        config: draft.said.get(&it.id).map(|it| it.config.clone().into()).unwrap_or_default(),
        thresholds: Vec::new(),
    };
    titles.map(choice).collect()
}

/// Every policy of a draft; nothing is judged for that.
async fn choices(visit: &Visit, draft: &Draft) -> Result<Vec<PolicyChoice>, Refused> {
    let trying = TryingPolicies {
        modules: draft.modules.clone(),
        limit: Some(0),
        ..TryingPolicies::default()
    };
    Ok(visit.client.try_policies(visit.organisation(), &trying).await?.choices)
}

/// Every version that there was.
async fn every_version(visit: &Visit, place: &Place) -> Result<Table, Refused> {
    let environment = place.environment.as_deref();
    let all = visit.client.policy_versions(visit.organisation(), environment).await?.items;
    let nothing = "There is no version yet: nobody has set any here.";
    Ok(versions(visit, environment, &all, nothing))
}

async fn drawn(
    visit: &Visit,
    place: &Place,
    draft: Draft,
    choices: &[PolicyChoice],
) -> Result<Shown, Refused> {
    let environment = place.environment.as_deref();
    let is_short = draft.is_short();
    let mut modules = if is_short { draft.modules.clone() } else { Vec::new() };
    let is_own = !draft.modules.is_empty();
    if is_short {
        modules.push(PolicyModule { name: String::new(), text: String::new() });
    }
    let title = environment.map_or_else(
        || "The organization's policies".to_owned(),
        |it| format!("The policies of {it}"),
    );
    let back = environment
        .map_or_else(|| visit.to(&["policies"]), |it| visit.to(&["environments", it, "policies"]));
    Ok(Shown {
        layout: visit.layout().titled(title),
        owns: visit.owns(),
        environment: place.environment.clone(),
        whose: place.whose(),
        version: place.version(),
        former: None,
        fields: draft.fields(choices),
        debug: draft.debug,
        modules,
        is_own,
        is_short,
        trouble: None,
        note: None,
        trial: None,
        mark: String::new(),
        versions: every_version(visit, place).await?.html(visit),
        action: visit.to(&["policies", "set"]),
        back,
    })
}

async fn take(visit: Visit, form: Form) -> Result<Response, Refused> {
    let organisation = visit.organisation();
    let place = Place::of(&visit, form.text("environment").map(str::to_owned)).await?;
    let was: u32 = form.text("version").and_then(|it| it.parse().ok()).unwrap_or(0);
    let former = form.text("former").and_then(|it| it.parse::<u32>().ok());
    // What is too long for a form is where the form was drawn from.
    let (kept, sources) = match former {
        None => {
            let sources = place.set.version.as_ref().map(|it| it.sources.clone());
            (place.set.modules.clone(), sources.unwrap_or_default())
        }
        Some(version) => {
            let environment = place.environment.as_deref();
            let set = visit.client.policies(organisation, environment, Some(version)).await?;
            (set.modules, set.version.map(|it| it.sources).unwrap_or_default())
        }
    };
    let draft = Draft::read(&form, kept.clone())?;
    let shown = |draft: Draft, choices: Vec<PolicyChoice>| {
        let (visit, place) = (&visit, &place);
        async move {
            let drawn = drawn(visit, place, draft, &choices).await?;
            Ok::<_, Refused>(Shown { former, ..drawn })
        }
    };
    // What cannot be read is told beside what was typed.
    let choices = match choices(&visit, &draft).await {
        Ok(choices) => choices,
        Err(Refused::Because(problem)) if problem.sort == Sort::Refused => {
            let (why, status) = trouble(api::Error::Problem(problem))?;
            let known = visit.client.policy_choices(organisation, place.environment.as_deref());
            let known = known.await?.items;
            let drawn = shown(draft, known).await?;
            return Ok(answer(&Shown { trouble: Some(why), ..drawn }, status));
        }
        Err(other) => return Err(other),
    };
    let config = draft.config(&choices);
    let mark = draft.mark(&config);
    let saves = form.text("do") == Some("set");
    let is_tried = form.text("tried") == Some(mark.as_str());
    let is_fresh = was == place.version();
    if saves && is_tried && is_fresh {
        let sources = match (draft.modules.is_empty(), draft.modules == kept) {
            (true, _) => Vec::new(),
            (false, true) => sources,
            (false, false) => vec!["written in the dashboard".to_owned()],
        };
        let setting = SettingPolicies {
            modules: draft.modules,
            config: Some(config),
            sources,
            version: None,
        };
        let environment = place.environment.as_deref();
        visit.client.set_policies(organisation, environment, &setting).await?;
        let back = environment.map_or_else(
            || visit.to(&["policies"]),
            |it| visit.to(&["environments", it, "policies"]),
        );
        return Ok(go(&back));
    }
    let note = match (saves, is_fresh) {
        (_, false) => Some(
            "Somebody has put other policies into force here meanwhile. What follows is held against those.",
        ),
        (true, true) => Some("Nothing was saved: this was not tried out yet. It is now."),
        (false, true) => None,
    };
    let trying = TryingPolicies {
        environment: place.environment.clone(),
        modules: draft.modules.clone(),
        config: Some(config),
        ..TryingPolicies::default()
    };
    match visit.client.try_policies(organisation, &trying).await {
        Ok(trial) => {
            let trial = Some(told(&visit, &trial));
            let drawn = shown(draft, choices).await?;
            Ok(answer(&Shown { note, trial, mark, ..drawn }, StatusCode::OK))
        }
        Err(error) => {
            let (why, status) = trouble(error)?;
            let drawn = shown(draft, choices).await?;
            Ok(answer(&Shown { trouble: Some(why), ..drawn }, status))
        }
    }
}

fn answer(shown: &Shown, status: StatusCode) -> Response {
    let mut response = html(shown);
    *response.status_mut() = status;
    response
}

fn told(visit: &Visit, it: &PolicyTrial) -> Told {
    let columns = vec![
        column("policy", "Policy"),
        column("met_now", "Met now"),
        column("met", "Met then"),
        column("not_met_now", "Not met now"),
        column("not_met", "Not met then"),
        column("unknown_now", "Cannot tell now"),
        column("unknown", "Cannot tell then"),
    ];
    let nothing = Html::tag("p", &[], Html::text("No policy would count."));
    let mut policies = Table::new("tried", "Images by policy", columns).or_else(nothing);
    for one in &it.policies {
        let side = |it: Option<u64>| it.map_or_else(|| Cell::text("does not count"), Cell::number);
        policies.push(vec![
            Cell::text(&one.title),
            side(one.now.map(|it| it.met)),
            side(one.then.map(|it| it.met)),
            side(one.now.map(|it| it.not_met)),
            side(one.then.map(|it| it.not_met)),
            side(one.now.map(|it| it.unknown)),
            side(one.then.map(|it| it.unknown)),
        ]);
    }
    let columns = vec![
        column("image", "Image"),
        column("environment", "Runs in"),
        column("policy", "Policy"),
        column("now", "Now"),
        column("then", "Then"),
        column("first", "What would stand against it, or why nobody could tell"),
    ];
    let nothing = Html::tag("p", &[], Html::text("Nothing would flip."));
    let mut changes = Table::new("flips", "What would flip", columns).or_else(nothing);
    for one in &it.changes {
        changes.push(change(visit, one));
    }
    let count = it.changes.len() as u64 + it.more;
    let flips = match count {
        0 => "nothing would flip".to_owned(),
        1 => "1 verdict would be another".to_owned(),
        count => format!("{count} verdicts would be others"),
    };
    let unclear = it.pending > 0 || it.left > 0;
    let unclear = unclear.then(|| {
        let mut parts = Vec::new();
        if it.pending > 0 {
            parts.push(format!("{} are not analysed", it.pending));
        }
        if it.left > 0 {
            parts.push(format!("for {} there was no time in one trial", it.left));
        }
        format!("Of the others nobody can tell: {}.", parts.join(", and "))
    });
    Told {
        summary: format!("Tried on {} of {} images that run: {flips}.", it.judged, it.images),
        unclear,
        policies: policies.plain(),
        changes: changes.plain(),
        more: it.more,
        is_same: count == 0,
    }
}

fn change(visit: &Visit, it: &TriedChange) -> Vec<Cell> {
    let environment = it.environment.as_deref();
    vec![
        Cell::link(&image_page(visit, &it.image, &it.digest), &it.image),
        environment.map_or_else(Cell::none, |it| Cell::link(&visit.to(&["environments", it]), it)),
        Cell::text(&it.policy),
        state_cell(it.now),
        state_cell(it.then),
        words(it.why.as_deref(), it.count, &it.messages),
    ]
}
