//! What builders say of the base of an image is beside it in a registry, and is read with it.

use api::StandsOn;
use serde_json::{Value, json};
use testkit::{AttestationForm, ImageBuilder, index};

use super::{House, SECRET};

const PROVENANCE: &str = "https://slsa.dev/provenance/v0.2";

fn holding(package: &str) -> ImageBuilder {
    let layer = testkit::layer()
        .file("etc/os-release", "ID=alpine\nVERSION_ID=3.20.0\n")
        .file("lib/apk/db/installed", format!("P:{package}\nV:1.0-r0\nA:x86_64\n\n"));
    testkit::image().layer(layer)
}

/// One image went into the build.
fn built_from(name: &str, digest: &str) -> Value {
    json!({
        "builder": { "id": "https://ci.example/1" },
        "buildType": "https://mobyproject.org/buildkit@v1",
        "materials": [{
            "uri": format!("pkg:docker/{name}?platform=linux%2Famd64"),
            "digest": { "sha256": digest.trim_start_matches("sha256:") },
        }],
        "invocation": {
            "configSource": { "entryPoint": "Dockerfile" },
            "parameters": { "frontend": "dockerfile.v0", "args": {} },
            "environment": { "platform": "linux/amd64" },
        },
    })
}

impl House {
    /// What the image stands on to which a tag leads for a platform: `NAME WAY`, or `unknown`.
    async fn footing(&self, repository: &str, platform: &str) -> String {
        let ann = self.client("ann").await;
        let query = api::TagsQuery { image: repository.to_owned(), ..api::TagsQuery::default() };
        let tags = ann.tags("acme", &query).await.unwrap().items;
        let it = tags.into_iter().find(|it| it.platform == platform && it.until.is_none()).unwrap();
        match ann.stands_on("acme", &it.digest).await.unwrap() {
            StandsOn { footing: Some(footing), way: Some(way) } => {
                let layers = footing.layers.map_or("?".to_owned(), |it| it.to_string());
                format!("{} {way} {layers}", footing.names.join(" "))
            }
            _ => "unknown".to_owned(),
        }
    }
}

#[tokio::test]
async fn what_a_builder_says_is_read_with_the_image() {
    for form in [AttestationForm::Legacy, AttestationForm::Artifact] {
        let house = House::new().await;
        let host = house.registry.host();
        let base = holding("kettle");
        let known = house.registry.push("team/base", "1", &base);
        let on_base = base.clone().layer(testkit::layer().file("app", "cup"));
        let says = built_from(&format!("{host}/team/base@1"), &known);
        let elsewhere = built_from("alpine@3.20", &crate::tests::digest('e'));
        for (repository, image, says) in [
            ("team/held", on_base, &says),
            ("team/liar", holding("pot"), &says),
            ("team/named", holding("cup"), &elsewhere),
        ] {
            let both = index()
                .image("linux/amd64", image)
                .stating(form, PROVENANCE, says)
                .image("linux/arm64", holding(&format!("{repository}-arm")));
            house.registry.push_index(repository, "1", &both);
        }
        let parameters = [("registry", host.as_str()), ("webhook-auth", SECRET)];
        house.configured("distribution", &parameters).await;
        house.later(1).await;
        let footing = async |repository: &str, platform: &str| {
            house.footing(&format!("{host}/{repository}"), platform).await
        };
        let held = footing("team/held", "linux/amd64").await;
        assert_eq!(held, format!("{host}/team/base:1 provenance 1"), "{form:?}");
        // Its layers are known, and are others.
        assert_eq!(footing("team/liar", "linux/amd64").await, "unknown");
        let named = footing("team/named", "linux/amd64").await;
        assert_eq!(named, "docker.io/library/alpine:3.20 provenance ?");
        assert_eq!(footing("team/named", "linux/arm64").await, "unknown");
    }
}
