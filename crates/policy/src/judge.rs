//! Policies judge an image: each alone, within its bounds, and whatever goes wrong is its unknown.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use regorus::Value;
use serde_json::json;

use crate::config::Config;
use crate::contract::{Error, Facts, Limits, Outcome, Outside, Policy, Verdict};
use crate::evaluate::{Came, Ready, Report, evaluate};
use crate::known::Known;
use crate::question::{Answer, Question};
use crate::set::Set;
use crate::{room, values};

/// How many policies may go on without anybody waiting for them, before no other is begun.
const ABANDONED: usize = 4;

/// How many do.
static GOING_ON: AtomicUsize = AtomicUsize::new(0);

/// A set with its configuration, ready for any number of images.
#[derive(Clone)]
pub struct Judge {
    all: Arc<Vec<(Policy, Ready)>>,
    limits: Limits,
}

impl std::fmt::Debug for Judge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.all.iter().map(|(it, _)| &it.id)).finish()
    }
}

impl Judge {
    /// Makes everything ready that is the same for all images.
    pub fn new(set: &Set, config: &Config, limits: &Limits) -> Result<Self, Error> {
        config.check(set)?;
        let all = room::with(|| {
            let counting = set.prepared().iter().filter(|it| config.counts(&it.policy));
            let ready = counting.map(|it| {
                let engine = match (&it.flaw, if config.debug { &it.loud } else { &it.quiet }) {
                    (Some(flaw), _) => Err(flaw.clone()),
                    (None, None) => Err("it cannot be read".to_owned()),
                    (None, Some(engine)) => configured(engine.clone(), config, &it.policy.id),
                };
                let ready = Ready {
                    id: it.policy.id.clone(),
                    file: it.policy.file.clone(),
                    query: it.query.clone(),
                    calls: it.calls.clone(),
                    looks_inside: it.looks_inside,
                    debug: config.debug,
                    engine,
                };
                (it.policy.clone(), ready)
            });
            ready.collect::<Vec<_>>()
        });
        let all =
            all.ok_or_else(|| Error::new("cannot judge by the policies", "no thread for it"))?;
        Ok(Self { all: Arc::new(all), limits: *limits })
    }

    /// The policies that count, in the order of their verdicts.
    pub fn policies(&self) -> impl Iterator<Item = &Policy> {
        self.all.iter().map(|(policy, _)| policy)
    }

    /// Judges one image. The world is asked from this thread, while the other policies go on.
    pub fn judge(&self, facts: &Facts, outside: &dyn Outside) -> Vec<Verdict> {
        let mut came: Vec<Coming> = self.all.iter().map(|_| Coming::default()).collect();
        let known = Known::with_room(facts).map(Arc::new);
        let mut answers: Arc<BTreeMap<Question, Answer>> = Arc::default();
        let mut todo: VecDeque<usize> = (0..came.len()).collect();
        let mut worker = known.and_then(|it| Worker::new(&self.all, it, self.limits));
        if let Some(worker) = &worker {
            worker.begin_all(&todo, &answers);
        }
        while let Some(at) = todo.pop_front() {
            let Some(coming) = came.get_mut(at) else { break };
            let Some(running) = &worker else {
                coming.report = Some(broken("there is no thread for it"));
                continue;
            };
            match running.end() {
                Ok(Came::To(report)) => {
                    coming.report = Some(Report { took: coming.took + report.took, ..*report });
                }
                Ok(Came::Asking(question, worked)) => {
                    coming.took += worked;
                    // Another policy may have asked the same, while this one was on its way.
                    if !answers.contains_key(&question) {
                        if coming.asked == self.limits.questions {
                            let why = format!("it asks more than {} questions", coming.asked);
                            coming.report = Some(broken(&why));
                            continue;
                        }
                        coming.asked += 1;
                        let answer = question.put(outside);
                        Arc::make_mut(&mut answers).insert(question, answer);
                    }
                    running.begin(at, &answers);
                    todo.push_back(at);
                }
                Err(why) => {
                    coming.report = Some(broken(&why));
                    worker = Worker::new(&self.all, Arc::clone(&running.known), self.limits);
                    if let Some(worker) = &worker {
                        worker.begin_all(&todo, &answers);
                    }
                }
            }
        }
        let reports = came.into_iter().map(|it| it.report.unwrap_or_default());
        self.all.iter().zip(reports).map(|((policy, _), it)| verdict(policy, it)).collect()
    }
}

/// What is known so far of a policy's work.
#[derive(Default)]
struct Coming {
    asked: usize,
    took: Duration,
    report: Option<Report>,
}

