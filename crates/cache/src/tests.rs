//! What the cache promises, kept under damage, crowding and company.

use std::fmt::Write as _;

use super::*;

fn digest(number: u8) -> Digest {
    Digest::from_sha256(&[number; 32])
}

fn cache(limit: u64) -> (tempfile::TempDir, Cache) {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::open(folder.path().join("cache"), limit);
    (folder, cache)
}

/// Makes every kept value look as if it was last used an hour before, the first one longest ago.
fn age(cache: &Cache) {
    for (number, it) in cache.list().iter().enumerate() {
        let path = cache.path(it.shelf, &it.fingerprint, &it.digest);
        let file = fs_err::OpenOptions::new().write(true).open(path).unwrap();
        let seconds = 3600 - u64::try_from(number).unwrap();
        file.file().set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
    }
}

fn shown(cache: &Cache) -> String {
    cache.list().iter().fold(String::new(), |mut text, it| {
        let _ = write!(text, "{}/{}/{} ", it.shelf.as_str(), it.fingerprint, &it.digest.hex()[..2]);
        text
    })
}

#[test]
fn keeps_what_it_is_given() {
    let (_folder, cache) = cache(DEFAULT_LIMIT);
    let value = ("a package".to_owned(), vec![1_u64, 2, 3]);
    assert_eq!(cache.get::<(String, Vec<u64>)>(Shelf::Layers, "f", &digest(1)), None);
    assert!(!cache.root().exists(), "asking creates nothing");
    cache.put(Shelf::Layers, "f", &digest(1), &value).unwrap();
    assert_eq!(cache.get(Shelf::Layers, "f", &digest(1)), Some(value.clone()));
    assert_eq!(cache.get::<(String, Vec<u64>)>(Shelf::Inventories, "f", &digest(1)), None);
    assert_eq!(cache.get::<(String, Vec<u64>)>(Shelf::Layers, "g", &digest(1)), None);
    cache.put(Shelf::Layers, "f", &digest(1), &(String::new(), vec![9_u64])).unwrap();
    assert_eq!(cache.get(Shelf::Layers, "f", &digest(1)), Some((String::new(), vec![9_u64])));
    assert_eq!(shown(&cache), "layers/f/01 ");
}

#[test]
fn keeps_a_whole_inventory() {
    let (_folder, cache) = cache(DEFAULT_LIMIT);
    let mut package = model::Package::new("pkg:npm/%40a/b@1.0?x=y".parse().unwrap());
    package.places.push(model::Place { layer: Some(3), ..model::Place::default() });
    let inventory = model::Inventory {
        subject: model::Subject::Image(Box::default()),
        distro: Some(model::Distro { id: "alpine".into(), ..model::Distro::default() }),
        packages: vec![package],
        statements: vec![],
        gaps: vec![model::Gap::new("somewhere", "a reason")],
    };
    cache.put(Shelf::Inventories, "f", &digest(1), &inventory).unwrap();
    assert_eq!(cache.get(Shelf::Inventories, "f", &digest(1)), Some(inventory));
}

#[test]
fn a_damaged_file_is_a_miss() {
    let (_folder, cache) = cache(DEFAULT_LIMIT);
    let value = vec!["some".to_owned(), "words".to_owned()];
    cache.put(Shelf::Layers, "f", &digest(1), &value).unwrap();
    let path = cache.path(Shelf::Layers, "f", &digest(1));
    let good = fs_err::read(&path).unwrap();
    let get = || cache.get::<Vec<String>>(Shelf::Layers, "f", &digest(1));
    for length in 0..good.len() {
        fs_err::write(&path, &good[..length]).unwrap();
        assert_eq!(get(), None, "cut at {length}");
    }
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0x40;
        fs_err::write(&path, &bad).unwrap();
        assert_eq!(get(), None, "flipped at {at}");
    }
    let mut long = good.clone();
    long.push(0);
    fs_err::write(&path, &long).unwrap();
    assert_eq!(get(), None, "something follows");
    fs_err::write(&path, &good).unwrap();
    assert_eq!(get(), Some(value));
    let elsewhere = cache.path(Shelf::Layers, "f", &digest(2));
    fs_err::rename(path, elsewhere).unwrap();
    assert_eq!(cache.get::<Vec<String>>(Shelf::Layers, "f", &digest(2)), None, "moved");
}

