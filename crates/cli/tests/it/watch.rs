//! `foretop watch`: what is pushed to a registry is read once, however often it is seen, and whoever
//! is stopped in between.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use testkit::{
    FakeRegistry, Fault, Form, Hook, ImageBuilder, RealRegistry, Relay, Told, Vendor,
    VendorStandIn, image, index, layer,
};

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
    fn listening(&mut self) -> (String, String) {
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
    let line = format!("watch --registry {host} --once --tag ^v,^[0-9]$");
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
fn only_some_platforms_or_no_contents() {
    let registry = FakeRegistry::start();
    let host = registry.host();
    let both = index()
        .image("linux/amd64", alpine("cup").platform("linux", "amd64"))
        .image("linux/arm64", alpine("saucer").platform("linux", "arm64"));
    registry.push_index("team/tea", "1", &both);
    registry.push_manifest(
        "team/tea",
        "chart",
        "application/vnd.oci.image.manifest.v1+json",
        &chart(&registry),
    );
    let line = format!("watch --registry {host} --all-images --once");
    let home = Sandbox::new();
    let said = shown(&home, &host, &format!("{line} --platform linux/arm64"));
    assert!(said.contains("tea:1 linux/arm64: 1 package\n"), "{said}");
    assert!(!said.contains("amd64"), "{said}");
    assert!(
        said.contains("i [REGISTRY]/team/tea:chart is left out: it is not a container image"),
        "{said}"
    );
    assert!(said.starts_with("exit 0\n"), "{said}");
    let home = Sandbox::new();
    let said = shown(&home, &host, &format!("{line} --sbom=false"));
    assert!(said.starts_with("exit 0\n") && !said.contains("package"), "{said}");
    let pending = home.foretop("image list --state pending");
    assert_eq!(pending.matches("sha256:").count(), 2, "{pending}");
}

/// A manifest of Helm's.
fn chart(registry: &FakeRegistry) -> Vec<u8> {
    let config = registry.push_manifest("team/tea", "config", "application/json", b"{}");
    registry.untag("team/tea", "config");
    format!(
        r#"{{"schemaVersion":2,"config":{{"mediaType":"application/vnd.cncf.helm.config.v1+json",
           "digest":"{config}","size":2}},"layers":[]}}"#
    )
    .into_bytes()
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

