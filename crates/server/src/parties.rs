//! The parties that are spoken with: connected once, and anew when they are told something else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use integration::{BadSetting, Check, Integration, Kind, Outcome, Secrets, Settings, Ways};
use model::Secret;
use store::{IntegrationRecord, IntegrationSecrets, IntegrationState};

use crate::app::App;

/// Parties that are connected at once; beyond, those that were connected are forgotten.
const MOST: usize = 500;
/// How long trying a party may take.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(45);

/// The parties that are connected, by the id of their integration.
#[derive(Default)]
pub(crate) struct Parties(Mutex<HashMap<String, (IntegrationRecord, Arc<Party>)>>);

/// A party that is connected.
pub(crate) struct Party {
    pub(crate) kind: &'static Kind,
    pub(crate) settings: Settings,
    /// What its webhooks prove themselves with.
    pub(crate) secrets: Secrets,
    /// How its registry is reached.
    pub(crate) ways: Arc<image::Settings>,
    pub(crate) integration: Arc<dyn Integration>,
}

/// The party of an integration.
pub(crate) async fn connected(app: &App, record: &IntegrationRecord) -> Result<Arc<Party>, String> {
    let known = |map: &HashMap<String, (IntegrationRecord, Arc<Party>)>| {
        let (former, party) = map.get(&record.id)?;
        // Whenever somebody tells it something, its state begins anew.
        (former == record).then(|| Arc::clone(party))
    };
    let parties = &app.parties.0;
    if let Some(party) = known(&parties.lock().unwrap_or_else(PoisonError::into_inner)) {
        return Ok(party);
    }
    let secrets = app.store.integration_secrets(record).await.map_err(|it| it.to_string())?;
    let kind = integration::find(&record.kind)
        .ok_or_else(|| format!("nobody here speaks with {}", record.kind))?;
    let settings = settled(kind, &record.settings, &secrets.new).map_err(|faults| told(&faults))?;
    let party = Arc::new(connect(app, kind, settings, &secrets).map_err(|it| it.to_string())?);
    let mut map = parties.lock().unwrap_or_else(PoisonError::into_inner);
    if map.len() >= MOST {
        map.clear();
    }
    map.insert(record.id.clone(), (record.clone(), Arc::clone(&party)));
    Ok(party)
}

/// What is said, checked. Nothing comes from the environment: that is of whoever runs the server.
pub(crate) fn settled(
    kind: &'static Kind,
    settings: &[(String, String)],
    secrets: &[(String, Secret)],
) -> Result<Settings, Vec<BadSetting>> {
    let mut given = settings.to_vec();
    given.extend(secrets.iter().map(|(key, secret)| (key.clone(), secret.expose().to_owned())));
    kind.settle(&given, &|_| None)
}

/// Gets ready to speak with it, as who it says, and else as nobody: what the server itself may read
/// is not for whoever configures an integration.
pub(crate) fn connect(
    app: &App,
    kind: &'static Kind,
    settings: Settings,
    secrets: &IntegrationSecrets,
) -> Result<Party, image::Error> {
    let mine = image::Settings {
        credentials: None,
        docker_config: None,
        auth_files: Vec::new(),
        ..app.reach.settings.as_ref().clone()
    };
    let ways = Ways { settings: Arc::new(mine), progress: Arc::new(image::Silent) };
    let integration = (kind.connect)(&settings, &ways)?.into();
    let hook = kind.webhook_secret;
    let proof = |all: &[(String, Secret)]| {
        all.iter().find(|it| Some(it.0.as_str()) == hook).map(|it| it.1.clone())
    };
    let secrets = Secrets::new(proof(&secrets.new), proof(&secrets.old));
    Ok(Party { kind, ways: ways.of(&settings), settings, secrets, integration })
}

/// Every fault, in one line.
pub(crate) fn told(faults: &[BadSetting]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl Party {
    /// Tries each thing that it needs.
    pub(crate) async fn tried(&self) -> Vec<Check> {
        let mut checks = Vec::new();
        if let Some(directory) = self.integration.directory() {
            let checking = tokio::time::timeout(PATIENCE, directory.checks()).await;
            checks.extend(checking.unwrap_or_else(|_| {
                let why = format!("it does not answer within {} s", PATIENCE.as_secs());
                vec![Check {
                    what: "registry reachable",
                    outcome: Outcome::Failed { why, hint: None },
                }]
            }));
        }
        checks.extend(self.kind.check_webhooks(&self.settings));
        checks
    }
}

/// Does it work, after all that?
pub(crate) fn state(checks: &[Check]) -> IntegrationState {
    let failed = checks.iter().find_map(|it| match &it.outcome {
        Outcome::Failed { why, .. } => Some(format!("{}: {why}", it.what)),
        _ => None,
    });
    failed.map_or(IntegrationState::Connected, |why| IntegrationState::Failed { why })
}
