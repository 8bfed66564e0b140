//! Every page, a file each.

mod agents;
mod base;
mod bases;
mod compare;
mod connect;
mod environment;
mod environment_policies;
mod environments;
mod events;
mod exceptions;
mod explanation;
mod first;
mod image;
mod images;
mod integration;
mod integrations;
mod join;
mod log_in;
mod log_out;
mod notifications;
mod organisations;
mod overview;
mod package;
mod packages;
mod policies;
mod policy_set;
mod repository;
mod reset;
mod search;
mod settings;
mod vulnerabilities;
mod vulnerability;

use crate::contract::Page;

/// Every page, in the order of the menu.
pub const ALL: &[&Page] = &[
    &overview::PAGE,
    &environments::PAGE,
    &images::PAGE,
    &compare::PAGE,
    &vulnerabilities::PAGE,
    &packages::PAGE,
    &bases::PAGE,
    &policies::PAGE,
    &exceptions::PAGE,
    &integrations::PAGE,
    &notifications::PAGE,
    &events::PAGE,
    &settings::PAGE,
    &environment::PAGE,
    &environment_policies::PAGE,
    &policy_set::PAGE,
    &image::PAGE,
    &explanation::PAGE,
    &base::PAGE,
    &agents::PAGE,
    &connect::PAGE,
    &integration::PAGE,
    &repository::PAGE,
    &vulnerability::PAGE,
    &package::PAGE,
    &search::PAGE,
    &organisations::PAGE,
    &log_in::PAGE,
    &log_out::PAGE,
    &first::PAGE,
    &join::PAGE,
    &reset::PAGE,
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::ALL;

    #[test]
    fn every_file_is_a_page_and_has_a_template() {
        let root = env!("CARGO_MANIFEST_DIR");
        let stems = |folder: &str| -> BTreeSet<String> {
            let files = fs_err::read_dir(format!("{root}/{folder}")).unwrap();
            let path = files.map(|it| it.unwrap().path());
            path.map(|it| it.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
        };
        let ids: BTreeSet<String> = ALL.iter().map(|it| it.id.to_owned()).collect();
        assert_eq!(ids.len(), ALL.len());
        assert_eq!(stems("src/pages"), ids);
        let mut templates = stems("templates");
        assert!(templates.remove("layout") && templates.remove("refused"));
        // What is no page any more says what is left of it.
        assert!(templates.remove("integration_removed"));
        // What was made there is told once, and is at no address.
        assert!(templates.remove("settings_made"));
        // What only leads elsewhere is not drawn; and who is first joins as everybody does.
        templates.insert("search".to_owned());
        templates.insert("first".to_owned());
        assert_eq!(templates, ids);
    }

    #[test]
    fn every_page_is_in_the_documentation() {
        let root = env!("CARGO_MANIFEST_DIR");
        let text = fs_err::read_to_string(format!("{root}/../../docs/dashboard.md")).unwrap();
        let rows: Vec<&str> = text.lines().filter(|it| it.contains(" | `/")).collect();
        let told = ALL.iter().map(|it| format!("| {} | `{}` | {} |", it.title, it.path, it.about));
        assert_eq!(rows, told.collect::<Vec<_>>());
    }

    #[test]
    fn every_page_says_what_it_answers() {
        let paths: BTreeSet<&str> = ALL.iter().map(|it| it.path).collect();
        assert_eq!(paths.len(), ALL.len());
        for page in ALL {
            assert!(page.about.ends_with('.'), "{}", page.id);
            assert!(page.path.starts_with('/'), "{}", page.id);
        }
    }
}
