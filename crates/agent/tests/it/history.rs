//! A long history of deployments: after each step, what is told is what runs, whatever goes wrong.

use api::Sort;
use testkit::{FakeCluster, Upset};

use crate::cluster::{mapping, telling};
use crate::fleet::{Chance, Fleet, LABEL, RULES};
use crate::server::{self, Server};

const STEPS: u64 = 1000;

#[tokio::test]
async fn a_thousand_steps() {
    let cluster = FakeCluster::start();
    let mut fleet = Fleet::new(&cluster, 7);
    let server = Server::new();
    telling(&cluster, mapping(RULES, Some(LABEL), None), &server, async |_| {
        for _ in 0..STEPS {
            fleet.step();
            server.until_runs("eu1", &fleet.running()).await;
        }
    })
    .await;
    // Once each was enough: nobody listed again and again.
    assert_eq!(cluster.lists(), 3);
}

/// Whatever goes wrong, and however often somebody is started anew who tells it: what happened meanwhile is
/// told as well.
#[tokio::test]
async fn a_thousand_steps_in_bad_weather() {
    let cluster = FakeCluster::start();
    let mut fleet = Fleet::new(&cluster, 11);
    let mut chance = Chance::new(13);
    let server = Server::new();
    let (mut steps, mut began) = (0, 0);
    while steps < STEPS {
        began += 1;
        // Nobody looks for a while.
        for _ in 0..chance.below(4) {
            fleet.step();
            steps += 1;
        }
        let until = steps + 1 + chance.below(50);
        telling(&cluster, mapping(RULES, Some(LABEL), None), &server, async |_| {
            server.until_runs("eu1", &fleet.running()).await;
            while steps < until {
                upset(&cluster, &server, &mut chance);
                fleet.step();
                steps += 1;
                // Some steps come so fast that nobody sees them one by one; some nobody sees who ends now.
                if chance.below(3) > 0 && steps < until {
                    server.until_runs("eu1", &fleet.running()).await;
                }
            }
        })
        .await;
    }
    telling(&cluster, mapping(RULES, Some(LABEL), None), &server, async |_| {
        server.until_runs("eu1", &fleet.running()).await;
    })
    .await;
    assert!(began > 20, "{began}");
}

/// Something goes wrong, mostly.
fn upset(cluster: &FakeCluster, server: &Server, chance: &mut Chance) {
    const WATCHED: &[&str] = &["pods", "pods", "pods", "namespaces", "nodes"];
    const WATCHES: &[Upset] = &[
        Upset::Cut,
        Upset::Gone,
        Upset::Junk,
        Upset::Reorder,
        Upset::Twice,
        Upset::Close,
        Upset::Refuse(410),
        Upset::Refuse(500),
    ];
    const LISTS: &[Upset] = &[
        Upset::Cut,
        Upset::Junk,
        Upset::Refuse(429),
        Upset::Refuse(500),
        Upset::Refuse(503),
        Upset::Refuse(401),
        Upset::Refuse(403),
        Upset::Refuse(410),
    ];
    match chance.below(12) {
        0..=2 => cluster.upset("watch", chance.name_of(WATCHED), *chance.one_of(WATCHES)),
        3 => {
            let things = chance.name_of(WATCHED);
            cluster.upset("list", things, *chance.one_of(LISTS));
            cluster.compact();
            cluster.end_watches();
        }
        4 => cluster.end_watches(),
        5 => server.upset(server::Upset::Away),
        6 => server.upset(server::Upset::Refuse(*chance.one_of(&[
            Sort::Unavailable,
            Sort::TooMany,
            Sort::Failed,
            Sort::Unauthenticated,
            Sort::Conflict,
        ]))),
        7 => server.forget(),
        _ => {}
    }
}
