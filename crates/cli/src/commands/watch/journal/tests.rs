//! A journal is read back as it was written, cut off, and kept from growing.

use integration::Action;

use super::*;

fn digest(digit: char) -> Digest {
    format!("sha256:{}", digit.to_string().repeat(64)).parse().unwrap()
}

fn repository(name: &str) -> Repository {
    let (registry, name) = ("r.example".to_owned(), name.to_owned());
    Repository { registry, image: name.clone(), name, key: None }
}

fn notice(id: &str) -> Notice {
    Notice {
        id: id.to_owned(),
        is_unique: true,
        action: Action::Pushed,
        registry: "r.example".to_owned(),
        repository: "app".to_owned(),
        tag: Some(id.to_owned()),
        digest: None,
        media_type: None,
        at: None,
        is_signed: true,
    }
}

async fn shown(journal: &Journal) -> String {
    let mut lines = Vec::new();
    for (_, name) in journal.repositories("r.example").await.unwrap() {
        for (tag, digest) in journal.tags(&repository(&name)).await.unwrap() {
            lines.push(format!("{name}:{tag} {}", digest.short()));
        }
    }
    lines.extend(journal.waiting(9).into_iter().map(|it| format!("waits {}", it.id)));
    lines.join("\n")
}

/// The journal as somebody finds it who comes after.
fn again(folder: &Path) -> Journal {
    // This process has the lock for good.
    let copy = tempfile::tempdir().unwrap();
    fs_err::copy(folder.join("it.jsonl"), copy.path().join("it.jsonl")).unwrap();
    Journal::open(copy.path(), "it", false).unwrap()
}

#[tokio::test]
async fn what_was_seen_is_there_again() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path(), "it", false).unwrap();
    assert!(!journal.has_begun("r.example").await.unwrap());
    journal.begun("r.example").await.unwrap();
    let (app, web) = (repository("app"), repository("web"));
    Memory::keep(&journal, &app, "1", &digest('1')).await.unwrap();
    Memory::keep(&journal, &app, "1", &digest('2')).await.unwrap();
    Memory::keep(&journal, &web, "1", &digest('3')).await.unwrap();
    journal.forget(&web, "1").await.unwrap();
    journal.done(&digest('2')).unwrap();
    journal.told(vec![notice("a"), notice("b"), notice("a")]).unwrap();
    journal.told(vec![notice("b"), notice("c")]).unwrap();
    journal.dealt(&HashSet::from(["b".to_owned()])).unwrap();
    let expect = format!("app:1 {}\nwaits a\nwaits c", digest('2').short());
    assert_eq!(shown(&journal).await, expect);
    let again = again(folder.path());
    assert_eq!(shown(&again).await, expect);
    assert!(again.has_begun("r.example").await.unwrap());
    assert!(again.is_done(&digest('2')).await.unwrap());
    assert!(!again.is_done(&digest('1')).await.unwrap());
}

#[tokio::test]
async fn a_line_that_was_cut_off_takes_no_other_along() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path(), "it", false).unwrap();
    for number in 1..=3 {
        Memory::keep(&journal, &repository("app"), &number.to_string(), &digest('1'))
            .await
            .unwrap();
    }
    let path = folder.path().join("it.jsonl");
    let whole = fs_err::read(&path).unwrap();
    for length in 0..whole.len() {
        let cut = tempfile::tempdir().unwrap();
        fs_err::write(cut.path().join("it.jsonl"), &whole[..length]).unwrap();
        let journal = Journal::open(cut.path(), "it", false).unwrap();
        let lines = whole[..length].split(|it| *it == b'\n').count() - 1;
        let seen = journal.tags(&repository("app")).await.unwrap().len();
        assert!(seen == lines || seen == lines + 1, "{length}");
        Memory::keep(&journal, &repository("web"), "1", &digest('2')).await.unwrap();
        let after = again(cut.path());
        assert_eq!(after.tags(&repository("web")).await.unwrap().len(), 1, "{length}");
        assert_eq!(after.tags(&repository("app")).await.unwrap().len(), seen, "{length}");
    }
}

#[tokio::test]
async fn it_does_not_grow_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path(), "it", false).unwrap();
    for number in 0..2 * SLACK {
        let digest = digest(if number % 2 == 0 { '1' } else { '2' });
        Memory::keep(&journal, &repository("app"), "latest", &digest).await.unwrap();
    }
    let copy = tempfile::tempdir().unwrap();
    let path = copy.path().join("it.jsonl");
    fs_err::copy(folder.path().join("it.jsonl"), &path).unwrap();
    let again = Journal::open(copy.path(), "it", false).unwrap();
    assert_eq!(fs_err::read_to_string(&path).unwrap().lines().count(), 1);
    assert_eq!(shown(&again).await, format!("app:latest {}", digest('2').short()));
}

#[tokio::test]
async fn two_do_not_follow_one_registry() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path(), "it", false).unwrap();
    let other = Journal::open(folder.path(), "it", false).err().unwrap();
    assert_eq!(other.to_string(), "another `foretop watch` watches this registry already");
    // Whoever keeps nothing is in nobody's way.
    Memory::keep(&journal, &repository("app"), "1", &digest('1')).await.unwrap();
    let aside = Journal::open(folder.path(), "it", true).unwrap();
    Memory::keep(&aside, &repository("app"), "2", &digest('1')).await.unwrap();
    assert_eq!(shown(&aside).await.lines().count(), 2);
    assert_eq!(shown(&again(folder.path())).await.lines().count(), 1);
}
