//! PostgreSQL stopped in the middle of things: what was confirmed is there, and work goes on.

use std::sync::Arc;

use model::Source;
use tokio::sync::Barrier;

use super::kit::{acme, at, no_orphans, within, workload};
use crate::{Error, Page, Store, When};

const TASKS: u8 = 6;
const EACH: u8 = 30;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_restarts_is_found_again() {
    let Some(server) = testkit::Postgres::start() else {
        super::left_out();
        return;
    };
    let store = Store::open(&server.database()).await.unwrap();
    let acme = acme(&store).await;
    let midway = Arc::new(Barrier::new(usize::from(TASKS) + 1));
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let (store, acme, midway) = (store.clone(), acme.clone(), Arc::clone(&midway));
            tokio::spawn(async move {
                for number in 0..EACH {
                    if number == EACH / 3 {
                        midway.wait().await;
                    }
                    let application = format!("app {task}-{number}");
                    let web = workload(&application, "acme/web:v1", number);
                    loop {
                        let act = at(i64::from(number));
                        let done =
                            store.record(&acme, &act, "production", &Source::Cli, &web).await;
                        match done {
                            Ok(_) => break,
                            Err(Error::Unavailable { .. }) => tokio::task::yield_now().await,
                            Err(error) => panic!("{error}"),
                        }
                    }
                }
            })
        })
        .collect();
    midway.wait().await;
    let server = tokio::task::spawn_blocking(move || {
        server.restart();
        server
    });
    let server = server.await.unwrap();
    for task in tasks {
        task.await.unwrap();
    }
    let page = Page::first(1000);
    let ever = store.deployments(&acme, &within("production"), When::Ever, &page).await.unwrap();
    assert_eq!(ever.rows.len(), usize::from(TASKS) * usize::from(EACH), "nothing twice");
    assert!(ever.rows.iter().all(|it| it.until.is_none()), "nothing lost");
    no_orphans(&store).await;
    store.close().await;
    drop(server);
}

/// Whoever begins while it restarts waits for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_restarts_is_found_by_who_begins() {
    let Some(server) = testkit::Postgres::start() else {
        super::left_out();
        return;
    };
    let address = server.database();
    let restarting = tokio::task::spawn_blocking(move || {
        for _ in 0..4 {
            server.restart();
        }
        server
    });
    let mut opened = 0;
    while !restarting.is_finished() {
        let opening = (0..TASKS).map(|_| Store::open(&address));
        for store in futures_util::future::join_all(opening).await {
            store.unwrap().close().await;
            opened += 1;
        }
    }
    println!("opened {opened} times");
    drop(restarting.await.unwrap());
}
