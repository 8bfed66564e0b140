//! `foretop watch`: what is pushed to a registry is read once, however often it is seen, and whoever
//! is stopped in between.

mod chosen;
mod faults;
mod told;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Stdio};

use testkit::{FakeRegistry, ImageBuilder, image, index, layer};

use crate::sandbox::Sandbox;
use crate::serving::Serving;

/// A watch that ends with the test.
pub(crate) struct Watching {
    child: Child,
    said: BufReader<ChildStderr>,
}

impl Watching {
    pub(crate) fn start(sandbox: &Sandbox, line: &str) -> Self {
        let mut watch = sandbox.command(Path::new(env!("CARGO_BIN_EXE_foretop")));
        watch.arg("watch").args(line.split_whitespace());
        let mut child = watch.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stderr.take().unwrap());
        Self { child, said }
    }

    /// What it says up to a line with that in it.
    pub(crate) fn until(&mut self, word: &str) -> String {
        let mut said = String::new();
        while !said.lines().last().is_some_and(|it| it.contains(word)) {
            let length = self.said.read_line(&mut said).unwrap();
            assert!(length > 0, "it ended before it said `{word}`: {said}");
        }
        said
    }

    /// The port on which it hears webhooks, as it says, and all that it says up to there.
    pub(crate) fn listening(&mut self) -> (String, String) {
        let said = self.until("✓ webhook port: listening on ");
        let port = said.trim_end().rsplit(':').next().unwrap().to_owned();
        (port, said)
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn alpine(package: &str) -> ImageBuilder {
    let base = layer().file("etc/os-release", "ID=alpine\nVERSION_ID=3.20.0\n");
    let installed = format!("P:{package}\nV:1.0-r0\nA:x86_64\n\n");
    image().layer(base).layer(layer().file("lib/apk/db/installed", installed))
}

/// A home whose registry is called `[REGISTRY]`.
fn shown(sandbox: &Sandbox, host: &str, line: &str) -> String {
    sandbox.foretop(line).replace(host, "[REGISTRY]")
}

#[test]
fn each_image_is_read_once() {
    let registry = FakeRegistry::start();
    let host = registry.host();
    let home = Sandbox::new();
    registry.push("team/app", "1", &alpine("cup"));
    registry.push("team/app", "2", &alpine("cup"));
    registry.push("team/web", "1", &alpine("cup"));
    let line = format!("watch --registry {host} --all-images --once --workers 1");
    let first = shown(&home, &host, &line);
    let mut lines = first.lines();
    for expect in [
        "exit 0",
        "--- stderr",
        "    ✓ Foretop reachable: this machine, organization local",
        "    ✓ credentials: those of docker login, if there are any",
        "    ✓ registry reachable: [REGISTRY]",
        "    ✓ repositories can be listed: 2 repositories",
        "    ✓ tags can be listed: ",
        "    ✓ images can be read: ",
        "    ✓ [REGISTRY]/team/",
    ] {
        let line = lines.next().unwrap_or_default();
        assert!(line.starts_with(expect), "{expect}: {first}");
    }
    assert_eq!(first.matches(" linux/amd64: 1 package\n").count(), 1, "{first}");
    assert_eq!(first.matches(" leads to what was read before\n").count(), 2, "{first}");
    let expect = "    i [REGISTRY]: 2 repositories, 3 tags, 1 read, 2 of what was read before";
    assert_eq!(first.lines().last(), Some(expect), "{first}");
    // All of it was seen.
    let again = shown(&home, &host, &line);
    assert!(again.ends_with("i [REGISTRY]: 2 repositories, 3 tags\n"), "{again}");
    // Another image under one tag, a tag that is gone, and one for several platforms.
    registry.push("team/app", "2", &alpine("pot"));
    registry.untag("team/app", "1");
    let both = index()
        .image("linux/amd64", alpine("cup").platform("linux", "amd64"))
        .image("linux/arm64", alpine("saucer").platform("linux", "arm64"));
    registry.push_index("team/tea", "1", &both);
    let next = shown(&home, &host, &line);
    for expect in [
        "✓ [REGISTRY]/team/app:2 linux/amd64: 1 package\n",
        "i [REGISTRY]/team/app:1 is gone\n",
        "✓ [REGISTRY]/team/tea:1 linux/arm64: 1 package\n",
        "i [REGISTRY]: 3 repositories, 4 tags, 2 read, 1 gone\n",
    ] {
        assert!(next.contains(expect), "{expect}: {next}");
    }
    let events = home.foretop("events --limit 100");
    // What is in the index for amd64 is the very image that was read before.
    assert_eq!(events.matches("image-analysed").count(), 3, "{events}");
    assert_eq!(events.matches("tag-moved").count(), 1, "{events}");
    assert_eq!(events.matches("tag-gone").count(), 1, "{events}");
    // What was read is there, by the name it was pushed by.
    let found = home.foretop(&format!("env staging {host}/team/tea:1 --platform linux/arm64"));
    assert!(found.contains("Successfully recorded"), "{found}");
    assert!(!found.contains("pending"), "{found}");
}

#[test]
fn what_was_there_before_is_left_alone() {
    let registry = FakeRegistry::start();
    let host = registry.host();
    let home = Sandbox::new();
    registry.push("team/app", "1", &alpine("cup"));
    registry.push("team/app", "v2", &alpine("pot"));
    let line = format!("watch --registry {host} --once --tag \"^v[0-9]{{1,3}}$\",^[0-9]$");
    let first = shown(&home, &host, &line);
    assert!(first.ends_with("1 repository, 2 tags, 2 there before and left alone\n"), "{first}");
    registry.push("team/app", "v3", &alpine("lid"));
    registry.push("team/app", "test", &alpine("test"));
    registry.push("team/new", "1", &alpine("new"));
    let second = shown(&home, &host, &line);
    assert!(second.contains("✓ [REGISTRY]/team/app:v3 linux/amd64: 1 package\n"), "{second}");
    assert!(second.contains("✓ [REGISTRY]/team/new:1 linux/amd64: 1 package\n"), "{second}");
    assert!(second.ends_with("2 repositories, 4 tags, 2 read\n"), "{second}");
    // Whoever wants all of it, gets what was left, too.
    let all = shown(&home, &host, &format!("{line} --all-images"));
    assert!(all.ends_with("2 repositories, 4 tags, 2 read\n"), "{all}");
    // Some repositories alone, with their host; nothing is sent, and nothing is kept.
    let other = Sandbox::new();
    let line = format!("watch --repository {host}/team/new --all-images --once --dry-run");
    for _ in 0..2 {
        let dry = shown(&other, &host, &line);
        let expect = "i [REGISTRY]/team/new:1 linux/amd64: 1 package; nothing was sent\n";
        assert!(dry.contains(expect), "{dry}");
        assert!(dry.ends_with("1 repository, 1 tag, 1 read\n"), "{dry}");
    }
    assert!(other.foretop("image list").contains("exit 0\n"));
    assert!(!other.foretop("image list").contains("sha256"));
}

#[test]
fn it_goes_on_where_it_was_killed() {
    const IMAGES: usize = 30;
    let registry = FakeRegistry::start();
    let host = registry.host();
    let base = layer().file("etc/os-release", "ID=alpine\nVERSION_ID=3.20.0\n");
    for number in 0..IMAGES {
        let installed = format!("P:cup{number}\nV:1.0-r0\nA:x86_64\n\n");
        let built =
            image().layer(base.clone()).layer(layer().file("lib/apk/db/installed", installed));
        registry.push(&format!("team/app{}", number % 3), &format!("v{number}"), &built);
    }
    let house = Sandbox::new().with("FORETOP_LOG", "warn");
    let serving = Serving::start(&house, "--organization acme --workers 0 --rate-limit 0");
    let home = Sandbox::new();
    serving.settled(&home, "it --org acme --scope write");
    let line = format!("--registry {host} --all-images --workers 2");
    let mut read = 0;
    for (stop, blobs) in [(7, 24), (5, 24)] {
        // Two of each image, and what they share: some are read, and never all of them.
        registry.close_after(blobs);
        let mut watching = Watching::start(&home, &line);
        for _ in 0..stop {
            watching.until(": 1 package");
            read += 1;
        }
        watching.kill();
    }
    registry.open();
    let rest = shown(&home, &host, &format!("watch {line} --once"));
    read += rest.matches(": 1 package").count();
    assert!(rest.contains(&format!("3 repositories, {IMAGES} tags")), "{rest}");
    // Whoever was killed while it was told is told again by the server; each was analysed once.
    assert!(read <= IMAGES, "{read} {rest}");
    let events = home.foretop("events --limit 1000");
    assert_eq!(events.matches("image-analysed").count(), IMAGES, "{events}");
    // What all of them share was read once, but for those that were reading it when they were killed.
    let mut blobs: BTreeMap<String, usize> = BTreeMap::new();
    for seen in
        registry.seen().iter().filter(|it| it.method == "GET" && it.path.contains("/blobs/"))
    {
        *blobs.entry(seen.path.rsplit('/').next().unwrap().to_owned()).or_default() += 1;
    }
    let most = blobs.values().max().unwrap();
    assert!(*most <= 2 + 2 + 2, "{blobs:?}");
    assert!(blobs.values().filter(|it| **it > 1).count() <= 1 + 2 * 4, "{blobs:?}");
    let again = shown(&home, &host, &format!("watch {line} --once"));
    assert!(again.ends_with(&format!("3 repositories, {IMAGES} tags\n")), "{again}");
}

/// What is in an image is kept, and the image is not: not at home, and not at the server.
#[test]
fn nothing_of_a_layer_is_kept() {
    let registry = FakeRegistry::start();
    let host = registry.host();
    let noise: Vec<u8> =
        (0..20_000_u32).flat_map(|it| it.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let built = alpine("cup").layer(layer().file("opt/secret", noise.clone()));
    registry.push("team/app", "1", &built);
    let house = Sandbox::new().with("FORETOP_LOG", "warn");
    let serving = Serving::start(&house, "--organization acme --workers 0");
    let home = Sandbox::new();
    serving.settled(&home, "it --org acme --scope write");
    let said = home.foretop(&format!("watch --registry {host} --all-images --once"));
    assert!(said.contains("team/app:1 linux/amd64: 1 package"), "{said}");
    // As it is in the layer, and as the layer is in the registry.
    let piece = |bytes: &[u8]| bytes[bytes.len() / 2..][..64].to_vec();
    let mut pieces = vec![piece(&noise)];
    for seen in registry.seen() {
        let Some((_, digest)) = seen.path.split_once("/blobs/") else { continue };
        let blob = registry.blob("team/app", digest).unwrap();
        if blob.len() > 10_000 {
            pieces.push(piece(&blob));
        }
    }
    assert!(pieces.len() > 1, "the layer was read");
    let mut folders = vec![house.path(""), home.path("")];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
                continue;
            }
            let Ok(bytes) = fs_err::read(entry.path()) else { continue };
            files += 1;
            for piece in &pieces {
                let found = bytes.windows(piece.len()).any(|it| it == piece.as_slice());
                assert!(!found, "{}", entry.path().display());
            }
        }
    }
    assert!(files > 2, "{files}");
}
