//! Clusters and hosts, and what they say runs in them.

use std::collections::BTreeMap;

use model::{Deployment, Digest, Moment, Platform, Profile};
use serde_json::json;

use super::Recorded;

/// All that a runtime runs, in each environment that it is mapped to.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// `kubernetes`, `docker`, `sysdig`.
    pub kind: String,
    /// Who reports.
    pub agent: String,
    /// When it was seen to run, by the reporter's clock.
    pub seen: Moment,
    /// It will be heard of again within so many seconds.
    pub every: u32,
    /// The same for the same things told.
    pub mark: String,
    /// By the environment's name, each once.
    pub environments: Vec<RunsIn>,
    /// Make environments that there are none of.
    pub make: bool,
    /// What could not be seen.
    pub gaps: Vec<String>,
}

/// What runs in one environment.
#[derive(Clone, Debug)]
pub struct RunsIn {
    /// By its name.
    pub environment: String,
    /// Each container.
    pub running: Vec<Container>,
}

/// A container as it was told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Container {
    /// Where in the runtime.
    pub workload: Workload,
    /// The image as it was told.
    pub image: String,
    /// Where it was taken from, with its registry; none where that is not told.
    pub repository: Option<String>,
    /// The tag it was deployed by.
    pub tag: Option<String>,
    /// Of the image's manifest, its index or its configuration.
    pub digest: Digest,
    /// For which platform, where that is told.
    pub platform: Option<Platform>,
}

impl Container {
    /// The one way in which it is written where it is told from others by a hash, here and in marks that
    /// agents keep: a JSON array of namespace, kind, name, container, image, repository, tag, digest and
    /// platform, in that order, with `null` for what is not told. What is kept rests on it, so it stays
    /// as it is, whatever this type becomes.
    pub fn canonical(&self) -> String {
        let Workload { name, container, kind, namespace } = &self.workload;
        let platform = self.platform.as_ref().map(ToString::to_string);
        let Self { image, repository, tag, digest, .. } = self;
        json!([namespace, kind, name, container, image, repository, tag, digest, platform])
            .to_string()
    }
}

impl Workload {
    /// The same for a workload: a JSON array of namespace, kind, name and container.
    pub(crate) fn canonical(&self) -> String {
        let Self { name, container, kind, namespace } = self;
        json!([namespace, kind, name, container]).to_string()
    }
}

/// What a container belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Workload {
    /// The workload's name.
    pub name: String,
    /// The container's name in it.
    pub container: String,
    /// `deployment`.
    pub kind: String,
    /// The namespace; empty where there is none.
    pub namespace: String,
}

/// What came of a snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapped {
    /// What began, or was replaced.
    pub started: Vec<Recorded>,
    /// What ended.
    pub ended: Vec<Deployment>,
    /// So many run on unchanged.
    pub unchanged: u64,
    /// So many digests are of no image that anybody knows.
    pub unplaced: u64,
    /// What runs now and whose image is not analysed.
    pub pending: Vec<Deployment>,
}

/// A runtime as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuntimeRecord {
    /// Its own.
    pub id: String,
    /// `eu1`.
    pub name: String,
    /// `kubernetes`.
    pub kind: String,
    /// When it was heard of last.
    pub heard: Moment,
    /// It is to be heard of every so many seconds.
    pub every: u32,
    /// The environments that it runs something in, by name.
    pub environments: Vec<String>,
    /// So many containers run there.
    pub running: u64,
    /// What it could not see.
    pub gaps: Vec<String>,
    /// Those that report it, first the one whose word counts, with when they were heard.
    pub agents: Vec<(String, Moment)>,
    /// Do they say different things?
    pub differ: bool,
    /// What cannot be placed: of many, the first. Where one environment is asked about, of that one.
    pub unplaced: Vec<Unplaced>,
    /// How many images cannot be placed, all of them, by the environment's name.
    pub lost: BTreeMap<String, u64>,
}

/// How often a runtime may miss to be heard of before it is silent.
const MISSES: i64 = 3;

impl RuntimeRecord {
    /// Was it not heard of for too long?
    pub fn is_stale(&self, now: Moment) -> bool {
        is_silent(self.heard, self.every, now)
    }
}

/// Was somebody who is to be heard of every so many seconds not heard of for too long?
pub(crate) fn is_silent(heard: Moment, every: u32, now: Moment) -> bool {
    now > heard.plus_seconds(i64::from(every).saturating_mul(MISSES))
}

/// An image that runs, of which nobody knows which it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unplaced {
    /// The environment, by its present name.
    pub environment: String,
    /// The digest as it was told.
    pub digest: Digest,
    /// The image as it was told.
    pub image: String,
    /// One of the workloads that run it.
    pub workload: Workload,
    /// So many containers do.
    pub containers: u64,
}

/// A container as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptContainer {
    /// The environment, by its present name.
    pub environment: String,
    /// As it was told.
    pub container: Container,
    /// As what it is recorded, where that is known.
    pub application: Option<String>,
    /// The image it was found to be.
    pub placed: Option<Digest>,
}

/// What somebody saw being loaded of an image, where it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenInUse {
    /// The runtime that looked.
    pub by: String,
    /// When it looked last.
    pub seen: Moment,
    /// The image, by the digest that it is told by.
    pub digest: String,
    /// What it loads.
    pub profile: Profile,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys of rows and names of applications are hashes of it: whoever changes it has all clusters told
    /// anew, and applications called otherwise.
    #[test]
    fn what_is_hashed_is_written_in_one_way() {
        let workload = Workload {
            name: "web".to_owned(),
            container: "app \"1\"".to_owned(),
            kind: "deployment".to_owned(),
            namespace: "shop".to_owned(),
        };
        assert_eq!(workload.canonical(), r#"["shop","deployment","web","app \"1\""]"#);
        let digest = Digest::from_sha256(&[7; 32]);
        let mut container = Container {
            workload,
            image: "acme/web:v1".to_owned(),
            repository: Some("docker.io/acme/web".to_owned()),
            tag: Some("v1".to_owned()),
            digest: digest.clone(),
            platform: Some(Platform::new("linux", "arm", Some("v7"))),
        };
        let head = r#"["shop","deployment","web","app \"1\"","#;
        assert_eq!(
            container.canonical(),
            format!(r#"{head}"acme/web:v1","docker.io/acme/web","v1","{digest}","linux/arm/v7"]"#)
        );
        container = Container { repository: None, tag: None, platform: None, ..container };
        let bare = format!(r#"{head}"acme/web:v1",null,null,"{digest}",null]"#);
        assert_eq!(container.canonical(), bare);
    }
}
