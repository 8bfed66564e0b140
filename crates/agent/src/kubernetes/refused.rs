//! What a cluster refuses, in words for those who can do something about it.

use std::error::Error as _;

use kube::core::Status;
use kube::runtime::watcher;

use crate::contract::Trouble;

/// What went wrong with following `things` (`pods`).
pub(super) fn trouble(things: &str, error: &watcher::Error) -> Trouble {
    let (verb, error) = match error {
        watcher::Error::InitialListFailed(error) => ("list", error),
        watcher::Error::WatchStartFailed(error) | watcher::Error::WatchFailed(error) => {
            ("watch", error)
        }
        watcher::Error::WatchError(status) => return refused("watch", things, status),
        watcher::Error::NoResourceVersion => {
            return Trouble::passing(
                format!("list {things}"),
                "the cluster tells no version of it",
            );
        }
    };
    match error {
        kube::Error::Api(status) => refused(verb, things, status),
        kube::Error::Auth(error) => Trouble::lasting(
            format!("{verb} {things}"),
            format!("no credentials for the cluster: {error}"),
            "`kubectl get pods` with the same kubeconfig and context says more",
        ),
        // Where HTML comes, or what a proxy says, it is no cluster that answers.
        kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) => Trouble {
            hint: Some(
                "is it a Kubernetes API server that answers there, and all of it?".to_owned(),
            ),
            ..Trouble::passing(
                format!("{verb} {things}"),
                format!("the answer makes no sense: {}", cause(error)),
            )
        },
        other => Trouble::passing(format!("{verb} {things}"), cause(other)),
    }
}

/// Does it happen to everybody now and then? A cluster forgets what changed after some minutes.
pub(super) fn is_usual(error: &watcher::Error) -> bool {
    match error {
        watcher::Error::WatchError(status) => status.code == 410,
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchFailed(kube::Error::Api(status)) => status.code == 410,
        _ => false,
    }
}

pub(super) fn refused(verb: &str, things: &str, status: &Status) -> Trouble {
    let what = format!("{verb} {things}");
    let said: String = status.message.chars().filter(|it| !it.is_control()).take(300).collect();
    match status.code {
        401 => Trouble::lasting(
            what,
            "the cluster does not know who asks",
            "is the token expired, or the client certificate? A service account has a new token \
             when its pod starts anew",
        ),
        403 => {
            let verbs = if verb == "get" { "[\"get\"]" } else { "[\"list\", \"watch\"]" };
            let hint = format!(
                "grant it in a ClusterRole: apiGroups [\"\"], resources [\"{things}\"], \
                 verbs {verbs}; deploy/kubernetes/agent.yaml has one"
            );
            Trouble::lasting(what, format!("it is not allowed to {verb} {things}: {said}"), &hint)
        }
        410 => Trouble::passing(what, "what was seen is too old to go on from there"),
        429 => Trouble::passing(what, "the cluster is asked too often"),
        code => Trouble::passing(what, format!("the cluster answers with status {code}: {said}")),
    }
}

/// The innermost cause says what is wrong.
pub(super) fn cause(error: &kube::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    let text = if error.source().is_some() { inner.to_string() } else { error.to_string() };
    text.chars().map(|it| if it.is_control() { ' ' } else { it }).take(500).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_cluster_is_said_to_be_none() {
        let junk = serde_json::from_str::<serde_json::Value>("<html>").unwrap_err();
        let error = watcher::Error::InitialListFailed(kube::Error::SerdeError(junk));
        let told = trouble("pods", &error);
        assert_eq!(
            told.to_string(),
            "list pods: the answer makes no sense: expected value at line 1 column 1"
        );
        assert!(told.hint.is_some_and(|it| it.contains("Kubernetes API server")));
        assert!(!told.lasting);
    }
}
