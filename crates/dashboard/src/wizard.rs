//! Steps by which a party is connected: which settings each asks for, and what it says. What a setting is
//! the API says; here it is only said in which order they are asked.

use std::collections::BTreeMap;

use api::{Integration, IntegrationKind};
use serde::Deserialize;

use crate::visit::Form;

/// A step.
pub(crate) struct Step {
    pub(crate) title: &'static str,
    /// What to do there.
    pub(crate) text: &'static str,
    /// The settings that it asks for, by their keys; `*`: all that no other step asks for.
    pub(crate) keys: &'static [&'static str],
    pub(crate) what: What,
}

/// What a step does beside asking.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// It asks, and tries what was said before it goes on.
    Tries,
    /// It asks, and what is not there yet may come with a later step.
    Tells,
    /// It only gives a name.
    Names,
    /// It shows what the other side is made from.
    Deploys,
    /// It lists clusters, of which one is chosen.
    Chooses,
    /// It asks for an environment: one that is there, or another.
    Places,
    /// It shows where webhooks go, and asks what they prove themselves with.
    Hears,
}

const SCOPE: &[&str] = &["repository", "include", "exclude", "tag"];
const HOOKS: &[&str] = &["webhook-secret", "webhook-auth", "webhook-mode"];

const REGISTRY: &[Step] = &[
    Step {
        title: "Where it is, and who we are there",
        text: "A user of its own that may only read, and an access token instead of a password, are best. \
               The connection is tried before it goes on.",
        keys: &["*"],
        what: What::Tries,
    },
    Step {
        title: "What is watched",
        text: "All repositories, unless something is said here. What is there already is read newest first, \
               what is pushed later as it comes.",
        keys: SCOPE,
        what: What::Tries,
    },
    Step {
        title: "Webhooks",
        text: "Without webhooks it is looked at every few minutes. With them, a push is heard at once: make a \
               secret by chance, and give it to both sides.",
        keys: HOOKS,
        what: What::Hears,
    },
];

const POLLED: &[Step] = &[
    Step {
        title: "Where it is, and who we are there",
        text: "Any registry that speaks OCI, also one of a cloud. It has no webhooks that we know, so it is \
               looked at every few minutes. At Amazon ECR the user is AWS, and the password what `aws ecr \
               get-login-password` prints: it holds for twelve hours, and is told anew after that. The \
               connection is tried before it goes on.",
        keys: &["*"],
        what: What::Tries,
    },
    Step {
        title: "What is watched",
        text: "All repositories that it lists, unless something is said here.",
        keys: SCOPE,
        what: What::Tries,
    },
];

const ARTIFACTORY: &[Step] = &[
    Step {
        title: "Where it is, and who we are there",
        text: "The host that images are pulled from, the address of its REST interface, and the repositories \
               to watch. A user of its own that may only read, and an access token, are best. The connection \
               is tried before it goes on.",
        keys: &["*"],
        what: What::Tries,
    },
    Step {
        title: "What is watched",
        text: "All images of those repositories, unless something is said here.",
        keys: &["include", "exclude", "tag"],
        what: What::Tries,
    },
    Step {
        title: "Webhooks",
        text: "In Artifactory, add a webhook for images that are pushed and deleted, with the address that \
               the integration's page shows, and a secret of 64 to 128 characters by chance.",
        keys: HOOKS,
        what: What::Hears,
    },
];

const AZURE: &[Step] = &[
    Step {
        title: "Registry hostname",
        text: "The login server of the registry, as its overview in Azure shows it.",
        keys: &["registry", "webhook-secret"],
        what: What::Tells,
    },
    Step {
        title: "Deploy to Azure",
        text: "A template makes a token that may only read, and an Event Grid topic that tells of pushes.",
        keys: &[],
        what: What::Deploys,
    },
    Step {
        title: "Registry token",
        text: "Of what was deployed, open the container registry token, generate a password for it, and paste \
               that here. The connection is tried when you enable it.",
        keys: &["password", "user", "repository", "include", "exclude", "tag"],
        what: What::Tries,
    },
];