/// Judges one image by a set. Whoever judges many keeps a `Judge`.
pub fn judge(
    set: &Set,
    config: &Config,
    facts: &Facts,
    outside: &dyn Outside,
    limits: &Limits,
) -> Result<Vec<Verdict>, Error> {
    Ok(Judge::new(set, config, limits)?.judge(facts, outside))
}

/// The engine with `data.config`, and all that can be worked out before there is an image.
fn configured(
    mut engine: regorus::Engine,
    config: &Config,
    id: &str,
) -> Result<regorus::Engine, String> {
    let given = config.of(id).map(|it| &it.config).filter(|it| it.is_object());
    let data = json!({ "config": given.cloned().unwrap_or_else(|| json!({})) });
    let plain = |error: &dyn std::fmt::Display| crate::reading::plain(&error.to_string());
    engine.add_data(values::of(&data)).map_err(|error| plain(&error))?;
    // A question about nothing makes it ready.
    engine.eval_query("true".to_owned(), false).map_err(|error| plain(&error))?;
    engine.set_input(Value::Undefined);
    Ok(engine)
}

fn broken(why: &str) -> Report {
    Report { outcome: Some(Outcome::unknown(why)), ..Report::default() }
}

fn verdict(policy: &Policy, report: Report) -> Verdict {
    let outcome = report.outcome.unwrap_or_else(|| Outcome::unknown("it says nothing"));
    Verdict {
        id: policy.id.clone(),
        title: policy.label(&outcome).to_owned(),
        kind: policy.kind,
        weight: policy.weight,
        details_order: policy.details_order.clone(),
        outcome,
        applies: !report.aside,
        violations: report.violations,
        count: report.count,
        prints: report.prints,
        bindings: report.bindings,
        took: report.took,
    }
}

/// A thread with room that evaluates one policy after the other. The engine stops a policy whose
/// time is over between two of its steps; a single step may go on, and is left behind then.
struct Worker {
    known: Arc<Known>,
    work: Sender<(usize, Arc<BTreeMap<Question, Answer>>)>,
    done: Receiver<Result<Came, String>>,
    state: Arc<AtomicU8>,
    patience: Duration,
}

const WAITED_FOR: u8 = 0;
const ENDED: u8 = 1;
const LEFT: u8 = 2;

impl Worker {
    fn new(all: &Arc<Vec<(Policy, Ready)>>, known: Arc<Known>, limits: Limits) -> Option<Self> {
        if GOING_ON.load(Ordering::Relaxed) >= ABANDONED {
            return None;
        }
        let (work, todo) = channel::<(usize, Arc<BTreeMap<Question, Answer>>)>();
        let (tell, done) = channel();
        let all = Arc::clone(all);
        let mine = Arc::clone(&known);
        let state = Arc::new(AtomicU8::new(WAITED_FOR));
        let own = Arc::clone(&state);
        let work_on = move || {
            for (at, answers) in todo {
                let Some((_, ready)) = all.get(at) else { break };
                let came =
                    catch_unwind(AssertUnwindSafe(|| evaluate(ready, &mine, &answers, &limits)));
                let came = came.map_err(|_| "it broke off".to_owned());
                if tell.send(came).is_err() {
                    break;
                }
            }
            if own.swap(ENDED, Ordering::Relaxed) == LEFT {
                GOING_ON.fetch_sub(1, Ordering::Relaxed);
            }
        };
        room::thread("policy").spawn(work_on).ok()?;
        let patience = limits.time.saturating_mul(4) + Duration::from_secs(1);
        Some(Self { known, work, done, state, patience })
    }

    /// Has a policy evaluated after those that were begun before.
    fn begin(&self, at: usize, answers: &Arc<BTreeMap<Question, Answer>>) {
        // Whoever waits for its end hears that the thread is gone.
        let _ = self.work.send((at, Arc::clone(answers)));
    }

    fn begin_all(&self, all: &VecDeque<usize>, answers: &Arc<BTreeMap<Question, Answer>>) {
        for at in all {
            self.begin(*at, answers);
        }
    }

    /// What came of the policy that was begun first, of those whose end nobody has waited for.
    fn end(&self) -> Result<Came, String> {
        match self.done.recv_timeout(self.patience) {
            Ok(came) => came,
            Err(RecvTimeoutError::Timeout) => {
                GOING_ON.fetch_add(1, Ordering::Relaxed);
                if self.state.swap(LEFT, Ordering::Relaxed) == ENDED {
                    GOING_ON.fetch_sub(1, Ordering::Relaxed);
                }
                Err(format!("it did not come to an end within {:?}", self.patience))
            }
            Err(RecvTimeoutError::Disconnected) => Err("its thread is gone".to_owned()),
        }
    }
}
