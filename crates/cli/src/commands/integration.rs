//! `foretop integration`: the parties that a server speaks with.

mod notices;

use std::collections::BTreeMap;

use ::integration::{Kind, Role, SettingKind, registry_string};
use api::{
    Configured, Configuring, Integration as Kept, IntegrationCheck, IntegrationState,
    TemplateQuery, Tried,
};
use clap::Subcommand;

use super::{Outcome, Verb};
use crate::Context;
use crate::asking::{Asking, Whose, ask};
use crate::failure::Failure;
use crate::messages::count;
use crate::table::{Format, columns, second};

/// Configure, try, list and delete the registries and other parties that the server speaks with
#[derive(clap::Parser)]
#[command(name = "integration", arg_required_else_help = true)]
pub(crate) struct Integration {
    #[command(subcommand)]
    command: Command,
}

/// The name of those of which there is one.
const USUAL: &str = "default";

#[derive(Subcommand)]
enum Command {
    /// Configure an integration, or tell it something else, and try it
    #[command(after_help = after_help())]
    Configure {
        /// What to speak with: artifactory, azure, distribution, email, harbor, nexus, oci, slack, sysdig,
        /// teams, webhook
        integration: String,
        /// Its name, to tell several apart
        #[arg(long, default_value = USUAL, value_parser = super::said())]
        name: String,
        /// What it is told; repeatable. `NAME=@FILE` takes it from a file, and users and secrets may be
        /// in the environment as for `foretop watch`. A value that goes on like another `,NAME=` is
        /// quoted: '"password=a,b=c"'
        #[arg(long = "parameter", value_name = "NAME=VALUE,…")]
        parameters: Vec<String>,
        #[command(flatten)]
        whose: Whose,
    },
    /// List integrations, with whether they work; of one that is named, all that it is told
    List {
        /// Only those of this kind
        integration: Option<String>,
        /// Only the one with this name
        #[arg(long, value_parser = super::said())]
        name: Option<String>,
        /// How to write it
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        #[command(flatten)]
        whose: Whose,
    },
    /// Try an integration, each thing that it needs
    Test {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        whose: Whose,
    },
    /// List what an integration told, the latest first: what waits, what was dealt with, and what is
    /// set aside
    Notices {
        #[command(flatten)]
        which: Which,
        /// Only what is in this state
        #[arg(long, value_enum)]
        state: Option<notices::State>,
        /// At most so many
        #[arg(long, value_name = "COUNT", default_value_t = 100,
              value_parser = clap::value_parser!(u32).range(1..=100_000))]
        limit: u32,
        /// How to write it
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        #[command(flatten)]
        whose: Whose,
    },
    /// Look once more into what is set aside: all that can be, or one alone
    Retry {
        #[command(flatten)]
        which: Which,
        /// This alone, by the id that `notices` lists
        #[arg(long, value_name = "ID", value_parser = super::said())]
        notice: Option<String>,
        #[command(flatten)]
        whose: Whose,
    },
    /// Write what the other side can be made from, with the address of the webhooks in it
    Template {
        #[command(flatten)]
        which: Which,
        /// In which language: for azure json or bicep
        #[arg(long, default_value = "json", value_parser = super::said())]
        format: String,
        #[command(flatten)]
        whose: Whose,
    },
    /// Let webhooks come in at another address, and at the one before no longer: for when somebody
    /// knows it who should not
    Renew {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        whose: Whose,
    },
    /// Delete an integration; what was made at its side stays, and is named
    Delete {
        /// Of which kind
        integration: String,
        /// Its name
        #[arg(long, default_value = USUAL, value_parser = super::said())]
        name: String,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
        #[command(flatten)]
        whose: Whose,
    },
}

#[derive(clap::Args)]
struct Which {
    /// Of which kind
    integration: String,
    /// Its name
    #[arg(long, default_value = USUAL, value_parser = super::said())]
    name: String,
}

/// The settings of each kind.
fn after_help() -> String {
    use std::fmt::Write as _;
    let mut text = "Parameters (those with a star must be told):\n".to_owned();
    for kind in ::integration::ALL {
        let named = kind.settings.iter().filter(|it| !it.watch_only).map(|it| {
            let star = if it.required { "*" } else { "" };
            format!("{}{star}", it.key)
        });
        let _ = writeln!(text, "  {:<13} {}", kind.id, named.collect::<Vec<_>>().join(", "));
    }
    text
}

