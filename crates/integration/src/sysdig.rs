//! sysdig: Sysdig Secure, which knows what runs in the clusters that its agents are in, and which
//! packages are loaded there.
//!
//! <https://docs.sysdig.com/en/docs/sysdig-secure/integrations-for-sysdig-secure/risk-spotlight-integrations/>

mod answers;
mod asked;
mod results;
mod runtime;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use image::{Credentials, Desk, Error};

use crate::contract::{Integration, Kind, Role, Runtime, Setting, SettingKind, Settings, Ways};

pub use answers::read;

pub(crate) const KIND: Kind = Kind {
    id: "sysdig",
    also: &[],
    title: "Sysdig",
    role: Role::Runtime,
    about: "https://docs.sysdig.com/en/docs/sysdig-secure/integrations-for-sysdig-secure/risk-spotlight-integrations/",
    settings: SETTINGS,
    has_projects: false,
    webhook_secret: None,
    secret_in_address: None,
    templates: &[],
    leftovers: &[],
    connect,
};

const SETTINGS: &[Setting] = &[
    Setting {
        key: "token",
        label: "Risk Spotlight token",
        kind: SettingKind::Secret,
        required: true,
        help: "a token for Risk Spotlight integrations, generated in Sysdig Secure",
        example: "01234567-89ab-cdef-0123-456789abcdef",
        variables: &["FORETOP_SYSDIG_TOKEN"],
        ..Setting::NONE
    },
    Setting {
        key: "region",
        label: "Region",
        kind: SettingKind::Choice(CHOICES),
        help: "the region of the account, as the agents are told by global.sysdig.region; \
               `custom` with `url`",
        example: "us1",
        ..Setting::NONE
    },
    Setting {
        key: "url",
        label: "API address",
        kind: SettingKind::Url,
        help: "the address of Sysdig Secure's interface, where it is none of the regions'",
        example: "https://secure.example",
        ..Setting::NONE
    },
    Setting {
        key: "cluster",
        label: "Cluster",
        help: "the cluster whose images it is about, as the agents are told by \
               global.clusterConfig.name",
        example: "prod-eu",
        ..Setting::NONE
    },
    Setting {
        key: "environment",
        label: "Environment",
        help: "the environment that this cluster is; where there is none of that name, it is made",
        example: "production",
        ..Setting::NONE
    },
    Setting {
        key: "interval",
        label: "Interval",
        kind: SettingKind::Minutes,
        default: Some("30"),
        help: "it is asked every so many minutes what runs; at least 5",
        example: "30",
        ..Setting::NONE
    },
    Setting {
        key: "source",
        label: "Source",
        kind: SettingKind::Choice(&["auto", "risk-spotlight", "vulnerabilities"]),
        default: Some("auto"),
        help: "which of its interfaces is asked: the one of Risk Spotlight, the one of its \
               vulnerability scans, or the second one where the token is not for the first",
        example: "auto",
        ..Setting::NONE
    },
];

/// Where the interface of each region is.
///
/// <https://docs.sysdig.com/en/docs/administration/saas-regions-and-ip-ranges/>
const REGIONS: &[(&str, &str)] = &[
    ("us1", "secure.sysdig.com"),
    ("us2", "us2.app.sysdig.com"),
    ("us3", "app.us3.sysdig.com"),
    ("us4", "app.us4.sysdig.com"),
    ("eu1", "eu1.app.sysdig.com"),
    ("eu2", "app.eu2.sysdig.com"),
    ("au1", "app.au1.sysdig.com"),
    ("in1", "app.in1.sysdig.com"),
    ("me2", "app.me2.sysdig.com"),
    ("jp1", "app.jp1.sysdig.com"),
];

const CUSTOM: &str = "custom";

const CHOICES: &[&str] =
    &["us1", "us2", "us3", "us4", "eu1", "eu2", "au1", "in1", "me2", "jp1", CUSTOM];

/// Which interface is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// The first that the token is for.
    Auto,
    /// The one of Risk Spotlight.
    Spotlight,
    /// The one of vulnerability scans.
    Results,
}

struct Sysdig {
    desk: Desk,
    cluster: Option<String>,
    source: Source,
}

impl Integration for Sysdig {
    fn runtime(&self) -> Option<&dyn Runtime> {
        Some(self)
    }
}

fn connect(settings: &Settings, ways: &Ways) -> Result<Box<dyn Integration>, Error> {
    let url = address(settings)?;
    let credentials = settings.secret("token").cloned().map(Credentials::Bearer);
    let mine = image::Settings { credentials, ..ways.settings.as_ref().clone() };
    let desk = Desk::interface(&url, &Arc::new(mine), &ways.progress)?;
    let source = match settings.text("source") {
        Some("risk-spotlight") => Source::Spotlight,
        Some("vulnerabilities") => Source::Results,
        _ => Source::Auto,
    };
    Ok(Box::new(Sysdig { desk, cluster: settings.text("cluster").map(str::to_owned), source }))
}

/// Where its interface is: an address that is told goes before the region's.
fn address(settings: &Settings) -> Result<String, Error> {
    if let Some(url) = settings.text("url") {
        return Ok(url.to_owned());
    }
    let region = settings.text("region");
    if region == Some(CUSTOM) {
        return Err(Error::invalid("region", "it is custom, and no `url` is told").with_hint(
            "tell the address of Sysdig Secure's interface: url=https://secure.example",
        ));
    }
    let known = REGIONS.iter().find(|it| Some(it.0) == region);
    known.map(|it| format!("https://{}", it.1)).ok_or_else(|| {
        let names: Vec<&str> = REGIONS.iter().map(|it| it.0).collect();
        Error::invalid("region", "it must be told").with_hint(format!(
            "it is one of {}, and what the agents are told by global.sysdig.region; or tell `url`",
            names.join(", ")
        ))
    })
}
