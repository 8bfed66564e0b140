//! The week of the demo: what its team did, told to the API as everybody tells it, at the time at which they
//! did it. Nothing that is shown is written down here: it is what comes of it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use api::{
    Client, Excepting, Leading, LeadsTo, Learning, LearningImage, Promotion, Pushing, Recording,
    Recordings, SettingPolicies,
};
use engine::{Engine, Request};
use image::{Settings, Silent};
use model::Inventory;
use serde_json::json;
use server::App;

use super::images::{self, Base, REGISTRY};
use super::pack::{Image, digest, pack};

const HOUR: i64 = 3_600;
/// A flaw in `PyYAML` that only those have who load what strangers wrote.
const YAML: &str = "CVE-2020-14343";

/// The week, being told.
pub(super) struct Week<'a> {
    pub(super) app: &'a App,
    pub(super) client: Client,
    pub(super) organisation: &'a str,
    /// By how many seconds its clock is behind ours.
    pub(super) behind: Arc<AtomicI64>,
    /// Where images are built.
    pub(super) folder: &'a Path,
}

impl Week<'_> {
    /// Tells all of it, and is in the present then.
    pub(super) async fn told(&self) -> anyhow::Result<()> {
        self.begins().await?;
        self.at(150);
        let web = self.push("web", "1.1", images::web(Base::Old, "4.17.21", "4.18.2", "1.5.0"));
        let web = web.await?;
        self.run("staging", "web", "1.1", &web).await?;
        self.settled().await?;
        self.at(126);
        // Production follows a tag that its team moves; the other things there are pinned.
        self.lead("stable", &web).await?;
        self.run("production", "web", "stable", &web).await?;
        self.accept().await?;
        self.settled().await?;
        self.at(96);
        let new = self.push("api", "2.1", images::api(Base::Old, "2.14.1")?);
        self.run("staging", "api", "2.1", &new.await?).await?;
        self.settled().await?;
        self.at(74);
        self.promote("api").await?;
        self.settled().await?;
        self.at(48);
        self.settled().await?;
        self.at(22);
        let new = self.push("api", "2.2", images::api(Base::Mended, "2.17.1")?);
        self.run("staging", "api", "2.2", &new.await?).await?;
        self.settled().await?;
        self.at(19);
        let new = self.push("web", "1.2", images::web(Base::Mended, "4.17.21", "4.21.2", "1.7.9"));
        let new = new.await?;
        self.lead("stable", &new).await?;
        self.run("staging", "web", "1.2", &new).await?;
        self.settled().await?;
        self.at(6);
        // Somebody tried something out; nobody ever read that image.
        self.run("staging", "search", "0.9", &digest(b"an image that nobody has read")).await?;
        self.settled().await?;
        self.at(2);
        let new = self.push("worker", "3.1", images::worker(Base::Mended, "6.0.2", "3.1.6"));
        self.run("staging", "worker", "3.1", &new.await?).await?;
        self.settled().await?;
        self.at(0);
        self.settled().await
    }

    /// The first day: four applications, in both environments.
    async fn begins(&self) -> anyhow::Result<()> {
        self.at(167);
        self.client.create_organisation(self.organisation).await?;
        for name in ["production", "staging"] {
            self.client.create_environment(self.organisation, name).await?;
        }
        for application in ["web", "api", "worker", "invoices"] {
            let repository = format!("{REGISTRY}/shop/{application}");
            self.client.enable_repository(self.organisation, &repository, true).await?;
        }
        for (name, image) in images::bases() {
            self.teach(name, &image).await?;
        }
        self.police().await?;
        let first = [
            ("web", "1.0", images::web(Base::Old, "4.17.20", "4.18.2", "1.5.0")),
            ("api", "2.0", images::api(Base::Old, "2.17.1")?),
            ("worker", "3.0", images::worker(Base::Old, "5.3.1", "3.1.2")),
            ("invoices", "7", images::invoices()?),
        ];
        for (application, tag, image) in first {
            let digest = self.push(application, tag, image).await?;
            self.run("staging", application, tag, &digest).await?;
            self.run("production", application, tag, &digest).await?;
        }
        self.settled().await
    }

    /// It is so many hours ago.
    fn at(&self, hours: i64) {
        self.behind.store(hours * HOUR, Ordering::Relaxed);
    }

    /// What came of it is counted and judged, as a server does by itself.
    async fn settled(&self) -> anyhow::Result<()> {
        let organisation = self.app.store().organisation(self.organisation).await?.id;
        let settled = self.app.settle(&organisation).await;
        settled.map_err(|why| anyhow::anyhow!("cannot judge the demo: {why}"))
    }

    /// Builds an image, and reads it.
    async fn read(&self, name: &str, image: &Image) -> anyhow::Result<Inventory> {
        let folder = self.folder.join(name.replace(['/', ':'], "-"));
        pack(image, name, &self.app.now().to_string(), &folder)?;
        let request = Request {
            subject: format!("oci-dir://{}", folder.display()),
            platform: None,
            reference: None,
            manifest: None,
            hearing: engine::Hearing::Nothing,
            settings: Arc::new(Settings::default()),
            progress: Arc::new(Silent),
        };
        Ok(Engine { cache: None }.inventory(&request).await?.inventory)
    }

    /// Builds an image, reads it, and sends what is inside.
    async fn push(&self, application: &str, tag: &str, image: Image) -> anyhow::Result<String> {
        let name = format!("{REGISTRY}/shop/{application}:{tag}");
        let inventory = self.read(&name, &image).await?;
        let read = inventory.subject.image().and_then(|it| it.digest.clone());
        let digest = read.map(|it| it.to_string()).unwrap_or_default();
        let pushing = Pushing { image: Some(name), platform: None, inventory };
        self.client.push(self.organisation, &digest, &pushing).await?;
        Ok(digest)
    }

    /// Builds an image of one layer, and teaches that it is a base of others.
    async fn teach(&self, name: &str, image: &Image) -> anyhow::Result<()> {
        let name = format!("{REGISTRY}/base/{name}");
        let inventory = self.read(&name, image).await?;
        let described = inventory.subject.image();
        let digest = described.and_then(|it| it.digest.as_ref());
        // Of one layer, the chain is that layer's content.
        let chain = described.and_then(|it| it.layers.first()?.diff_id.as_ref());
        if let Some((digest, chain)) = digest.zip(chain) {
            let image = LearningImage {
                platform: "linux/amd64".to_owned(),
                digest: digest.to_string(),
                config: None,
                chain: chain.to_string(),
                layers: 1,
            };
            let learning = Learning { name: name.clone(), images: vec![image] };
            self.client.learn_bases(self.organisation, &learning).await?;
            // Their tags are known as well, so one can be held against another.
            let digest = digest.to_string();
            let pushing = Pushing { image: Some(name), platform: None, inventory };
            self.client.push(self.organisation, &digest, &pushing).await?;
        }
        Ok(())
    }

    /// Records that it runs.
    async fn run(
        &self,
        environment: &str,
        application: &str,
        tag: &str,
        digest: &str,
    ) -> anyhow::Result<()> {
        let recording = Recording {
            image: format!("{REGISTRY}/shop/{application}:{tag}"),
            digest: Some(digest.to_owned()),
            application: Some(application.to_owned()),
            platform: None,
        };
        let recordings = Recordings {
            recordings: vec![recording],
            source: Some("action".to_owned()),
            create: false,
        };
        self.client.record(self.organisation, environment, &recordings).await?;
        Ok(())
    }

    /// What runs in staging runs in production now.
    async fn promote(&self, application: &str) -> anyhow::Result<()> {
        let promotion = Promotion {
            to: "production".to_owned(),
            application: Some(application.to_owned()),
            source: Some("cli".to_owned()),
            ..Promotion::default()
        };
        self.client.promote(self.organisation, "staging", &promotion).await?;
        Ok(())
    }

    /// A tag of the shop leads there now.
    async fn lead(&self, tag: &str, digest: &str) -> anyhow::Result<()> {
        let leads_to = LeadsTo { platform: "linux/amd64".to_owned(), digest: digest.to_owned() };
        let leading = Leading {
            image: format!("{REGISTRY}/shop/web:{tag}"),
            leads_to: vec![leads_to],
            platforms: Vec::new(),
        };
        self.client.lead_tag(self.organisation, &leading).await?;
        Ok(())
    }

    /// Ours count everywhere, and production asks for more.
    async fn police(&self) -> anyhow::Result<()> {
        let ours = SettingPolicies { sources: vec!["built in".to_owned()], ..Default::default() };
        self.client.set_policies(self.organisation, None, &ours).await?;
        let config = json!({"policies": [
            {"name": "end-of-life-distribution", "enabled": true},
            {"name": "gaps", "enabled": true},
            {"name": "maximum-age", "config": {"days": 30}},
        ]});
        let strict = SettingPolicies { config: Some(config), ..ours };
        self.client.set_policies(self.organisation, Some("production"), &strict).await?;
        Ok(())
    }

    /// A flaw that is there and does no harm, as somebody found out.
    async fn accept(&self) -> anyhow::Result<()> {
        let until = self.app.now().plus_seconds(30 * 24 * HOUR).to_string();
        let excepting = Excepting {
            flaws: vec![YAML.to_owned()],
            kind: "false-positive".to_owned(),
            justification: Some("vulnerable_code_not_in_execute_path".to_owned()),
            note: Some("The worker reads its own files alone, by safe_load.".to_owned()),
            images: vec![format!("{REGISTRY}/shop/worker")],
            environments: Vec::new(),
            packages: Vec::new(),
            expires: Some(until),
        };
        self.client.put_exception(self.organisation, "worker-yaml", &excepting).await?;
        Ok(())
    }
}
