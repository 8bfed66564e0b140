//! A topic: what people want to be told of, in a word, and the kinds of events that it is about.

use crate::EventKind;

/// What somebody may want to be told of.
#[derive(Debug, PartialEq, Eq)]
pub struct Topic {
    /// In kebab case: `new-finding`.
    pub id: &'static str,
    /// In one line, for a list.
    pub about: &'static str,
    /// The events that may be about it. Where not all of a kind are, `about` says which.
    pub kinds: &'static [EventKind],
    /// Is it about a flaw? Then one message is about one flaw, and it has a severity.
    pub of_flaws: bool,
    /// Is the same flaw, or image, in the same environment news again the next day at the earliest?
    pub once_a_day: bool,
}

/// Stands for all of them.
pub const ALL_TOPICS: &str = "all";

impl Topic {
    /// The one that is about what an image brings where it comes to run: about an image, and its flaws.
    pub const DEPLOYED: &'static str = "finding-deployed";

    /// All of them: an event that may be about several is about the first that is asked for.
    pub const ALL: &'static [Self] = &[
        Self {
            id: "new-finding",
            about: "something that runs has a flaw that it was not known to have",
            kinds: &[EventKind::FindingNew],
            of_flaws: true,
            once_a_day: true,
        },
        Self {
            id: "known-exploited",
            about: "a flaw of something that runs is known to be exploited, old or new",
            kinds: &[EventKind::FindingExploited, EventKind::FindingNew],
            of_flaws: true,
            once_a_day: true,
        },
        Self {
            id: "severity-up",
            about: "a flaw of something that runs is rated worse than before",
            kinds: &[EventKind::FindingSeverityChanged],
            of_flaws: true,
            once_a_day: false,
        },
        Self {
            id: "fix-available",
            about: "a flaw of something that runs can be mended by now",
            kinds: &[EventKind::FindingFixAvailable],
            of_flaws: true,
            once_a_day: false,
        },
        Self {
            id: "fix-withdrawn",
            about: "the fix of a flaw of something that runs is not to be had any more",
            kinds: &[EventKind::FindingFixWithdrawn],
            of_flaws: true,
            once_a_day: false,
        },
        Self {
            id: "finding-gone",
            about: "something that runs is known not to have a flaw any more",
            kinds: &[EventKind::FindingGone],
            of_flaws: true,
            once_a_day: false,
        },
        Self {
            id: Self::DEPLOYED,
            about: "what came to run has flaws that what ran before it had not; new-finding has it",
            kinds: &[
                EventKind::DeploymentStarted,
                EventKind::DeploymentReplaced,
                EventKind::DeploymentIdentified,
                EventKind::ImageAnalysed,
            ],
            of_flaws: false,
            once_a_day: true,
        },
        Self {
            id: "evaluation-incomplete",
            about: "what a new almanac changes cannot be told of all that runs",
            kinds: &[EventKind::EvaluationIncomplete],
            of_flaws: false,
            once_a_day: false,
        },
        Self {
            id: "tag-drifted",
            about: "a tag that something runs by leads to another image",
            kinds: &[EventKind::TagMoved],
            of_flaws: false,
            once_a_day: false,
        },
        Self {
            id: "environment-changed",
            about: "something else runs, or an environment was made, renamed or deleted",
            kinds: &[
                EventKind::DeploymentStarted,
                EventKind::DeploymentReplaced,
                EventKind::DeploymentEnded,
                EventKind::EnvironmentCreated,
                EventKind::EnvironmentRenamed,
                EventKind::EnvironmentDeleted,
            ],
            of_flaws: false,
            once_a_day: false,
        },
        Self {
            id: "integration-broken",
            about: "an integration does not work any more",
            kinds: &[EventKind::IntegrationChanged],
            of_flaws: false,
            once_a_day: false,
        },
        Self {
            id: "almanac-stale",
            about: "what is known of the world is older than it is to be, or new again",
            kinds: &[EventKind::AlmanacStale, EventKind::AlmanacFresh],
            of_flaws: false,
            once_a_day: false,
        },
        Self {
            id: "runtime-silent",
            about: "a cluster or host is not heard of any more, or is again",
            kinds: &[EventKind::RuntimeSilent, EventKind::RuntimeHeard],
            of_flaws: false,
            once_a_day: false,
        },
        Self {
            id: "check-failed",
            about: "a scheduled check found what it looks for, could not tell, or passed again",
            kinds: &[EventKind::CheckFailed, EventKind::CheckPassed],
            of_flaws: false,
            once_a_day: false,
        },
        Self {
            id: "exception-expired",
            about: "the time is over for which a flaw was out of the way",
            kinds: &[EventKind::ExceptionExpired],
            of_flaws: false,
            once_a_day: false,
        },
        Self {
            id: "policy-flipped",
            about: "something that runs meets a policy that it did not, or does not any more",
            kinds: &[EventKind::PolicyFlipped],
            of_flaws: false,
            once_a_day: false,
        },
    ];

    /// The one of that name.
    pub fn find(id: &str) -> Option<&'static Self> {
        Self::ALL.iter().find(|it| it.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_kebab() {
        for (number, topic) in Topic::ALL.iter().enumerate() {
            let is_kebab = topic.id.chars().all(|it| it.is_ascii_lowercase() || it == '-');
            assert!(is_kebab && topic.id != ALL_TOPICS && !topic.kinds.is_empty(), "{}", topic.id);
            assert_eq!(Topic::ALL.iter().position(|it| it.id == topic.id), Some(number));
            assert_eq!(Topic::find(topic.id), Some(topic));
        }
        assert_eq!(Topic::find(ALL_TOPICS), None);
    }

    #[test]
    fn every_kind_of_an_evaluation_is_about_something() {
        for kind in EventKind::OF_EVALUATIONS {
            assert!(Topic::ALL.iter().any(|it| it.kinds.contains(&kind)), "{kind:?}");
        }
    }
}
