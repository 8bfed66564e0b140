//! What is sent to a page of the dashboard: its address and its form, read and answered, whatever is in them.

use std::sync::{Arc, OnceLock};

use api::{Carrier, Client, Pieces, Take, Trouble};
use async_trait::async_trait;
use dashboard::{Door, Page};
use http::request::Parts;
use http::{Method, Request, header};
use model::Moment;
use server::{Access, App, Reach, World};
use tokio::runtime::Runtime;

/// Runs it once. The first byte says to which page it goes, the rest is what stands behind the address, and
/// the form.
pub fn run(input: &[u8]) {
    let Some((&which, rest)) = input.split_first() else { return };
    let Some(page) = dashboard::ALL.get(usize::from(which) % dashboard::ALL.len()) else { return };
    let house = house();
    let text = String::from_utf8_lossy(rest);
    let query: String = text.chars().filter(|it| it.is_ascii_graphic() && *it != '#').collect();
    for (method, uri) in
        [(Method::GET, format!("{}?{query}", place(page))), (Method::POST, place(page))]
    {
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .body(rest.to_vec());
        // What is no address reaches nobody.
        let Ok(request) = request else { continue };
        let mut shown = Vec::new();
        let mut take = |part: &[u8]| {
            shown.extend_from_slice(part);
            Ok(())
        };
        let answer = house.runtime.block_on(house.pages.carry_in_parts(request, &mut take));
        let answer = answer.expect("it is in this process");
        let html = String::from_utf8_lossy(if shown.is_empty() { answer.body() } else { &shown });
        assert_ne!(answer.status(), 500, "{}: {html}", page.id);
        if answer
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|it| it == "text/html; charset=utf-8")
        {
            // Ours alone: whatever was sent is text.
            assert!(html.matches("<script").count() <= 1, "{}: {html}", page.id);
        }
    }
}

/// Where a page of the house is.
fn place(page: &Page) -> String {
    let words = [("{org}", "acme"), ("{env}", "production"), ("{kind}", "harbor")];
    let mut path = page.path.to_owned();
    for (name, word) in words {
        path = path.replace(name, word);
    }
    let parts = path.split('/').map(|it| if it.starts_with('{') { "x" } else { it });
    parts.collect::<Vec<_>>().join("/")
}

/// An organisation with an environment, and its pages.
struct House {
    runtime: Runtime,
    pages: Arc<dyn Carrier>,
}

fn house() -> &'static House {
    static HOUSE: OnceLock<House> = OnceLock::new();
    HOUSE.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("there are threads");
        let pages = runtime.block_on(async {
            let store = store::Store::open("sqlite::memory:").await.expect("there is memory");
            let access = Access::Local { name: "ann".to_owned() };
            let reach = Reach {
                engine: engine::Engine::default(),
                settings: Arc::default(),
                jobs: false,
                offline: true,
            };
            let app = App::new(store, World::new(None), access, reach, Arc::new(now));
            let api = server::here(server::router(app));
            let client = Client::new(Arc::clone(&api), None);
            client.create_organisation("acme").await.expect("it is the first");
            client.create_environment("acme", "production").await.expect("it is the first");
            server::here(dashboard::router(Arc::new(Ajar(Arc::new(Reads(api))))))
        });
        House { runtime, pages }
    })
}

fn now() -> Moment {
    Moment::from_micros(1_795_255_200_000_000)
}

/// A door through which is only looked.
struct Ajar(Arc<dyn Carrier>);

impl Door for Ajar {
    fn open(&self, _: &Parts) -> Arc<dyn Carrier> {
        Arc::clone(&self.0)
    }

    fn now(&self) -> Moment {
        now()
    }
}

/// Carries what changes nothing: the next input finds what this one did.
struct Reads(Arc<dyn Carrier>);

#[async_trait]
impl Carrier for Reads {
    async fn carry_in_parts(
        &self,
        request: Request<Vec<u8>>,
        take: &mut Take<'_>,
    ) -> Result<http::Response<Vec<u8>>, Trouble> {
        if *request.method() == Method::GET {
            return self.0.carry_in_parts(request, take).await;
        }
        let refused = api::Sort::Forbidden.because("nothing is changed here");
        let body = serde_json::to_vec(&refused).map_err(|error| Trouble(error.to_string()))?;
        let answer = http::Response::builder()
            .status(refused.status)
            .header(header::CONTENT_TYPE, "application/problem+json")
            .body(body);
        answer.map_err(|error| Trouble(error.to_string()))
    }

    async fn listen(&self, request: Request<Vec<u8>>) -> Result<http::Response<Pieces>, Trouble> {
        self.0.listen(request).await
    }
}