impl Verb for Integration {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        match self.command {
            Command::Configure { integration, name, parameters, whose } => {
                let kind = kind(&integration)?;
                let parameters = told(kind, &parameters, context)?;
                ask(context, &whose, async |asking| {
                    configure(asking, kind, &name, parameters, context).await
                })
            }
            Command::List { integration, name, format, whose } => {
                let kind = integration.as_deref().map(kind).transpose()?;
                ask(context, &whose, async |asking| {
                    list(asking, kind, name.as_deref(), format, context).await
                })
            }
            Command::Test { which, whose } => {
                let kind = kind(&which.integration)?;
                ask(context, &whose, async |asking| test(asking, kind, &which.name, context).await)
            }
            Command::Notices { which, state, limit, format, whose } => {
                let kind = kind(&which.integration)?;
                ask(context, &whose, async |asking| {
                    notices::list(asking, kind, &which.name, (state, limit), format, context).await
                })
            }
            Command::Retry { which, notice, whose } => {
                let kind = kind(&which.integration)?;
                ask(context, &whose, async |asking| {
                    notices::retry(asking, kind, &which.name, notice, context).await
                })
            }
            Command::Template { which, format, whose } => {
                let kind = kind(&which.integration)?;
                ask(context, &whose, async |asking| {
                    let (organisation, query) =
                        (&asking.organisation, TemplateQuery { format: Some(format) });
                    let template =
                        asking.client.template(organisation, kind.id, &which.name, &query).await?;
                    context.messages.report(&template)?;
                    Ok(Outcome::Done)
                })
            }
            Command::Renew { which, whose } => {
                let kind = kind(&which.integration)?;
                ask(context, &whose, async |asking| renew(asking, kind, &which.name, context).await)
            }
            Command::Delete { integration, name, yes, whose } => {
                let kind = kind(&integration)?;
                ask(context, &whose, async |asking| delete(asking, kind, &name, yes, context).await)
            }
        }
    }
}

fn kind(id: &str) -> anyhow::Result<&'static Kind> {
    ::integration::find(id).ok_or_else(|| {
        let ids: Vec<&str> = ::integration::ALL.iter().map(|it| it.id).collect();
        Failure::error(
            format!("integration `{id}`: nobody here speaks with that"),
            format!("there are: {}", ids.join(", ")),
        )
    })
}

/// What is said on the command line, else what the environment says.
fn told(
    kind: &Kind,
    parameters: &[String],
    context: &Context,
) -> anyhow::Result<BTreeMap<String, String>> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    let mut pairs = Vec::new();
    for text in parameters {
        pairs.extend(parted(text)?);
    }
    for (key, value) in pairs {
        let key = key.trim().to_ascii_lowercase();
        let setting = kind.settings.iter().find(|it| it.key == key || it.also.contains(&&*key));
        let value = match value.strip_prefix('@') {
            Some(file) => fs_err::read_to_string(file)?.trim_end_matches(['\r', '\n']).to_owned(),
            None => value,
        };
        let key = setting.map_or(key, |it| it.key.to_owned());
        let separator = match setting.map(|it| it.kind) {
            Some(SettingKind::Expressions | SettingKind::Headers) => Some('\n'),
            Some(it) if it.is_list() => Some(','),
            _ => None,
        };
        match (all.get_mut(&key), separator) {
            (Some(there), Some(separator)) => {
                there.push(separator);
                there.push_str(&value);
            }
            (Some(_), None) => {
                return Err(Failure::error(
                    format!("--parameter {key}: it is told more than once"),
                    "tell it once",
                ));
            }
            (None, _) => {
                all.insert(key, value);
            }
        }
    }
    for setting in kind.settings.iter().filter(|it| !it.watch_only) {
        let mut variables = setting.variables.iter();
        if !all.contains_key(setting.key)
            && let Some(value) = variables.find_map(|it| context.environment.setting(it))
        {
            all.insert(setting.key.to_owned(), value);
        }
    }
    Ok(all)
}

