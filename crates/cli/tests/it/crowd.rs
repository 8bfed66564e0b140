//! Two servers and three workers on one PostgreSQL, killed one after the other while they are at it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use api::{
    Carrier, Client, Deployment, DeploymentQuery, EventQuery, Https, ImageQuery, ImageState,
    PROBLEM, Page, PageQuery, Pieces, Problem, Recording, Recordings, Sort, Take, Trouble,
};
use async_trait::async_trait;
use model::Secret;
use testkit::{FakeRegistry, Postgres};

use crate::sandbox::Sandbox;
use crate::serving::{Serving, after, listening};

/// For so many seconds somebody is killed now and then, unless `FORETOP_TEST_UNREST` says for how
/// many.
const UNREST: u64 = 12;
/// So often.
const PULSE: Duration = Duration::from_millis(900);
/// For so long all may come to rest: who was killed at work is believed dead after a while.
const REST: Duration = Duration::from_mins(3);
const APPLICATIONS: usize = 4;
const VERSIONS: usize = 12;

/// A process that is started anew each time it is killed.
struct Process {
    words: Vec<String>,
    child: Child,
}

impl Process {
    fn spawn(sandbox: &Sandbox, words: &[String], told: Stdio) -> Child {
        let mut command = sandbox.command(Path::new(env!("CARGO_BIN_EXE_foretop")));
        command.args(words).stdout(Stdio::null()).stderr(told).spawn().unwrap()
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }

