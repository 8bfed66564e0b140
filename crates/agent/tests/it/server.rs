//! A stand-in for a server: the two paths on which agents tell something, in this process.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agent::{Container, Door, Trouble};
use api::{
    Carrier, Client, Heartbeat, Pieces, Snapped, Snapshot, Sort, Take, Trouble as Unreachable,
};
use async_trait::async_trait;
use http::{Method, Request, Response};
use tokio::sync::watch;

/// Who remembers what it was told.
#[derive(Clone)]
pub(crate) struct Server(Arc<Kept>);

struct Kept {
    state: Mutex<State>,
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    /// By runtime: what was told last, and the mark of it.
    told: BTreeMap<String, (Snapshot, String)>,
    snapshots: u64,
    beats: u64,
    doors: u64,
    upsets: VecDeque<Upset>,
    agents: BTreeSet<String>,
}

/// What happens to what is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Upset {
    /// It is refused.
    Refuse(Sort),
    /// Nobody answers.
    Away,
    /// It is not answered, ever.
    Hang,
}

/// What runs, by environment.
pub(crate) type Running = BTreeMap<String, BTreeSet<Container>>;

impl Server {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Kept { state: Mutex::default(), changed: watch::Sender::new(0) }))
    }

    pub(crate) fn upset(&self, upset: Upset) {
        self.state(|it| it.upsets.push_back(upset));
    }

    /// Forgets what it was told, as one that was restored from a backup.
    pub(crate) fn forget(&self) {
        self.state(|it| it.told.clear());
    }

    pub(crate) fn snapshots(&self) -> u64 {
        self.state(|it| it.snapshots)
    }

    pub(crate) fn beats(&self) -> u64 {
        self.state(|it| it.beats)
    }

    pub(crate) fn doors(&self) -> u64 {
        self.state(|it| it.doors)
    }

    pub(crate) fn agents(&self) -> usize {
        self.state(|it| it.agents.len())
    }

    pub(crate) fn snapshot(&self, runtime: &str) -> Option<Snapshot> {
        self.state(|it| it.told.get(runtime).map(|it| it.0.clone()))
    }

    /// What runs, by the last word of that runtime.
    pub(crate) fn running(&self, runtime: &str) -> Option<Running> {
        let snapshot = self.snapshot(runtime)?;
        let containers = |it: &api::RunsIn| {
            it.running
                .iter()
                .map(|it| Container {
                    workload: it.workload.clone(),
                    image: it.image.clone(),
                    digest: it.digest.clone(),
                    platform: it.platform.clone(),
                })
                .collect()
        };
        Some(
            snapshot
                .environments
                .iter()
                .map(|it| (it.environment.clone(), containers(it)))
                .collect(),
        )
    }

    /// Waits until something is so.
    pub(crate) async fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let mut changed = self.0.changed.subscribe();
        let waited = async {
            while !is_so(self) {
                changed.changed().await.unwrap();
            }
        };
        let patience = Duration::from_mins(1);
        assert!(tokio::time::timeout(patience, waited).await.is_ok(), "{what} never came to pass");
    }

    /// Waits until what a runtime told last is what runs.
    pub(crate) async fn until_runs(&self, runtime: &str, expect: &Running) {
        let mut changed = self.0.changed.subscribe();
        let waited = async {
            while self.running(runtime).as_ref() != Some(expect) {
                changed.changed().await.unwrap();
            }
        };
        if tokio::time::timeout(Duration::from_mins(1), waited).await.is_err() {
            assert_eq!(self.running(runtime).as_ref(), Some(expect));
        }
    }

    fn state<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.0.state.lock().unwrap())
    }

    async fn answer(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, Unreachable> {
        let upset = self.state(|it| it.upsets.pop_front());
        match upset {
            Some(Upset::Away) => return Err(Unreachable("nobody is there".to_owned())),
            Some(Upset::Hang) => std::future::pending().await,
            Some(Upset::Refuse(sort)) => return Ok(refused(sort)),
            None => {}
        }
        let path = request.uri().path().to_owned();
        let rest = path.strip_prefix("/api/v1/orgs/acme/runtimes/").expect("a path of a runtime");
        let answer = match (request.method(), rest.split_once('/')) {
            (&Method::PUT, None) => {
                let snapshot: Snapshot = serde_json::from_slice(request.body()).unwrap();
                assert!(snapshot.environments.len() <= 1000 && snapshot.gaps.len() <= 100);
                assert!(snapshot.environments.iter().all(|it| it.running.len() <= 20_000));
                let mark = self.state(|state| {
                    state.snapshots += 1;
                    state.agents.insert(snapshot.agent.clone());
                    let mark = format!("mark-{}", state.snapshots);
                    state.told.insert(rest.to_owned(), (snapshot, mark.clone()));
                    mark
                });
                let snapped =
                    Snapped { started: vec![], ended: vec![], unchanged: 0, unplaced: 0, mark };
                Response::new(serde_json::to_vec(&snapped).unwrap())
            }
            (&Method::POST, Some((name, "heartbeats"))) => {
                let beat: Heartbeat = serde_json::from_slice(request.body()).unwrap();
                self.state(|state| {
                    state.beats += 1;
                    state.agents.insert(beat.agent);
                    match state.told.get(name) {
                        None => refused(Sort::NotFound),
                        Some((_, mark)) if *mark != beat.mark => refused(Sort::Conflict),
                        Some(_) => Response::builder().status(204).body(Vec::new()).unwrap(),
                    }
                })
            }
            other => panic!("nobody tells that: {other:?}"),
        };
        self.0.changed.send_modify(|it| *it += 1);
        Ok(answer)
    }
}

fn refused(sort: Sort) -> Response<Vec<u8>> {
    let problem = sort.because("it was told to");
    let body = serde_json::to_vec(&problem).unwrap();
    let response = Response::builder().status(problem.status);
    response.header("content-type", "application/problem+json").body(body).unwrap()
}

#[async_trait]
impl Carrier for Server {
    async fn carry_in_parts(
        &self,
        request: Request<Vec<u8>>,
        take: &mut Take<'_>,
    ) -> Result<Response<Vec<u8>>, Unreachable> {
        let (parts, body) = self.answer(request).await?.into_parts();
        if parts.status.is_success() {
            take(&body)?;
            return Ok(Response::from_parts(parts, Vec::new()));
        }
        Ok(Response::from_parts(parts, body))
    }

    async fn listen(&self, _: Request<Vec<u8>>) -> Result<Response<Pieces>, Unreachable> {
        Err(Unreachable("nobody listens".to_owned()))
    }
}

#[async_trait]
impl Door for Server {
    async fn open(&self) -> Result<(Client, String), Trouble> {
        self.state(|it| it.doors += 1);
        Ok((Client::new(Arc::new(self.clone()), None), "acme".to_owned()))
    }
}