/// The keys and values of one `--parameter`. What begins with no key belongs to the value before it,
/// so that lists need no quotes.
fn parted(text: &str) -> anyhow::Result<Vec<(String, String)>> {
    let refused = |why: String| {
        let hint = "write it like this: --parameter registry=registry.example,user=reader";
        Failure::error(format!("--parameter: {why}"), hint)
    };
    let fields = registry_string::fields(text).map_err(|it| refused(it.to_string()))?;
    let is_key = |key: &str| {
        let is_word = |it: char| it.is_ascii_alphanumeric() || it == '-';
        !key.is_empty() && key.chars().all(is_word)
    };
    let mut all: Vec<(String, String)> = Vec::new();
    for field in fields {
        match (field.split_once('='), all.last_mut()) {
            (Some((key, value)), _) if is_key(key.trim()) => {
                all.push((key.to_owned(), value.to_owned()));
            }
            (_, Some((_, before))) => {
                before.push(',');
                before.push_str(&field);
            }
            (_, None) => return Err(refused("there is no value in it".to_owned())),
        }
    }
    Ok(all)
}

async fn configure(
    asking: &Asking,
    kind: &Kind,
    name: &str,
    parameters: BTreeMap<String, String>,
    context: &Context,
) -> anyhow::Result<Outcome> {
    let configuring = Configuring { parameters };
    let organisation = &asking.organisation;
    let done =
        asking.client.configure_integration(organisation, kind.id, name, &configuring).await?;
    let Configured { integration, checks } = done;
    say(&checks, context);
    let messages = &context.messages;
    tell_address(asking, kind, name, context).await?;
    works(&integration, kind)?;
    if integration.state == IntegrationState::Pending && kind.role == Role::Runtime {
        messages.inform(&format!("{} {name} waits for what is to be chosen", kind.title));
        messages.advise(
            "configure it again with that: --parameter cluster=NAME,environment=ENVIRONMENT",
        );
        return Ok(Outcome::Done);
    }
    if integration.state == IntegrationState::Pending {
        messages.inform(&format!("{} {name} waits for its password", kind.title));
        messages.advise(&format!(
            "deploy what `foretop integration template {}` writes, and configure it again with that",
            kind.id
        ));
        return Ok(Outcome::Done);
    }
    messages.done(&format!("{} {name} is connected to organization {organisation}", kind.title));
    Ok(Outcome::Done)
}

async fn renew(
    asking: &Asking,
    kind: &Kind,
    name: &str,
    context: &Context,
) -> anyhow::Result<Outcome> {
    let (organisation, messages) = (&asking.organisation, &context.messages);
    if kind.webhook_secret.is_none() {
        let why = format!("integration renew: {} has no webhooks", kind.title);
        return Err(Failure::error(why, "it is looked at again and again"));
    }
    asking.client.renew_integration_address(organisation, kind.id, name).await?;
    tell_address(asking, kind, name, context).await?;
    messages.done(&format!("The former address of {} {name} is good no more", kind.title));
    if !kind.templates.is_empty() {
        messages.advise(&format!("deploy what `foretop integration template {}` writes", kind.id));
    }
    Ok(Outcome::Done)
}

/// Where its webhooks come in. That is in no answer to a change.
async fn tell_address(
    asking: &Asking,
    kind: &Kind,
    name: &str,
    context: &Context,
) -> anyhow::Result<()> {
    let whole = asking.client.integration(&asking.organisation, kind.id, name).await?;
    if let Some(address) = address(asking, &whole) {
        let messages = &context.messages;
        messages.inform("Its webhooks come in at an address that is as good as a password:");
        messages.report(&format!("{address}\n"))?;
    }
    Ok(())
}

/// Each thing that it needs.
fn say(checks: &[IntegrationCheck], context: &Context) {
    let messages = &context.messages;
    for check in checks {
        let line = format!("{}: {}", check.what, check.detail);
        match check.outcome {
            Tried::Ok => messages.done(&line),
            Tried::Warned => messages.warn(&line),
            Tried::Failed => messages.failed(&line),
        }
        if let Some(hint) = &check.hint {
            messages.advise(hint);
        }
    }
}

fn works(integration: &Kept, kind: &Kind) -> anyhow::Result<()> {
    if integration.state != IntegrationState::Error {
        return Ok(());
    }
    let why = integration.why.as_deref().unwrap_or_default();
    let hint = if kind.role == Role::Notifier {
        "configure it again to tell it something else, and test it"
    } else {
        "it is tried again from time to time; configure it again to tell it something else"
    };
    let what = format!("{} {} is kept, and does not work: {why}", kind.title, integration.name);
    Err(Failure::error(what, hint))
}

