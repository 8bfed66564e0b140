//! `foretop agent kubernetes`.

use std::path::PathBuf;

use ::agent::kubernetes::{Access, Kubernetes as Cluster, Patience};
use clap::ValueHint;

use super::{Outcome, Telling, mapping, said};
use crate::Context;
use crate::environment::Environment;
use crate::failure::Failure;

#[derive(clap::Args)]
#[command(after_help = HELP)]
pub(super) struct Kubernetes {
    /// What this cluster is called
    #[arg(long, value_name = "NAME", value_parser = said())]
    cluster: String,
    /// Which environment a namespace belongs to; `*` and `?` stand for any letters and any one.
    /// Repeatable: a whole name goes first, then the first that fits
    #[arg(long, value_name = "NAMESPACE=ENVIRONMENT", value_parser = said())]
    map: Vec<String>,
    /// The label of a namespace whose value is its environment
    #[arg(long, value_name = "LABEL", value_parser = said())]
    map_label: Option<String>,
    /// The environment of all other namespaces
    #[arg(long, value_name = "ENVIRONMENT", value_parser = said())]
    environment: Option<String>,
    /// The kubeconfig to reach the cluster by
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    kubeconfig: Option<PathBuf>,
    /// The context in it, instead of the current one
    #[arg(long, value_name = "CONTEXT", value_parser = said())]
    context: Option<String>,
    #[command(flatten)]
    telling: Telling,
}

const HELP: &str = "\
Namespaces that no environment is mapped to are left out, and so are those of the cluster itself
(kube-system and its like) unless they are mapped by their whole name or labelled.
Needed are the rights to list and watch pods; those to nodes tell platforms, and those to
namespaces are for --map-label.";

const MAPPED: &str = "--map NAMESPACE=ENVIRONMENT, --map-label LABEL, or --environment for all";

impl Kubernetes {
    pub(super) fn run(&self, context: &Context) -> anyhow::Result<Outcome> {
        let label = self.map_label.as_deref();
        let mapping = mapping(&self.map, label, self.environment.as_deref(), MAPPED)?;
        let mapped = serde_json::to_string(&(&self.map, label, &self.environment))?;
        let access = self.access(&context.environment)?;
        self.telling.tell(context, (&self.cluster, &mapped), async || {
            Cluster::open(&access, mapping, Patience::default()).await
        })
    }

    /// By a kubeconfig that is named, else as the pod that we are, else by the usual one.
    fn access(&self, environment: &Environment) -> anyhow::Result<Access> {
        let context = self.context.clone();
        let named = match &self.kubeconfig {
            Some(path) => vec![path.clone()],
            None => environment.kubeconfig(),
        };
        if !named.is_empty() {
            return Ok(Access { kubeconfig: named, context, inside: false });
        }
        if environment.is_in_a_pod() && context.is_none() {
            return Ok(Access { inside: true, ..Access::default() });
        }
        let usual = environment.usual_kubeconfig().ok_or_else(|| {
            let hint = "--kubeconfig or KUBECONFIG names one";
            Failure::error("cannot tell where the kubeconfig is: HOME is not set", hint)
        })?;
        Ok(Access { kubeconfig: vec![usual], context, inside: false })
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, FromArgMatches as _};

    use super::*;

    #[test]
    fn which_cluster() {
        let check = |line: &str, set: &[(&str, &str)], expect: &str| {
            let words = "agent --cluster a".split(' ').chain(line.split_whitespace());
            let matches = Kubernetes::augment_args(clap::Command::new("agent"));
            let matches = matches.get_matches_from(words);
            let it = Kubernetes::from_arg_matches(&matches).unwrap();
            let shown = match it.access(&Environment::of(set)) {
                Ok(Access { inside: true, .. }) => "inside".to_owned(),
                Ok(it) => {
                    let paths: Vec<_> =
                        it.kubeconfig.iter().map(|it| it.display().to_string()).collect();
                    format!("{} {}", paths.join(" "), it.context.unwrap_or_default())
                }
                Err(error) => error.to_string(),
            };
            assert_eq!(shown.trim(), expect);
        };
        let home = ("HOME", "/h");
        let pod = ("KUBERNETES_SERVICE_HOST", "10.0.0.1");
        check("", &[home], "/h/.kube/config");
        check("", &[home, pod], "inside");
        check("--context c", &[home, pod], "/h/.kube/config c");
        check("--kubeconfig k", &[home, pod, ("KUBECONFIG", "/x")], "k");
        if cfg!(unix) {
            check("", &[home, pod, ("KUBECONFIG", "/x::/y")], "/x /y");
        }
        check("", &[], "cannot tell where the kubeconfig is: HOME is not set");
    }
}