    fn again(&mut self, sandbox: &Sandbox) {
        self.child = Self::spawn(sandbox, &self.words, Stdio::null());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What one who records has been promised.
#[derive(Default)]
struct Promised {
    digests: Vec<String>,
    repeated: usize,
}

struct Crowd {
    sandbox: Sandbox,
    registry: FakeRegistry,
    database: String,
    servers: Vec<String>,
    secret: String,
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

#[expect(clippy::disallowed_methods, reason = "a test that may go on for longer")]
fn unrest() -> Duration {
    let said = std::env::var("FORETOP_TEST_UNREST").ok().and_then(|it| it.parse().ok());
    Duration::from_secs(said.unwrap_or(UNREST))
}

impl Crowd {
    /// Everything is there, and nobody runs yet.
    fn gather(postgres: &Postgres) -> Self {
        let sandbox = Sandbox::new().with("FORETOP_LOG", "warn");
        let registry = FakeRegistry::start();
        for application in 0..APPLICATIONS {
            for version in 0..VERSIONS {
                let installed = format!("P:app{application}\nV:1.{version}-r0\nA:x86_64\n\n");
                let layer = testkit::layer()
                    .file("etc/os-release", "ID=alpine\nVERSION_ID=3.20.0\n")
                    .file("lib/apk/db/installed", installed);
                let image = testkit::image().layer(layer);
                registry.push(&format!("app-{application}"), &format!("v{version}"), &image);
            }
        }
        let database = postgres.database();
        let mut crowd =
            Self { sandbox, registry, database, servers: Vec::new(), secret: String::new() };
        crowd.settle();
        crowd
    }

    /// The first owner comes by the link of the first start, and makes a token and an environment.
    fn settle(&mut self) {
        let line = format!("--workers 0 --database {}", self.database);
        let serving = Serving::start(&self.sandbox, &line);
        self.secret = serving.settled(&self.sandbox, "ci --org main --scope admin");
    }

    fn serve(&self, address: &str) -> String {
        format!("serve --listen {address} --rate-limit 0 --database {}", self.database)
    }

    /// Starts everybody, and waits until they are there.
    fn start(&mut self) -> Vec<Process> {
        let mut processes = Vec::new();
        for _ in 0..2 {
            // Wherever it is free at first, and there again and again.
            let first = words(&format!("{} --workers 1", self.serve("127.0.0.1:0")));
            let mut child = Process::spawn(&self.sandbox, &first, Stdio::piped());
            let root = listening(&mut child);
            let again = self.serve(root.strip_prefix("http://").unwrap());
            processes.push(Process { words: words(&format!("{again} --workers 1")), child });
            self.servers.push(root);
        }
        for _ in 0..3 {
            let words = words(&format!("worker --workers 1 --database {}", self.database));
            let mut child = Process::spawn(&self.sandbox, &words, Stdio::piped());
            after(&mut child, "Working, on ");
            processes.push(Process { words, child });
        }
        processes
    }

    fn clients(&self) -> Vec<Client> {
        self.carriers().into_iter().map(|it| Client::new(Arc::new(it), None)).collect()
    }

    /// Those to whom no answer but a true one is as good as none.
    fn strict_clients(&self) -> Vec<Client> {
        self.carriers().into_iter().map(|it| Client::new(Arc::new(Strict(it)), None)).collect()
    }

    fn carriers(&self) -> Vec<Https> {
        let carrier = |url: &String| {
            let settings = Arc::new(image::Settings::default());
            let reached = image::reach(url, &settings).unwrap();
            Https::new(reached, url, Some(Secret::new(self.secret.clone()))).unwrap()
        };
        self.servers.iter().map(carrier).collect()
    }

    fn recording(&self, application: usize, version: usize, name: &str) -> Recordings {
        let recording = Recording {
            image: format!("{}/app-{application}:v{version}", self.registry.host()),
            application: Some(name.to_owned()),
            digest: None,
            platform: None,
        };
        Recordings { recordings: vec![recording], source: None, create: false }
    }
}

/// Whoever cannot answer says so as it is described: 503, when to come again, why, and what to do.
struct Strict(Https);

#[async_trait]
impl Carrier for Strict {
    async fn carry_in_parts(
        &self,
        request: http::Request<Vec<u8>>,
        take: &mut Take<'_>,
    ) -> Result<http::Response<Vec<u8>>, Trouble> {
        let asked = request.uri().clone();
        let response =
            self.0.carry_in_parts(request, take).await.expect("it is there all the time");
        if !response.status().is_success() {
            let told = String::from_utf8_lossy(response.body()).into_owned();
            let problem: Problem = serde_json::from_str(&told).expect(&told);
            let header = |name: &str| response.headers().get(name).map(|it| it.to_str().unwrap());
            let again = header("retry-after").and_then(|it| it.parse::<u64>().ok());
            assert_eq!(response.status(), 503, "{asked}: {told}");
            assert_eq!((problem.sort, problem.status), (Sort::Unavailable, 503), "{told}");
            assert_eq!(header("content-type"), Some(PROBLEM), "{told}");
            assert!(again.is_some_and(|it| it > 0) && problem.hint.is_some(), "{told}");
        }
        Ok(response)
    }

    async fn listen(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> Result<http::Response<Pieces>, Trouble> {
        self.0.listen(request).await
    }
}

/// Asks one server after the other until one answers.
async fn insist<T>(
    clients: &[Client],
    first: usize,
    mut ask: impl AsyncFnMut(&Client) -> Result<T, api::Error>,
) -> (T, usize) {
    let began = Instant::now();
    let mut pause = tokio::time::interval(Duration::from_millis(20));
    for (times, client) in clients.iter().cycle().skip(first).enumerate() {
        match ask(client).await {
            Ok(it) => return (it, times),
            Err(error) => {
                let passing = error.problem().is_none_or(|it| it.status >= 500);
                assert!(passing && began.elapsed() < REST, "{error}");
            }
        }
        pause.tick().await;
    }
    unreachable!("the clients go round for ever")
}

async fn record(
    crowd: &Crowd,
    clients: &[Client],
    application: usize,
    name: &str,
    until: Instant,
) -> Promised {
    let mut promised = Promised::default();
    let mut version = 0;
    while Instant::now() < until {
        let sent = crowd.recording(application, version % VERSIONS, name);
        let ask = async |client: &Client| client.record("main", "production", &sent).await;
        let (recorded, times) = insist(clients, application + version, ask).await;
        promised.digests.push(recorded.recorded[0].deployment.digest.clone());
        promised.repeated += times.min(1);
        version += 1;
    }
    promised
}

/// All that ever ran there under that name, first to last.
async fn history(client: &Client, application: &str) -> Vec<Deployment> {
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let query = DeploymentQuery {
            application: Some(application.to_owned()),
            history: true,
            limit: Some(1000),
            after,
            ..DeploymentQuery::default()
        };
        let ask = async |client: &Client| client.deployments("main", &query).await;
        let page: Page<Deployment> = insist(std::slice::from_ref(client), 0, ask).await.0;
        all.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    all.sort_by(|left, right| left.from.cmp(&right.from));
    all
}

/// Each ends when the next begins, and the last runs.
#[track_caller]
fn without_holes(spans: &[Deployment]) {
    for pair in spans.windows(2) {
        assert_eq!(pair[0].until.as_ref(), Some(&pair[1].from), "{pair:?}");
    }
    assert!(spans.last().is_some_and(|it| it.until.is_none()), "{:?}", spans.last());
}

async fn story(crowd: Arc<Crowd>, mut processes: Vec<Process>) -> Vec<Process> {
    let clients = Arc::new(crowd.clients());
    insist(&clients, 0, async |client| client.me().await).await;
    let made = async |client: &Client| client.create_environment("main", "production").await;
    insist(&clients, 0, made).await;

    let until = Instant::now() + unrest();
    let mut recording = Vec::new();
    for application in 0..APPLICATIONS {
        // The last two of them tell of one and the same application.
        let name = format!("app-{}", application.min(APPLICATIONS - 2));
        let (crowd, clients) = (Arc::clone(&crowd), Arc::clone(&clients));
        let handle = tokio::runtime::Handle::current();
        recording.push(tokio::task::spawn_blocking(move || {
            let promised = record(&crowd, &clients, application, &name, until);
            let promised = handle.block_on(promised);
            (name, promised)
        }));
    }
    let mut pulse = tokio::time::interval(PULSE);
    let mut killed = 0;
    // On a busy machine each takes its time, and some are killed in any case.
    while Instant::now() < until || killed < 6 {
        pulse.tick().await;
        // Whom it hits, the clock's last digits say.
        let chance = jiff::Timestamp::now().subsec_nanosecond() / 1000;
        let hit = usize::try_from(chance).unwrap() % processes.len();
        processes[hit].kill();
        processes[hit].again(&crowd.sandbox);
        killed += 1;
    }
    println!("{killed} were killed");
    // Whoever came to no database in time, on a busy machine, has ended, as is said of them; those who
    // run such a thing start it again.
    let (done, mut ended) = tokio::sync::oneshot::channel::<()>();
    let reviving = Arc::clone(&crowd);
    let reviving = tokio::spawn(async move {
        let mut pulse = tokio::time::interval(PULSE);
        loop {
            tokio::select! {
                _ = &mut ended => return processes,
                _ = pulse.tick() => {}
            }
            for it in &mut processes {
                if it.child.try_wait().unwrap().is_some() {
                    it.again(&reviving.sandbox);
                }
            }
        }
    });

    let mut promised: BTreeMap<String, Vec<Promised>> = BTreeMap::new();
    for it in recording {
        let (name, it) = it.await.unwrap();
        promised.entry(name).or_default().push(it);
    }
    for client in clients.iter() {
        let alone = std::slice::from_ref(client);
        insist(alone, 0, async |client| client.me().await).await;
    }
    for (name, promised) in &promised {
        let spans = history(&clients[0], name).await;
        without_holes(&spans);
        let digests: Vec<&String> = spans.iter().map(|it| &it.digest).collect();
        let confirmed: usize = promised.iter().map(|it| it.digests.len()).sum();
        println!("{name}: {confirmed} confirmed, {} in the history", digests.len());
        if let [alone] = promised.as_slice() {
            assert_eq!(digests, alone.digests.iter().collect::<Vec<_>>(), "{name}");
        } else {
            // Two tell of it at once, so one's word may come between the other's two tries.
            let repeated: usize = promised.iter().map(|it| it.repeated).sum();
            assert!((confirmed..=confirmed + repeated).contains(&digests.len()), "{name}");
            for one in promised {
                let mut spans = digests.iter();
                let told = one.digests.iter().all(|it| spans.any(|span| *span == it));
                assert!(told, "{name}: in order");
            }
        }
        assert_eq!(history(&clients[1], name).await, spans, "both servers agree");
    }
    all_read(&clients, promised.into_values().flatten().collect()).await;
    drop(done);
    reviving.await.unwrap()
}

/// Every image is read in the end, and once.
async fn all_read(clients: &[Client], promised: Vec<Promised>) {
    let wanted: BTreeSet<String> = promised.into_iter().flat_map(|it| it.digests).collect();
    let began = Instant::now();
    let mut pulse = tokio::time::interval(Duration::from_millis(500));
    loop {
        pulse.tick().await;
        let query = ImageQuery { limit: Some(1000), ..ImageQuery::default() };
        let images = insist(clients, 0, async |client| client.images("main", &query).await).await;
        let images = images.0.items;
        let read = images.iter().filter(|it| it.state == ImageState::Analysed);
        let read: BTreeSet<String> = read.map(|it| it.digest.clone()).collect();
        if read == wanted {
            break;
        }
        let missing: Vec<&String> = wanted.difference(&read).collect();
        assert!(began.elapsed() < REST, "nobody read {missing:?}");
    }
    println!("{} images were read {:?} after the last recording", wanted.len(), began.elapsed());
    let query = EventQuery {
        kinds: Some("image-analysed".to_owned()),
        limit: Some(1000),
        ..EventQuery::default()
    };
    let (events, _) = insist(clients, 1, async |client| client.events("main", &query).await).await;
    let mut about: Vec<String> = events.items.into_iter().map(|it| it.about).collect();
    about.sort();
    assert_eq!(about, wanted.into_iter().collect::<Vec<_>>(), "each once");
    let every = PageQuery::default();
    let ask = async |client: &Client| client.environments("main", &every).await;
    let (environments, _) = insist(clients, 1, ask).await;
    assert_eq!(environments.items[0].pending, 0);
}

#[test]
fn nothing_is_lost_or_doubled_when_anybody_is_killed() {
    let Some(postgres) = Postgres::shared() else {
        println!("left out: PostgreSQL is missing");
        return;
    };
    let mut crowd = Crowd::gather(postgres);
    let processes = crowd.start();
    let crowd = Arc::new(crowd);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let _processes = runtime.block_on(story(Arc::clone(&crowd), processes));
    let doctor = crowd.sandbox.foretop(&format!("admin doctor --database {}", crowd.database));
    assert!(doctor.starts_with("exit 0\n"), "{doctor}");
}

/// The database goes away and comes back, again and again, under those who work with it.
#[test]
fn a_database_that_comes_back_finds_everybody_there() {
    let Some(postgres) = Postgres::start() else {
        println!("left out: PostgreSQL is missing");
        return;
    };
    let postgres = Arc::new(postgres);
    let mut crowd = Crowd::gather(&postgres);
    let mut processes = crowd.start();
    let crowd = Arc::new(crowd);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let clients = Arc::new(crowd.clients());
        for client in clients.iter() {
            insist(std::slice::from_ref(client), 0, async |client| client.me().await).await;
        }
        let made = async |client: &Client| client.create_environment("main", "production").await;
        insist(&clients, 0, made).await;
        let clients = Arc::new(crowd.strict_clients());
        let until = Instant::now() + Duration::from_secs(6);
        let mut recording = Vec::new();
        for application in 0..2 {
            let (crowd, clients) = (Arc::clone(&crowd), Arc::clone(&clients));
            let handle = tokio::runtime::Handle::current();
            recording.push(tokio::task::spawn_blocking(move || {
                let name = format!("app-{application}");
                handle.block_on(record(&crowd, &clients, application, &name, until))
            }));
        }
        let restarting = Arc::clone(&postgres);
        let restarted = tokio::task::spawn_blocking(move || {
            let (done, pause) = std::sync::mpsc::channel::<()>();
            let mut times = 0;
            while Instant::now() < until {
                restarting.restart();
                times += 1;
                // Nobody ever says that it is done.
                let _ = pause.recv_timeout(PULSE);
            }
            drop(done);
            times
        });
        let mut promised = Vec::new();
        for (application, it) in recording.into_iter().enumerate() {
            let it = it.await.unwrap();
            let spans = history(&clients[0], &format!("app-{application}")).await;
            without_holes(&spans);
            let digests: Vec<&String> = spans.iter().map(|it| &it.digest).collect();
            assert_eq!(digests, it.digests.iter().collect::<Vec<_>>());
            promised.push(it);
        }
        let confirmed: usize = promised.iter().map(|it| it.digests.len()).sum();
        println!("{} restarts, {confirmed} recordings confirmed", restarted.await.unwrap());
        all_read(&clients, promised).await;
    });
    for process in &mut processes {
        let ended = process.child.try_wait().unwrap();
        assert_eq!(ended, None, "nobody fell over: {:?}", process.words);
    }
}