#[test]
fn a_file_is_as_it_lies_there() {
    let (_folder, cache) = cache(DEFAULT_LIMIT);
    let file = || cache.file(Shelf::Policies, "f", &digest(1));
    assert_eq!(file(), None);
    cache.put_file(Shelf::Policies, "f", &digest(1), b"package tea").unwrap();
    assert_eq!(file().as_deref(), Some(&b"package tea"[..]));
    assert_eq!(cache.get::<u64>(Shelf::Policies, "f", &digest(1)), None, "it is no value");
    fs_err::write(cache.path(Shelf::Policies, "f", &digest(1)), b"torn").unwrap();
    assert_eq!(file().as_deref(), Some(&b"torn"[..]), "whoever asks finds out");
    // It makes room for others as they do for it.
    let small = Cache::open(cache.root().to_owned(), 100);
    small.put_file(Shelf::Policies, "f", &digest(2), &[7; 99]).unwrap();
    assert!(small.list().is_empty(), "even the last is more than nine tenths");
    small.put_file(Shelf::Policies, "f", &digest(3), &[7; 101]).unwrap();
    assert_eq!(small.file(Shelf::Policies, "f", &digest(3)), None, "larger than all of it");
}

#[test]
fn another_type_is_a_miss_or_a_value_never_a_panic() {
    let (_folder, cache) = cache(DEFAULT_LIMIT);
    // As a sequence, these bytes promise more elements than there is memory.
    cache.put(Shelf::Layers, "f", &digest(1), &u64::MAX).unwrap();
    assert_eq!(cache.get::<Vec<String>>(Shelf::Layers, "f", &digest(1)), None);
    assert_eq!(cache.get::<(u64, u64)>(Shelf::Layers, "f", &digest(1)), None);
}

#[test]
fn a_folder_in_the_place_of_a_file_is_a_miss() {
    let (_folder, cache) = cache(DEFAULT_LIMIT);
    fs_err::create_dir_all(cache.path(Shelf::Layers, "f", &digest(1))).unwrap();
    assert_eq!(cache.get::<u64>(Shelf::Layers, "f", &digest(1)), None);
    assert_eq!(shown(&cache), "");
}