const SYSDIG: &[Step] = &[
    Step {
        title: "Name",
        text: "Each integration is one cluster, and one environment. It needs Sysdig's agent in the cluster, \
               and profiling for Risk Spotlight integrations enabled in Sysdig Secure.",
        keys: &[],
        what: What::Names,
    },
    Step {
        title: "Token and region",
        text: "A token for Risk Spotlight integrations, and the region that the agents are told by \
               global.sysdig.region. Sysdig is asked for its clusters before it goes on.",
        keys: &["token", "region", "url", "source", "interval"],
        what: What::Tries,
    },
    Step {
        title: "Cluster",
        text: "As the agents are told it by global.clusterConfig.name.",
        keys: &["cluster"],
        what: What::Chooses,
    },
    Step {
        title: "Environment",
        text: "What runs in the cluster is placed there as far as its images are analysed; an integration of \
               their registry analyses them.",
        keys: &["environment"],
        what: What::Places,
    },
];

const CHANNEL: &[Step] = &[Step {
    title: "Where it is told",
    text: "The address is as good as a password: it is shown to nobody again. Rules say who is told of what.",
    keys: &["*"],
    what: What::Tries,
}];

const MAIL: &[Step] = &[Step {
    title: "By which server, and to whom",
    text: "The mail server is asked whether it takes the sender. Rules say who is told of what.",
    keys: &["*"],
    what: What::Tries,
}];

/// The steps of a kind.
pub(crate) fn steps(kind: &str) -> &'static [Step] {
    match kind {
        "azure" => AZURE,
        "artifactory" => ARTIFACTORY,
        "sysdig" => SYSDIG,
        "slack" | "teams" | "webhook" => CHANNEL,
        "email" => MAIL,
        "oci" => POLLED,
        _ => REGISTRY,
    }
}

/// What kinds are to people, in the order in which they are offered.
pub(crate) fn group(kind: &str) -> usize {
    match kind {
        "sysdig" => 1,
        "slack" | "teams" | "webhook" | "email" => 2,
        _ => 0,
    }
}

/// What each is for, in a few words.
pub(crate) fn brief(kind: &str) -> &'static str {
    match kind {
        "azure" => "Its own events tell of pushes",
        "oci" => "GitHub, GitLab, Google, Quay, Amazon and others: looked at every few minutes",
        "distribution" => "What is run as registry:2",
        "artifactory" | "harbor" | "nexus" => "Its webhooks tell of pushes",
        "sysdig" => "Which packages are loaded, cluster by cluster",
        "webhook" => "To whatever takes a POST request",
        _ => "",
    }
}

/// What the groups are called.
pub(crate) const GROUPS: [&str; 3] = [
    "Registries: what is pushed is analysed",
    "Runtimes: what runs is known",
    "Channels: somebody is told",
];

/// A setting, as the API describes it.
#[derive(Clone, Debug, Deserialize)]
struct Described {
    key: String,
    label: String,
    kind: Typed,
    required: bool,
    #[serde(default)]
    default: Option<String>,
    help: String,
    example: String,
}

#[derive(Clone, Debug, Deserialize)]
struct Typed {
    kind: String,
    #[serde(default)]
    choices: Vec<String>,
}

/// A setting as a field of a form.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) key: String,
    pub(crate) label: String,
    pub(crate) help: String,
    pub(crate) example: String,
    pub(crate) value: String,
    pub(crate) choices: Vec<String>,
    /// What holds where nothing is said.
    pub(crate) usual: Option<String>,
    pub(crate) is_required: bool,
    pub(crate) is_secret: bool,
    /// It was told, and stays unless another is.
    pub(crate) is_kept: bool,
    pub(crate) is_long: bool,
}

/// The fields of a step: those that must be told first. Secrets are never shown again.
pub(crate) fn fields(
    kind: &IntegrationKind,
    step: &Step,
    there: Option<&Integration>,
    typed: Option<&Form>,
) -> Vec<Field> {
    let mut fields: Vec<Field> =
        asked(kind, step).into_iter().map(|it| field(it, there, typed)).collect();
    fields.sort_by_key(|it| !it.is_required);
    fields
}

fn asked(kind: &IntegrationKind, step: &Step) -> Vec<Described> {
    let elsewhere = |key: &str| steps(&kind.id).iter().any(|it| it.keys.contains(&key));
    let described = kind.settings.iter().filter_map(|it| Described::deserialize(it).ok());
    let is_asked = |it: &Described| {
        let key = it.key.as_str();
        step.keys.contains(&key) || (step.keys.contains(&"*") && !elsewhere(key))
    };
    described.filter(is_asked).collect()
}

