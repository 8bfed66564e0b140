//! What policies say of what would go from one environment to another: those of the other one judge both.

use api::{Pair, PairOutcome};
use format::comparison::{Promotion, Setback, Worse};
use format::policies::{Compared, Judged, Policy, State};
use model::Analysis;
use policy::Judge;

use super::Between;
use crate::Context;
use crate::asking::{Whose, ask_with};
use crate::bases::Ground;
use crate::policies::judged_among_others as judged;

/// An application that would be another one.
pub(super) struct Changed {
    /// Its name.
    name: String,
    /// Digest of the image that would run. None: nobody can tell.
    after: Option<String>,
    /// Of the one that runs there, if one does.
    before: Option<String>,
}

/// What is to go where, and who judges.
pub(super) struct Promoting<'a> {
    pub(super) whose: &'a Whose,
    pub(super) between: &'a Between<'a>,
    pub(super) judge: &'a Judge,
}

/// What is wrong with the image that would run, and with the one that runs there.
type Sides = (Analysis, Option<Analysis>);

/// Applications whose images are held at once.
const TOGETHER: usize = 8;

impl Changed {
    /// Of a pair in which something would be another than now.
    pub(super) fn of(pair: &Pair) -> Option<Self> {
        let name = pair.application.clone().unwrap_or_default();
        let digest = |it: &Option<api::Running>| it.as_ref().map(|it| it.digest.clone());
        match pair.outcome {
            PairOutcome::Unchanged | PairOutcome::Removed => None,
            PairOutcome::Compared | PairOutcome::Added => {
                Some(Self { name, after: digest(&pair.from), before: digest(&pair.to) })
            }
            PairOutcome::Unknown => Some(Self { name, after: None, before: None }),
        }
    }
}

impl Promoting<'_> {
    /// Which policies would be worse off. What would be new there has to meet all; what nobody can tell may
    /// be worse.
    pub(super) fn judged(&self, all: &[Changed], context: &Context) -> anyhow::Result<Promotion> {
        let mut worse = Vec::new();
        for part in all.chunks(TOGETHER) {
            let sides = self.sides(part, context)?;
            for (it, sides) in part.iter().zip(sides) {
                let (policies, unknown) = match sides {
                    Ok((after, before)) => (self.setbacks(&after, before.as_ref(), context)?, None),
                    Err(why) => (Vec::new(), Some(why)),
                };
                if !policies.is_empty() || unknown.is_some() {
                    worse.push(Worse { application: it.name.clone(), policies, unknown });
                }
            }
        }
        let promotion = Promotion { applications: all.len(), worse };
        let line = format!("by the policies of {}, {}", self.between.to, promotion.says());
        if promotion.worse.is_empty() {
            context.messages.done(&line);
        } else {
            context.messages.warn(&line);
        }
        Ok(promotion)
    }

    /// What is wrong with the images of each, judged for where they are to go; or why nobody can tell.
    fn sides(
        &self,
        part: &[Changed],
        context: &Context,
    ) -> anyhow::Result<Vec<Result<Sides, String>>> {
        let advice = self.between.advice;
        let mut judging = advice.judging(context, true)?;
        judging.environment = Some(self.between.to.to_owned());
        ask_with(context, self.whose, advice.directory(), async |asking| {
            let of = async |digest: &str| {
                let analysis = asking.client.analysis(&asking.organisation, digest, &judging);
                analysis.await.map_err(|error| error.to_string())
            };
            let both = async |it: &Changed| {
                let after = it.after.as_deref().ok_or("an image of it is not analysed")?;
                let before = match &it.before {
                    Some(digest) => Some(of(digest).await?),
                    None => None,
                };
                Ok::<_, String>((of(after).await?, before))
            };
            let mut sides = Vec::with_capacity(part.len());
            for it in part {
                sides.push(both(it).await);
            }
            anyhow::Ok(sides)
        })
    }

    fn setbacks(
        &self,
        after: &Analysis,
        before: Option<&Analysis>,
        context: &Context,
    ) -> anyhow::Result<Vec<Setback>> {
        let ground = |it: &Analysis| Ground::of(context, self.whose, None, &it.inventory);
        let is = ground(after);
        let Some(before) = before else {
            let [new] = judged([(after, &is)], self.judge, context)?;
            let unmet = new.paper.policies.into_iter().filter(|it| it.state != State::Met);
            let setback = |it: Policy| Setback { id: it.id, was: None, is: it.state, why: it.why };
            return Ok(unmet.map(setback).collect());
        };
        let was = ground(before);
        let [after, before] = judged([(after, &is), (before, &was)], self.judge, context)?;
        let [after, before]: [Judged; 2] = [after.paper, before.paper];
        let compared = Compared { after, before };
        let setback = |(it, was): (&Policy, State)| Setback {
            id: it.id.clone(),
            was: Some(was),
            is: it.state,
            why: it.why.clone(),
        };
        Ok(compared.worse().map(setback).collect())
    }
}