#[test]
fn a_fingerprint_cannot_leave_the_cache() {
    let (folder, cache) = cache(DEFAULT_LIMIT);
    for fingerprint in ["../../x", "", ".", "/etc", "a b", &"long".repeat(100)] {
        cache.put(Shelf::Layers, fingerprint, &digest(1), &1_u64).unwrap();
        assert_eq!(cache.get(Shelf::Layers, fingerprint, &digest(1)), Some(1_u64));
    }
    assert_eq!(cache.list().len(), 6);
    assert_eq!(fs_err::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn the_longest_unused_goes_first() {
    let (_folder, cache) = cache(1000);
    let value = vec![7_u8; 150];
    for number in 0..5 {
        cache.put(Shelf::Layers, "f", &digest(number), &value).unwrap();
    }
    age(&cache);
    // Of use again, so it stays.
    assert!(cache.get::<Vec<u8>>(Shelf::Layers, "f", &digest(0)).is_some());
    cache.put(Shelf::Layers, "f", &digest(5), &value).unwrap();
    assert_eq!(
        shown(&cache),
        "layers/f/00 layers/f/02 layers/f/03 layers/f/04 layers/f/05 ",
        "six would be 1068 bytes"
    );
    assert!(cache.list().iter().map(|it| it.size).sum::<u64>() <= 900);
}

#[test]
fn other_fingerprints_go_before_ours() {
    let (_folder, first) = cache(1000);
    let value = vec![7_u8; 150];
    first.put(Shelf::Layers, "old", &digest(9), &value).unwrap();
    let cache = Cache::open(first.root().to_owned(), 1000);
    for number in 0..4 {
        cache.put(Shelf::Layers, "f", &digest(number), &value).unwrap();
    }
    age(&cache);
    // Used just now, by a process of another version.
    first.put(Shelf::Layers, "old", &digest(9), &value).unwrap();
    cache.put(Shelf::Inventories, "g", &digest(1), &value).unwrap();
    assert_eq!(shown(&cache), "layers/f/00 layers/f/01 layers/f/02 layers/f/03 inventories/g/01 ");
}

#[test]
fn what_is_larger_than_the_cache_is_not_kept() {
    let (_folder, cache) = cache(100);
    cache.put(Shelf::Layers, "f", &digest(1), &vec![7_u8; 150]).unwrap();
    assert_eq!(shown(&cache), "");
}

#[test]
fn prune_removes_shelves_and_nothing_else() {
    let (_folder, cache) = cache(DEFAULT_LIMIT);
    assert_eq!(cache.prune(&Shelf::ALL).unwrap(), Pruned::default(), "there is no cache yet");
    cache.put(Shelf::Layers, "f", &digest(1), &1_u64).unwrap();
    cache.put(Shelf::Inventories, "f", &digest(2), &1_u64).unwrap();
    let foreign = cache.root().join("layers/f/README");
    fs_err::write(&foreign, "mine").unwrap();
    fs_err::write(cache.root().join("layers/f/.unfinished-x"), "half").unwrap();
    let pruned = cache.prune(&[Shelf::Layers]).unwrap();
    assert_eq!((pruned.entries, pruned.bytes > 26), (1, true));
    assert_eq!(shown(&cache), "inventories/f/02 ");
    let left = fs_err::read_dir(cache.root().join("layers/f")).unwrap().count();
    assert_eq!((foreign.exists(), left), (true, 1));
    cache.prune(&Shelf::ALL).unwrap();
    assert!(!cache.root().join("inventories").exists());
}

#[test]
fn trouble_is_told_once_and_ends_writing() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("cache");
    // A file where a folder should be stops root as well, whom permissions do not.
    fs_err::write(&root, "").unwrap();
    let cache = Cache::open(root, DEFAULT_LIMIT);
    let error = cache.put(Shelf::Layers, "f", &digest(1), &1_u64).unwrap_err();
    assert!(error.to_string().starts_with("cache /"), "{error}");
    assert_eq!(cache.trouble(), Some(error.to_string()));
    assert_eq!(cache.trouble(), None);
    cache.put(Shelf::Layers, "f", &digest(1), &1_u64).unwrap();
    assert_eq!(cache.get::<u64>(Shelf::Layers, "f", &digest(1)), None);
    assert_eq!(cache.list(), []);
}

#[test]
fn many_at_once_never_see_half_a_value() {
    let (_folder, cache) = cache(20_000);
    std::thread::scope(|scope| {
        for writer in 0..4_u8 {
            let cache = Cache::open(cache.root().to_owned(), cache.limit());
            scope.spawn(move || {
                for number in 0..100_u8 {
                    let value = vec![writer; 500];
                    let digest = digest(number % 50);
                    cache.put(Shelf::Layers, "f", &digest, &value).unwrap();
                    if let Some(found) = cache.get::<Vec<u8>>(Shelf::Layers, "f", &digest) {
                        assert_eq!(found.len(), 500);
                        assert!(found.iter().all(|it| *it == found[0]));
                    }
                    if number == 60 {
                        cache.prune(&Shelf::ALL).unwrap();
                    }
                }
            });
        }
    });
}