async fn test(
    asking: &Asking,
    kind: &Kind,
    name: &str,
    context: &Context,
) -> anyhow::Result<Outcome> {
    let tried = asking.client.try_integration(&asking.organisation, kind.id, name).await?;
    say(&tried.checks, context);
    works(&tried.integration, kind)?;
    context.messages.done(&format!("{} {name} works", kind.title));
    Ok(Outcome::Done)
}

/// Where its webhooks come in.
fn address(asking: &Asking, integration: &Kept) -> Option<String> {
    let server = asking.server.as_deref()?.trim_end_matches('/');
    let speaks = ::integration::find(&integration.kind)?.webhook_secret.is_some();
    integration.hook.as_ref().filter(|_| speaks).map(|path| format!("{server}{path}"))
}

async fn list(
    asking: &Asking,
    kind: Option<&Kind>,
    name: Option<&str>,
    format: Format,
    context: &Context,
) -> anyhow::Result<Outcome> {
    let mut all = asking.client.integrations(&asking.organisation).await?.items;
    all.retain(|it| kind.is_none_or(|kind| kind.id == it.kind));
    all.retain(|it| name.is_none_or(|name| name == it.name));
    let messages = &context.messages;
    match format {
        Format::Json => {
            messages.report(&format!("{}\n", serde_json::to_string_pretty(&all)?))?;
        }
        Format::Text if all.is_empty() => messages.inform("There is no such integration yet"),
        Format::Text => {
            messages.report(&table(&all))?;
            if name.is_some() {
                for it in &all {
                    messages.report(&format!("\n{}", parameters(it)))?;
                }
            }
        }
    }
    Ok(Outcome::Done)
}

fn table(all: &[Kept]) -> String {
    let rows = all
        .iter()
        .map(|it| {
            let mut state = match (it.state, &it.why) {
                (IntegrationState::Pending, _) => "pending".to_owned(),
                (IntegrationState::Connected, _) => "connected".to_owned(),
                (IntegrationState::Error, None) => "error".to_owned(),
                (IntegrationState::Error, Some(why)) => format!("error: {why}"),
            };
            if it.aside > 0 {
                let aside = count(it.aside, "notice", "notices");
                state = format!("{state}; {aside} set aside");
            }
            if let Some(refused) = &it.refused {
                let webhooks = count(refused.count, "webhook", "webhooks");
                let (last, why) = (second(&refused.last), &refused.why);
                state = format!("{state}; {webhooks} refused, the last at {last}: {why}");
            }
            let keys = ["registry", "cluster", "host"];
            let about = keys.iter().find_map(|key| it.parameters.get(*key));
            let registry = about.cloned().unwrap_or_default();
            vec![it.kind.clone(), it.name.clone(), registry, second(&it.since), state]
        })
        .collect();
    columns(&["Kind", "Name", "Registry", "Since", "State"], rows)
}

/// All that one is told, but for what its secrets are.
fn parameters(integration: &Kept) -> String {
    let told = integration.parameters.iter().map(|(key, value)| vec![key.clone(), value.clone()]);
    let secrets = integration.secrets.iter().map(|it| vec![it.clone(), "a secret".to_owned()]);
    columns(&["Parameter", "Value"], told.chain(secrets).collect())
}

async fn delete(
    asking: &Asking,
    kind: &Kind,
    name: &str,
    yes: bool,
    context: &Context,
) -> anyhow::Result<Outcome> {
    let messages = &context.messages;
    let what = format!("{} {name}", kind.title);
    if !yes && !messages.ask(&format!("Delete {what}, with its secrets and all that it told?"))? {
        return Err(Failure::error(format!("{what} is kept"), "-y deletes it without a question"));
    }
    let removed = asking.client.delete_integration(&asking.organisation, kind.id, name).await?;
    messages.done(&format!("Successfully deleted {what}"));
    if !removed.leftovers.is_empty() {
        messages.warn("What was made at its side stays there until somebody deletes it:");
        for it in &removed.leftovers {
            messages.inform(&format!("{} {}", it.what, it.name));
        }
    }
    Ok(Outcome::Done)
}
