//! image: the local engine if it has the image, else its registry. What no scheme means.

use async_trait::async_trait;
use model::Digest;

use crate::contract::{Ask, Error, ImageSource, Opened};
use crate::local::{self, First};
use crate::registry::Registry;

pub(crate) struct EngineOrRegistry;

#[async_trait]
impl ImageSource for EngineOrRegistry {
    fn scheme(&self) -> &'static str {
        "image"
    }

    fn takes(&self) -> &'static str {
        "an image, from the local container engine or else from its registry"
    }

    async fn open(&self, ask: &Ask) -> Result<Option<Opened>, Error> {
        let unreachable = match local::first(ask).await? {
            First::Here(opened) => return Ok(Some(opened)),
            First::NotHere => None,
            First::Unreachable(error) => Some(error),
        };
        // Only an engine knows an image by its id alone.
        if ask.name.parse::<Digest>().is_ok() {
            return Err(unreachable.unwrap_or_else(|| {
                Error::not_found(&ask.name, "the engine holds no image with that id")
                    .with_hint("a registry is asked by name: NAME@DIGEST")
            }));
        }
        match unreachable {
            None => {}
            Some(Error::Unavailable { .. }) => {
                ask.progress.tell("Docker Engine is not reachable, asking the registry");
            }
            Some(error) => ask
                .progress
                .tell(&format!("Docker Engine is not reachable, asking the registry ({error})")),
        }
        Registry.open(ask).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use testkit::{Answer, engine, image, layer};

    use super::*;
    use crate::contract::{Progress, Settings};
    use crate::testing::{ask, told};

    #[derive(Default)]
    struct Lines(Mutex<Vec<String>>);

    impl Progress for Lines {
        fn expect(&self, _: u64) {}
        fn advance(&self, _: u64) {}
        fn tell(&self, line: &str) {
            self.0.lock().unwrap().push(line.to_owned());
        }
    }

    /// What is told of `name`, asking that engine and a registry that nobody can reach (port 1),
    /// and whether it is said that there is no engine.
    fn check(engine: Option<testkit::EngineBuilder>, name: &str, note: bool, expect: &str) {
        let engine = engine.map(testkit::EngineBuilder::start);
        let lines = Arc::new(Lines::default());
        let mut ask = ask(name);
        ask.progress = lines.clone();
        ask.settings = Arc::new(Settings {
            docker_sockets: engine.iter().map(testkit::EngineStandIn::socket).collect(),
            retries: 0,
            ..Settings::default()
        });
        let told = told(&EngineOrRegistry, &ask);
        assert!(told.starts_with(expect), "{told}");
        let lines = lines.0.lock().unwrap();
        let noted = lines.iter().any(|it| it.starts_with("Docker Engine is not reachable"));
        assert_eq!(noted, note);
    }

    #[test]
    fn the_engine_goes_first() {
        let image = image().layer(layer().file("a", "1"));
        check(
            Some(engine().image("127.0.0.1:1/app:1", &image, 1)),
            "127.0.0.1:1/app:1",
            false,
            "linux/amd64 no-digest no-index config",
        );
    }

    #[test]
    fn the_registry_is_asked_next() {
        let asked = "Unavailable: 127.0.0.1:1";
        check(Some(engine()), "127.0.0.1:1/app:1", false, asked);
        check(None, "127.0.0.1:1/app:1", true, asked);
        let failing = Answer::Json(500, serde_json::json!({"message": "no"}));
        let failing = engine().answer("/images/127.0.0.1:1/app:1/json", failing);
        check(Some(failing), "127.0.0.1:1/app:1", true, asked);
    }

    #[test]
    fn an_id_is_known_to_engines_only() {
        let id = testkit::digest(b"");
        let missing = format!("NotFound: {id}: the engine holds no image with that id");
        check(Some(engine()), &id, false, &missing);
        check(None, &id, false, "Unavailable: the container engine: it cannot be reached");
    }
}