fn field(it: Described, there: Option<&Integration>, typed: Option<&Form>) -> Field {
    let is_secret = matches!(&*it.kind.kind, "secret" | "headers");
    let told = there.and_then(|there| there.parameters.get(&it.key)).cloned();
    let value = typed.and_then(|form| form.text(&it.key)).map(str::to_owned).or(told);
    let choices = match &*it.kind.kind {
        "switch" => vec!["true".to_owned(), "false".to_owned()],
        _ => it.kind.choices,
    };
    Field {
        is_kept: is_secret && there.is_some_and(|there| there.secrets.contains(&it.key)),
        value: if is_secret { String::new() } else { value.unwrap_or_default() },
        choices,
        is_long: matches!(&*it.kind.kind, "headers" | "template" | "expressions"),
        usual: it.default,
        is_required: it.required,
        is_secret,
        key: it.key,
        label: it.label,
        help: it.help,
        example: it.example,
    }
}

/// What it is to be told: what it is told already, and what this step says of its own settings. A secret that
/// is left empty stays what it was.
pub(crate) fn parameters(
    kind: &IntegrationKind,
    step: &Step,
    there: Option<&Integration>,
    form: &Form,
) -> BTreeMap<String, String> {
    let mut all = there.map(|it| it.parameters.clone()).unwrap_or_default();
    for field in fields(kind, step, there, None) {
        let said = if field.is_secret {
            form.exactly(&field.key)
        } else {
            form.text(&field.key).unwrap_or_default()
        };
        match (field.is_secret, said.trim().is_empty()) {
            (true, true) => {}
            (false, true) => {
                all.remove(&field.key);
            }
            (_, false) => {
                all.insert(field.key, said.replace("\r\n", "\n"));
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kind() -> IntegrationKind {
        let setting = |key: &str, kind: &str, required: bool| {
            json!({ "key": key, "label": key, "kind": { "kind": kind }, "required": required,
                    "default": null, "help": "", "example": "" })
        };
        IntegrationKind {
            id: "harbor".to_owned(),
            title: String::new(),
            about: String::new(),
            settings: vec![
                setting("user", "text", false),
                setting("registry", "host", true),
                setting("password", "secret", false),
                setting("include", "patterns", false),
                setting("webhook-auth", "secret", false),
            ],
            templates: Vec::new(),
            leftovers: Vec::new(),
        }
    }

    fn form(pairs: &[(&str, &str)]) -> Form {
        Form(pairs.iter().map(|(key, it)| ((*key).to_owned(), (*it).to_owned())).collect())
    }

    #[test]
    fn each_setting_is_asked_for_once_and_secrets_are_not_shown() {
        let kind = kind();
        let mut asked: Vec<String> = Vec::new();
        for step in steps(&kind.id) {
            asked.extend(fields(&kind, step, None, None).into_iter().map(|it| it.key));
        }
        assert_eq!(asked, ["registry", "user", "password", "include", "webhook-auth"]);
        let typed = form(&[("password", "hush"), ("user", "reader")]);
        let shown = fields(&kind, &steps("harbor")[0], None, Some(&typed));
        let values: Vec<&str> = shown.iter().map(|it| it.value.as_str()).collect();
        assert_eq!(values, ["", "reader", ""]);
    }

    #[test]
    fn a_step_changes_its_own_settings_alone() {
        let kind = kind();
        let there = Integration {
            kind: "harbor".to_owned(),
            name: "x".to_owned(),
            parameters: [("registry", "a"), ("user", "b"), ("include", "c")]
                .map(|(key, it)| (key.to_owned(), it.to_owned()))
                .into(),
            state: api::IntegrationState::Pending,
            why: None,
            since: String::new(),
            waiting: 0,
            aside: 0,
            refused: None,
            created: String::new(),
            created_by: String::new(),
            hook: None,
            secrets: vec!["password".to_owned()],
        };
        let sent = form(&[
            ("registry", "z"),
            ("user", ""),
            ("password", ""),
            ("include", "evil"),
            ("odd", "x"),
        ]);
        let all = parameters(&kind, &steps("harbor")[0], Some(&there), &sent);
        let expect = [("include", "c"), ("registry", "z")];
        assert_eq!(all, expect.map(|(key, it)| (key.to_owned(), it.to_owned())).into());
    }
}
