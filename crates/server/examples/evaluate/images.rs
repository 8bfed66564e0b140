//! A store, fed with the applications of the portfolio's bench as inventories, and where they run.

use std::collections::BTreeMap;

use futures_util::StreamExt as _;
use model::{OrganisationId, Recording, Source};
use store::{Error, Store};

use super::applications::{Application, BUILDS, ENVIRONMENTS};
use super::catalogue::mixed;
use super::made::{self, act, digest, inventory, platform};

/// Applications that are made at the same time.
const AT_ONCE: usize = 4;
/// Deployments that are recorded together.
const TOGETHER: usize = 500;

/// Remembers so many images, and where they run.
pub(crate) async fn make(store: &Store, images: u64) -> Result<(), Error> {
    let acme = store.create_organisation(&act(), "acme").await?.id;
    let other = store.create_organisation(&act(), "other").await?.id;
    for number in 0..ENVIRONMENTS {
        for organisation in [&acme, &other] {
            let name = format!("environment-{number}");
            store.create_environment(organisation, &act(), &name).await?;
        }
    }
    let mut running: BTreeMap<(OrganisationId, u64), Vec<Recording>> = BTreeMap::new();
    let applications = futures_util::stream::iter(0..images.div_ceil(BUILDS));
    let mut made = applications
        .map(|application| {
            let builds = BUILDS.min(images - application * BUILDS);
            let organisation = if application % 20 == 19 { &other } else { &acme };
            let (store, organisation) = (store.clone(), organisation.clone());
            // Each on whatever core is free.
            tokio::spawn(async move {
                let recordings = make_application(&store, &organisation, application, builds).await;
                recordings.map(|it| (organisation, it))
            })
        })
        .buffer_unordered(AT_ONCE);
    while let Some(done) = made.next().await {
        let (organisation, recordings) = done.expect("nobody panics")?;
        for (environment, recording) in recordings {
            running.entry((organisation.clone(), environment)).or_default().push(recording);
        }
    }
    for ((organisation, environment), recordings) in running {
        let name = format!("environment-{environment}");
        for some in recordings.chunks(TOGETHER) {
            store.record_all(&organisation, &act(), &name, &Source::Cli, some).await?;
        }
    }
    Ok(())
}

/// All builds of an application, the last of which run: says where.
async fn make_application(
    store: &Store,
    organisation: &OrganisationId,
    application: u64,
    builds: u64,
) -> Result<Vec<(u64, Recording)>, Error> {
    let mut made = Application::new(application);
    let mut inventories = Vec::new();
    let mut running = Vec::new();
    for build in 0..builds {
        let layers = made.build(build);
        let image = digest(&[application, build]);
        inventories.push((image.clone(), inventory(made.system, &layers)));
        // The last builds run, each in a few places.
        if build + 6 < builds {
            continue;
        }
        for number in 0..=mixed(&[application, build]) % 2 {
            let environment = mixed(&[application, build, number]) % ENVIRONMENTS;
            let recording = Recording {
                application: Some(format!("app{application}-{build}-{number}")),
                platform: platform(),
                repository: format!("docker.io/company/app{application}"),
                tag: Some(format!("v{build}")),
                digest: image.clone(),
            };
            running.push((environment, recording));
        }
    }
    made::keep(store, organisation, &inventories).await?;
    Ok(running)
}
