//! PostgreSQL stopped in the middle of things: what was confirmed is there, and work goes on.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use model::Source;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UnixStream};
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

/// Whoever begins while it restarts waits for it, or is told that it is away; and then it is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_restarts_is_found_by_who_begins() {
    let Some(mut server) = testkit::Postgres::start() else {
        super::left_out();
        return;
    };
    let address = server.database();
    Store::open(&address).await.unwrap().close().await;
    for _ in 0..3 {
        let restarting = tokio::task::spawn_blocking(move || {
            server.restart();
            server
        });
        while !restarting.is_finished() {
            let opening = (0..TASKS).map(|_| async {
                match Store::open(&address).await {
                    Ok(store) => store.close().await,
                    // There is more that a server may say at its end than anybody has seen.
                    Err(Error::Unavailable { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
            });
            futures_util::future::join_all(opening).await;
        }
        server = restarting.await.unwrap();
        Store::open(&address).await.unwrap().close().await;
    }
}

/// However often it breaks off meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_breaks_off_is_asked_again_by_who_begins() {
    let Some(server) = testkit::Postgres::shared() else {
        super::left_out();
        return;
    };
    let address = server.database();
    let fickle = || breaking_off(&address, "schema_version", 5);
    Store::open(&fickle().await).await.unwrap().close().await;
    Store::open_made(&fickle().await).await.unwrap().close().await;
    // As it does from the first, while who asks says who they are.
    let fickle = breaking_off(&address, "postgres", 5).await;
    Store::open(&fickle).await.unwrap().close().await;
}

/// The address of what hands all on to a server, but breaks off so often where it hears a word.
async fn breaking_off(address: &str, word: &'static str, times: usize) -> String {
    let (database, folder) = address.split_once("?host=").unwrap();
    let socket = Path::new(folder).join(".s.PGSQL.5432");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let left = Arc::new(AtomicUsize::new(times));
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (socket, left) = (socket.clone(), Arc::clone(&left));
            tokio::spawn(async move {
                let (mut heard, mut told) = client.into_split();
                let (mut answers, mut server) =
                    UnixStream::connect(socket).await.unwrap().into_split();
                let asking = async {
                    let mut bytes = vec![0; 1 << 16];
                    while let Ok(length @ 1..) = heard.read(&mut bytes).await {
                        let part = &bytes[..length];
                        let less = |it: usize| it.checked_sub(1);
                        if part.windows(word.len()).any(|it| it == word.as_bytes())
                            && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok()
                        {
                            return;
                        }
                        server.write_all(part).await.unwrap();
                    }
                };
                tokio::select! {
                    () = asking => {}
                    _ = tokio::io::copy(&mut answers, &mut told) => {}
                }
            });
        }
    });
    database.replace("@localhost", &format!("@127.0.0.1:{port}"))
}
