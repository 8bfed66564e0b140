//! Who asks, and from where: what is written down beside a change that is made from this machine.

use crate::environment::Environment;

/// The user who runs us.
pub(crate) fn user(environment: &Environment) -> String {
    environment.user().or_else(by_number).unwrap_or_else(|| "somebody".to_owned())
}

/// The CI's job that runs us, else this machine.
pub(crate) fn origin(environment: &Environment) -> String {
    let job = environment.ci_job();
    job.or_else(|| host(environment)).unwrap_or_default()
}

/// This machine, or this pod.
pub(crate) fn host(environment: &Environment) -> Option<String> {
    machine().or_else(|| environment.host_name())
}

fn machine() -> Option<String> {
    let name = fs_err::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim().to_owned()).filter(|it| !it.is_empty())
}

/// In containers nobody says who they are, but there is a number.
#[cfg(unix)]
fn by_number() -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    let number = fs_err::metadata("/proc/self").ok()?.uid().to_string();
    let users = fs_err::read_to_string("/etc/passwd").unwrap_or_default();
    let name = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == number).then(|| name.to_owned())
    });
    Some(name.unwrap_or_else(|| format!("user {number}")))
}

#[cfg(not(unix))]
fn by_number() -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_says_more_than_its_machine() {
        let check = |set: &[(&str, &str)], expect: &str| {
            assert_eq!(origin(&Environment::of(set)), expect);
        };
        let github = [("GITHUB_RUN_ID", "7"), ("GITHUB_REPOSITORY", "acme/web")];
        check(&github, "https://github.com/acme/web/actions/runs/7");
        check(
            &[("CI_JOB_URL", "https://gitlab.example/-/jobs/1")],
            "https://gitlab.example/-/jobs/1",
        );
        assert!(!origin(&Environment::of(&[("HOSTNAME", "here")])).is_empty());
        assert_eq!(user(&Environment::of(&[("USER", "ann")])), "ann");
        assert!(!user(&Environment::of(&[])).is_empty());
    }
}
