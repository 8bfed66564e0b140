//! How long it takes to take a cluster's word: `cargo run --release -p store --example snapshots --
//! ADDRESS CONTAINERS`, on a database that may be thrown away.
//!
//! All containers are of one environment, each of a workload of its own and by a digest of its own, of a
//! tenth as many repositories. They are told for the first time, again with one that is changed, and with
//! all of them changed; then one more heartbeat says that all of it holds.

use std::time::Instant;

use model::{Act, Digest, Moment, Platform};
use store::{Container, RunsIn, Snapshot, Store, Workload};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().ok_or("say which database")?;
    let containers: usize = arguments.next().ok_or("say how many containers")?.parse()?;
    let store = Store::open(&address).await?;
    let name = format!("cluster of {containers}");
    let company = store.create_organisation(&act(0), &name).await?.id;
    store.create_environment(&company, &act(0), "production").await?;
    let told: [(&str, Version); 3] = [
        ("for the first time", |_| 0),
        ("with one changed", |number| u64::from(number == 17)),
        ("with all changed", |_| 2),
    ];
    for (second, (what, version)) in (1..).zip(told) {
        let snapshot = snapshot(second, containers, version);
        let begin = Instant::now();
        let snapped = store.snap(&company, &act(second), "eu1", &snapshot).await?;
        let (started, unchanged) = (snapped.started.len(), snapped.unchanged);
        tell(&format!("{what}: {started} began, {unchanged} run on"), begin);
    }
    let begin = Instant::now();
    store.heartbeat(&company, &act(9), "eu1", "agent", "3").await?;
    tell("a heartbeat", begin);
    let begin = Instant::now();
    store.all_runtimes(&company, Some("production")).await?;
    tell("what nobody can tell of the environment", begin);
    store.close().await;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "figures are what this is for")]
fn tell(what: &str, begin: Instant) {
    println!("{what}: {:?}", begin.elapsed());
}

/// Which version of its image a container runs.
type Version = fn(usize) -> u64;

fn snapshot(second: i64, containers: usize, version: Version) -> Snapshot {
    let container = |number: usize| {
        let mut bytes = [7; 32];
        let (first, rest) = bytes.split_at_mut(8);
        first.copy_from_slice(&(number as u64).to_be_bytes());
        rest.get_mut(..8).unwrap_or_default().copy_from_slice(&version(number).to_be_bytes());
        let repository = format!("registry.example/team/app-{}", number % (containers / 10 + 1));
        Container {
            workload: Workload {
                name: format!("workload-{number}"),
                container: "app".to_owned(),
                kind: "deployment".to_owned(),
                namespace: format!("namespace-{}", number % 100),
            },
            image: format!("{repository}:v1"),
            repository: Some(repository),
            tag: Some("v1".to_owned()),
            digest: Digest::from_sha256(&bytes),
            platform: Some(Platform::new("linux", "amd64", None)),
        }
    };
    let mut running: Vec<Container> = (0..containers).map(container).collect();
    running.sort();
    Snapshot {
        kind: "kubernetes".to_owned(),
        agent: "agent".to_owned(),
        seen: act(second).at,
        every: 30,
        mark: second.to_string(),
        environments: vec![RunsIn { environment: "production".to_owned(), running }],
        make: false,
        gaps: Vec::new(),
    }
}

fn act(second: i64) -> Act {
    let at = Moment::from_micros(1_780_000_000_000_000 + second * 1_000_000);
    Act { who: "measure".to_owned(), origin: "here".to_owned(), at }
}
