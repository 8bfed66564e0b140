//! A journal that was written, cut off or grown long is read back, with what is true and no more.

use integration::Action;

use super::*;

fn digest(digit: char) -> Digest {
    format!("sha256:{}", digit.to_string().repeat(64)).parse().unwrap()
}

fn repository(name: &str) -> Repository {
    let (registry, name) = ("r.example".to_owned(), name.to_owned());
    Repository { registry, image: name.clone(), name, keys: Vec::new() }
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
    lines.extend(journal.since(0).into_iter().map(|it| format!("waits {}", it.1.id)));
    lines.join("\n")
}

/// The journal as somebody finds it who comes after.
fn again(folder: &Path) -> Journal {
    // This process has the lock for good.
    let copy = tempfile::tempdir().unwrap();
    fs_err::copy(folder.join("it.jsonl"), copy.path().join("it.jsonl")).unwrap();
    Journal::open(copy.path(), "it", Scope::default(), false).unwrap()
}

#[tokio::test]
async fn what_was_seen_is_there_again() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path(), "it", Scope::default(), false).unwrap();
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
    journal.dealt(&["b".to_owned()]).unwrap();
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
    let journal = Journal::open(folder.path(), "it", Scope::default(), false).unwrap();
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
        let journal = Journal::open(cut.path(), "it", Scope::default(), false).unwrap();
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
async fn what_could_not_be_written_takes_nothing_else_along() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path(), "it", Scope::default(), false).unwrap();
    let path = folder.path().join("it.jsonl");
    let keep =
        async |tag: &str| Memory::keep(&journal, &repository("app"), tag, &digest('1')).await;
    keep("1").await.unwrap();
    // A disk that is full takes half a line.
    let replace =
        |file: File| std::mem::replace(&mut journal.state().log.as_mut().unwrap().file, file);
    let mut file = replace(File::open(&path).unwrap());
    assert!(keep("2").await.is_err());
    file.write_all(b"{\"seen\":[\"r.exa").unwrap();
    replace(file);
    keep("3").await.unwrap();
    keep("4").await.unwrap();
    let tags = |journal: &Journal| {
        let state = journal.state();
        let tags = state.tags.values().flat_map(BTreeMap::keys).cloned();
        tags.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(tags(&journal), "1 3 4");
    assert_eq!(tags(&again(folder.path())), "1 3 4");
}

/// Neither while it is open nor when it is opened again.
#[tokio::test]
async fn it_does_not_grow_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("it.jsonl");
    let lines = |path: &Path| fs_err::read_to_string(path).unwrap().lines().count();
    {
        let journal = Journal::open(folder.path(), "it", Scope::default(), false).unwrap();
        for number in 0..5 * SLACK {
            let digest = digest(if number % 2 == 0 { '1' } else { '2' });
            Memory::keep(&journal, &repository("app"), "latest", &digest).await.unwrap();
        }
        assert!(lines(&path) <= SLACK + 10, "{}", lines(&path));
    }
    let line = fs_err::read_to_string(&path).unwrap().lines().next().unwrap().to_owned();
    fs_err::write(&path, format!("{line}\n").repeat(2 * SLACK)).unwrap();
    let again = Journal::open(folder.path(), "it", Scope::default(), false).unwrap();
    assert_eq!(lines(&path), 1);
    assert_eq!(shown(&again).await.lines().count(), 1);
}

/// Whoever asks for other tags or repositories begins anew with what nobody asked for before, and
/// what was done of an image in part is not done as a whole.
#[tokio::test]
async fn what_is_asked_for_counts() {
    let folder = tempfile::tempdir().unwrap();
    let scope = |all: &str, tags: &str, part: &str| {
        let [all, tags, part] = [all, tags, part].map(str::to_owned);
        Scope { all, tags, part }
    };
    let open = |scope: Scope| Journal::open(folder.path(), "it", scope, false).unwrap();
    let (app, web) = (repository("app"), repository("web"));
    {
        let journal = open(scope("app", "", "linux/arm64"));
        assert!(!journal.has_begun("r.example").await.unwrap());
        journal.begin("r.example", std::slice::from_ref(&app)).await.unwrap();
        assert!(!journal.has_begun("r.example").await.unwrap());
        assert!(journal.is_awaited("r.example", &web).await.unwrap(), "there may be more of them");
        journal.begun("r.example").await.unwrap();
        assert!(journal.has_begun("r.example").await.unwrap());
        assert!(!journal.is_awaited("r.example", &web).await.unwrap());
        assert!(journal.is_awaited("r.example", &app).await.unwrap());
        journal.met(&app).await.unwrap();
        assert!(!journal.is_awaited("r.example", &app).await.unwrap());
        journal.done(&digest('1')).unwrap();
        assert!(journal.is_done(&digest('1')).await.unwrap());
    }
    {
        let journal = open(scope("app web", "", ""));
        assert!(!journal.has_begun("r.example").await.unwrap());
        journal.begin("r.example", &[app.clone(), web.clone()]).await.unwrap();
        assert!(!journal.is_awaited("r.example", &app).await.unwrap(), "it was met before");
        assert!(journal.is_awaited("r.example", &web).await.unwrap());
        assert!(!journal.is_done(&digest('1')).await.unwrap());
        journal.done(&digest('2')).unwrap();
    }
    let journal = open(scope("app web ^v", "^v", "linux/amd64"));
    journal.begin("r.example", &[app.clone(), web.clone()]).await.unwrap();
    journal.begun("r.example").await.unwrap();
    assert!(journal.is_awaited("r.example", &app).await.unwrap(), "of other tags nobody knows");
    assert!(journal.is_done(&digest('2')).await.unwrap(), "whoever has all has a part");
    assert!(!journal.is_done(&digest('1')).await.unwrap());
    // One that turns up later is new.
    assert!(!journal.is_awaited("r.example", &repository("new")).await.unwrap());
}

#[tokio::test]
async fn two_do_not_follow_one_registry() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path(), "it", Scope::default(), false).unwrap();
    let other = Journal::open(folder.path(), "it", Scope::default(), false).err().unwrap();
    assert_eq!(other.to_string(), "another `foretop watch` watches this registry already");
    // Whoever keeps nothing is in nobody's way.
    Memory::keep(&journal, &repository("app"), "1", &digest('1')).await.unwrap();
    let aside = Journal::open(folder.path(), "it", Scope::default(), true).unwrap();
    Memory::keep(&aside, &repository("app"), "2", &digest('1')).await.unwrap();
    assert_eq!(shown(&aside).await.lines().count(), 2);
    assert_eq!(shown(&again(folder.path())).await.lines().count(), 1);
}