#[test]
fn a_push_is_heard() {
    let secret = "Bearer 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let front = Relay::start();
    let url = format!("http://{}/", front.host());
    let Some(registry) = RealRegistry::telling(0, &url, secret) else { return };
    let home = Sandbox::new().with("FORETOP_REGISTRY_WEBHOOK_AUTH", secret);
    let archive = home.file("cup.tar", alpine("cup").docker_archive("example/cup:1"));
    registry.push(&archive, "team/app:1");
    let line = format!("--registry type=distribution,registry={},port=0", registry.host());
    // Nobody looks in between: what is read was heard of.
    let mut watching = Watching::start(&home, &format!("{line} --interval 86400"));
    let (port, said) = watching.listening();
    for expect in ["✓ registry reachable: ", "✓ webhooks prove who sends them: "] {
        assert!(said.contains(expect), "{expect}: {said}");
    }
    watching.until("left alone");
    // What it told before anybody listened, it tells again.
    front.lead_to(&format!("127.0.0.1:{port}"));
    watching.until("team/app:1 linux/amd64: 1 package");
    let archive = home.file("pot.tar", alpine("pot").docker_archive("example/pot:1"));
    registry.push(&archive, "team/app:2");
    watching.until("team/app:2 linux/amd64: 1 package");
    registry.push(&archive, "team/other:1");
    watching.until("team/other:1 leads to what was read before");
    registry.delete("team/app:2");
    watching.until("team/app:2 is gone");
    // Somebody else is not believed.
    let post = |proof: &str| {
        let mut curl = Command::new("curl");
        let proof = format!("Authorization: {proof}");
        let kind = "Content-Type: application/vnd.docker.distribution.events.v1+json";
        curl.args(["-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", &proof, "-H", kind]);
        let output = curl.args(["-d", "{\"events\":[]}", &url]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    if Command::new("curl").arg("--version").output().is_ok() {
        assert_eq!((post(secret).as_str(), post("Bearer x").as_str()), ("200", "401"));
    }
}

/// What is told of repositories that nobody asked for is not read, nor is what has no tag while only
/// some tags are wanted.
#[test]
fn what_nobody_asked_for_is_not_read() {
    let registry = FakeRegistry::start();
    let secret = "Bearer 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let home = Sandbox::new().with("FORETOP_REGISTRY_WEBHOOK_AUTH", secret);
    let line = format!(
        "--registry type=distribution,registry={},repository=team/app,tag=^v,port=0 --interval 86400",
        registry.host()
    );
    registry.push("team/app", "v0", &alpine("cup"));
    let mut watching = Watching::start(&home, &line);
    let (port, _) = watching.listening();
    watching.until("left alone");
    let own = format!("127.0.0.1:{port}");
    let tell = |id: &str, repository: &str, tag: &str| {
        registry.push(repository, tag, &alpine(id));
        let hook = crate::bulk::pushed(id, repository, tag, secret);
        assert_eq!(hook.send(&own, "/").unwrap().status, 200);
    };
    tell("pot", "team/other", "v1");
    tell("lid", "team/app", "x1");
    tell("jug", "team/app", "v1");
    watching.until("team/app:v1 linux/amd64: 1 package");
    tell("mug", "team/apple", "v1");
    tell("urn", "team/app", "v2");
    let said = watching.until("team/app:v2 linux/amd64: 1 package");
    assert_eq!(said.lines().count(), 1, "{said}");
    watching.kill();
    let known = home.foretop("image list");
    assert_eq!(known.matches("sha256:").count(), 2, "{known}");
}

/// Who asks for another repository or platform than before gets it, and no more than that.
#[test]
fn what_is_asked_for_may_change() {
    let registry = FakeRegistry::start();
    let host = registry.host();
    let home = Sandbox::new();
    let both = index()
        .image("linux/amd64", alpine("cup").platform("linux", "amd64"))
        .image("linux/arm64", alpine("saucer").platform("linux", "arm64"));
    registry.push_index("team/tea", "1", &both);
    registry.push("team/web", "1", &alpine("pot"));
    let watch = |line: &str| shown(&home, &host, &format!("watch --once {line}"));
    let tea = format!("--repository {host}/team/tea --all-images");
    let said = watch(&format!("{tea} --platform linux/arm64"));
    assert!(said.contains("tea:1 linux/arm64: 1 package\n") && !said.contains("amd64"), "{said}");
    let said = watch(&format!("{tea} --platform linux/arm64"));
    assert!(said.ends_with("1 repository, 1 tag\n"), "{said}");
    let said = watch(&tea);
    assert!(said.contains("tea:1 linux/amd64: 1 package\n"), "{said}");
    let said = watch(&format!("{tea} --platform linux/arm64"));
    assert!(said.ends_with("1 repository, 1 tag\n"), "all of it has a part in it: {said}");
    // What is in another repository was there before anybody asked for it; what is new is new.
    let web = format!("--repository {host}/team/web");
    let said = watch(&web);
    assert!(said.ends_with("1 repository, 1 tag, 1 there before and left alone\n"), "{said}");
    registry.push("team/web", "2", &alpine("jug"));
    let said = watch(&format!("{web} --tag .*"));
    assert!(said.ends_with("1 repository, 2 tags, 1 there before and left alone\n"), "{said}");
    registry.push("team/web", "3", &alpine("mug"));
    let said = watch(&format!("{web} --tag .*"));
    assert!(said.contains("web:3 linux/amd64: 1 package\n"), "{said}");
}

/// One more key of the same registry is no other registry.
#[test]
fn what_was_seen_holds_for_one_more_key() {
    let (first, second) = (FakeRegistry::start(), FakeRegistry::start());
    first.push("team/app", "1", &alpine("cup"));
    second.push("team/web", "1", &alpine("pot"));
    let stand_in = VendorStandIn::start(Vendor::Artifactory, &first.host());
    let stand_in = stand_in.with_key("docker-prod", &second.host());
    let host = stand_in.host();
    let home = Sandbox::new()
        .with("FORETOP_ARTIFACTORY_API_USER", "reader")
        .with("FORETOP_ARTIFACTORY_API_PASSWORD", "pass");
    let watch = |keys: &str| {
        let registry = format!(
            "type=artifactory,registry={host},api=http://{host}/artifactory,\"repository={keys}\""
        );
        shown(&home, &host, &format!("watch --once --registry {registry}"))
    };
    let said = watch("docker-local");
    assert!(said.ends_with("1 repository, 1 tag, 1 there before and left alone\n"), "{said}");
    first.push("team/app", "2", &alpine("lid"));
    let said = watch("docker-local,docker-prod");
    assert!(said.contains("docker-local/team/app:2 linux/amd64: 1 package\n"), "{said}");
    let expect = "2 repositories, 3 tags, 1 read, 1 there before and left alone\n";
    assert!(said.ends_with(expect), "{said}");
}

/// What goes wrong is said once, with what to do about it.
#[test]
fn a_look_that_fails_says_why() {
    let registry = FakeRegistry::start();
    registry.push("team/app", "1", &alpine("cup"));
    let host = registry.host();
    let home = Sandbox::new();
    let line = format!("watch --registry {host} --once");
    // The start-up check may list, and the look itself may not.
    registry.plan_after("_catalog", 1, 100, Fault::status(403));
    let said = shown(&home, &host, &line);
    assert!(said.starts_with("exit 1\n"), "{said}");
    let last: Vec<&str> = said.lines().rev().take(2).collect();
    assert!(last[1].starts_with("error: [REGISTRY]: "), "{said}");
    let expect = "hint: allow it to list the catalog, or name the repositories";
    assert_eq!(last[0], expect, "{said}");
    assert!(!said.contains("! [REGISTRY]: "), "{said}");
}

/// The guide's way: webhooks in each form that Artifactory has, and new repositories without any.
#[test]
fn artifactory_tells_what_is_pushed() {
    let Some(registry) = RealRegistry::start() else { return };
    let stand_in = VendorStandIn::start(Vendor::Artifactory, registry.host());
    let (host, secret) = (stand_in.host(), "0123456789abcdef".repeat(4));
    let home = Sandbox::new()
        .with("DOCKER_SCOUT_ARTIFACTORY_API_USER", "reader")
        .with("DOCKER_SCOUT_ARTIFACTORY_API_PASSWORD", "pass")
        .with("DOCKER_SCOUT_ARTIFACTORY_WEBHOOK_SECRET", &secret);
    let push = |package: &str, name: &str| {
        let archive = alpine(package).docker_archive("example/it:1");
        registry.push(&home.file(&format!("{package}.tar"), archive), name);
    };
    push("cup", "team/app:1");
    let line = format!(
        "--registry type=artifactory,registry={host},api=http://{host}/artifactory,\
         repository=docker-local,port=0 --refresh-registry"
    );
    // Nobody looks in between: what is read was heard of.
    let mut watching = Watching::start(&home, &format!("{line} --interval 86400"));
    let (port, _) = watching.listening();
    watching.until("left alone");
    let told = |pushed: bool, tag: &str| Told {
        pushed,
        registry: host.clone(),
        repository: "team/app".to_owned(),
        tag: tag.to_owned(),
        digest: format!("sha256:{}", "1".repeat(64)),
        id: tag.to_owned(),
        at: "2026-11-21T10:00:00Z".to_owned(),
        seconds: 1_795_255_200,
    };
    let own = format!("127.0.0.1:{port}");
    let send = |form: Form, told: &Told, secret: &str| {
        Hook::new(form, told, secret).send(&own, "/").unwrap().status
    };
    for (form, package) in [
        (Form::ArtifactoryWrapped, "pot"),
        (Form::ArtifactorySigned, "lid"),
        (Form::ArtifactoryFlat, "jug"),
    ] {
        push(package, &format!("team/app:{package}"));
        assert_eq!(send(form, &told(true, package), "another secret"), 401, "{form:?}");
        assert_eq!(send(form, &told(true, package), ""), 401, "{form:?}");
        assert_eq!(send(form, &told(true, package), &secret), 200, "{form:?}");
        watching.until(&format!("docker-local/team/app:{package} linux/amd64: 1 package"));
    }
    registry.delete("team/app:pot");
    assert_eq!(send(Form::ArtifactoryWrapped, &told(false, "pot"), &secret), 200);
    watching.until("team/app:pot is gone");
    watching.kill();
    // Of a new repository nobody tells anything: it is found, by whoever looks again and again.
    let mut watching = Watching::start(&home, &format!("{line} --interval 1"));
    watching.until("webhook port");
    push("mug", "team/new:1");
    watching.until("docker-local/team/new:1 linux/amd64: 1 package");
    push("urn", "team/newer:1");
    watching.until("docker-local/team/newer:1 linux/amd64: 1 package");
    // Whoever only reads may do all that.
    let seen = stand_in.seen();
    let writes = seen.iter().filter(|it| !["GET", "HEAD"].contains(&it.method.as_str()));
    for it in writes {
        assert!(it.method == "POST" && it.path == "/artifactory/api/search/aql", "{it:?}");
    }
    assert!(seen.iter().any(|it| it.method == "HEAD" || it.path.contains("/tags/list")));
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

#[test]
fn what_is_missing_is_said_before_it_begins() {
    let home = Sandbox::new();
    let check = |line: &str, expect: &[&str]| {
        let said = home.foretop(line);
        assert!(said.starts_with("exit 1\n"), "{said}");
        for expect in expect {
            assert!(said.contains(expect), "{expect}: {said}");
        }
    };
    check("watch", &["error: nothing to watch: no registry is named\nhint: "]);
    check(
        "watch --registry type=nexus,registry=r.example",
        &["error: --registry: api: it must be told"],
    );
    check("watch --registry r.example --tag (", &["error: --tag: `(` is no regular expression"]);
    check("watch --repository r.example/a --refresh-registry", &["--registry"]);
    check("watch --registry r.example --interval 0", &["--interval"]);
    // A registry that is away, and a port that somebody has.
    let taken = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let away = "127.0.0.1:1";
    check(
        &format!("watch --registry type=distribution,registry={away},port={port}"),
        &[
            "✓ Foretop reachable: this machine, organization local\n",
            "✗ registry reachable: ",
            "! webhooks prove who sends them: no secret is set",
            &format!("✗ webhook port: cannot listen on 0.0.0.0:{port}: "),
            &format!("error: cannot watch {away}: 2 of 5 things that it needs are not there\n"),
        ],
    );
    // A secret has no place on the command line.
    check(
        &format!("watch --registry type=distribution,registry={away},webhook-auth=x"),
        &[
            "webhook-auth: whoever lists processes would see it\nhint: put it into FORETOP_REGISTRY_WEBHOOK_AUTH",
        ],
    );
}

#[test]
fn two_do_not_watch_the_same() {
    let registry = FakeRegistry::start();
    registry.push("team/app", "1", &alpine("cup"));
    let home = Sandbox::new();
    let line = format!("--registry {}", registry.host());
    let mut watching = Watching::start(&home, &line);
    watching.until("left alone");
    let said = home.foretop(&format!("watch {line} --once"));
    assert!(
        said.contains("error: another `foretop watch` watches this registry already\n"),
        "{said}"
    );
    watching.kill();
    let said = home.foretop(&format!("watch {line} --once"));
    assert!(said.starts_with("exit 0\n"), "{said}");
}
