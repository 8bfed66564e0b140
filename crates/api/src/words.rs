//! The words, by noun.

mod advisory;
mod base;
mod comparison;
mod environment;
mod event;
mod exception;
mod explanation;
mod export;
mod flaw;
mod footing;
pub mod grammar;
mod identity;
mod image;
mod integration;
mod number;
mod organisation;
mod package;
mod page;
mod policy;
mod problem;
mod retention;
mod rule;
mod runtime;
mod schedule;
mod trial;
mod whereabouts;

pub use advisory::{
    Advisories, Advisory, AlmanacState, ConcernedPackage, Exploitation, FeedAge, Forecast, RatedBy,
};
pub use base::{
    Base, BaseQuery, Below, BelowImage, Forgotten, Layered, Learned, Learning, LearningImage,
};
pub use comparison::{Comparing, Comparisons, Difference, End, Only, Pair, PairOutcome, Running};
pub use environment::{
    Change, Counted, CountsQuery, Deployment, DeploymentQuery, EndQuery, Ended, Environment,
    NewEnvironment, Promotion, Recorded, RecordedAll, Recording, Recordings, Renaming, Report,
    Reported, StaleTag,
};
pub use event::{Event, EventDetail, EventQuery, LiveQuery};
pub use exception::{Excepting, Exception, ExceptionKept};
pub use explanation::{Explanation, ExplanationQuery, Judged};
pub use export::ExportQuery;
pub use flaw::{
    CountedBasis, FlawCounts, FlawedPackage, Flaws, FlawsQuery, FreeImage, FreeOfFlaw, RunningFlaw,
    RunningImage, RunningImages, RunningImagesQuery,
};
pub use footing::{
    FootedImage, FootedImages, Footing, FootingMove, FootingTold, FootingWays, Footings,
    FootingsQuery, StandsOn,
};
pub use identity::{
    Accepting, Assigning, ChangingPassword, Disabling, Invitation, Joined, LoggedIn, LoggingIn,
    MadeInvitation, MadeToken, Member, NewInvitation, NewToken, Reset, Resetting, Rotating, Scope,
    Session, Token, TokenQuery,
};
pub use image::{
    Image, ImageInUse, ImageQuery, ImageState, Judging, Layer, Leading, LeadsTo, Led,
    LoadedPackage, Looked, LooksQuery, Presenting, Pushed, Pushing, ResolveQuery, Resolved,
    ResolvedBy, TagSpan, TagsQuery, Untold,
};
pub use integration::{
    Cluster, Configured, Configuring, Integration, IntegrationCheck, IntegrationKind,
    IntegrationNotice, IntegrationState, NoticeQuery, NoticeState, RefusedWebhooks, Removed,
    RemovedAt, Retried, Retrying, TemplateQuery, Tried,
};
pub use organisation::{
    Enabling, Me, Membership, NewOrganisation, Organisation, Repository, RepositoryQuery, Role,
    Version,
};
pub use package::{
    PackageFlaw, PackageSpread, PackageVersion, PackageVersions, PackageVersionsQuery, Packages,
    PackagesQuery,
};
pub use page::{Page, PageQuery};
pub use policy::{
    PoliciesKept, PolicyBasis, PolicyImage, PolicyModule, PolicyPlace, PolicyResult, PolicyResults,
    PolicySample, PolicySet, PolicySetQuery, PolicyState, PolicyTally, PolicyTitle,
    PolicyTrendQuery, PolicyVersion, SettingPolicies,
};
pub use problem::{Problem, Sort};
pub use retention::{DeleteQuery, Deleted, ExpireQuery, Expired, Keeping, KeepingFor};
pub use rule::{
    Channel, Definition, Digesting, Every, Notification, NotificationQuery, NotificationState,
    Preview, PreviewQuery, Previewed, Quiet, Resending, Resent, Rule, Ruling, Tested, Topic,
};
pub use runtime::{
    Berthed, Heartbeat, RunningContainer, RunsIn, Runtime, RuntimeQuery, Snapped, Snapshot,
    Unplaced, WholeRuntime, Workload,
};
pub use schedule::{
    CheckQuestion, CheckVerdict, Checked, Found, Schedule, Scheduled, Scheduling, Worst,
};
pub use trial::{
    ImagePolicies, ImagePolicy, PolicyChoice, PolicyChoicesQuery, PolicyThreshold, PolicyTrial,
    TriedChange, TriedPolicy, TriedTally, TryingPolicies,
};
pub use whereabouts::{
    Flaw, Hole, InEnvironment, Place, Sighted, Sighting, WhereQuery, Whereabouts,
};
