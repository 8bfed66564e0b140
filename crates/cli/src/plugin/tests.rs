//! How docker's command lines are understood.

use super::*;

fn check(line: &str, expect: &str) {
    let shown = match called(line.split(' ').map(OsString::from).collect()) {
        Call::Answer(text) => format!("answer: {text}"),
        Call::Run { words, docker, .. } => {
            let words: Vec<_> = words.iter().map(|it| it.to_string_lossy()).collect();
            let flags = format!("{docker:?}");
            let set: Vec<_> = flags["DockerFlags { ".len()..flags.len() - 2]
                .split(", ")
                .filter(|it| !it.ends_with("None") && !it.ends_with("false"))
                .collect();
            format!("{} {set:?}", words.join("|")).replace('"', "'").replace("\\'", "'")
        }
    };
    assert_eq!(shown, expect);
}

#[test]
fn plain_command_lines() {
    check("foretop sbom x", "foretop|sbom|x []");
    check("/usr/bin/foretop scout", "foretop|scout []");
    check("foretop --debug sbom", "foretop|--debug|sbom []");
    check("/p/docker-scout sbom x", "docker scout|sbom|x []");
    check("/p/docker-scout", "docker scout []");
    check("docker-scout --version", "docker scout|--version []");
    check("docker-other scout", "foretop|scout []");
}

#[test]
fn called_by_docker() {
    let by_docker = "['called_by_docker: true']";
    check("/p/docker-scout scout sbom x", &format!("docker scout|sbom|x {by_docker}"));
    check("/p/docker-foretop foretop version", &format!("docker foretop|version {by_docker}"));
    check("/p/docker-scout scout -h", &format!("docker scout|-h {by_docker}"));
    check("/p/docker-scout help scout", &format!("docker scout|help {by_docker}"));
    check("/p/docker-scout help scout sbom", &format!("docker scout|help|sbom {by_docker}"));
    check("/p/docker-scout sbom scout", "docker scout|sbom|scout []");
    check("/p/docker-scout scout sbom scout", &format!("docker scout|sbom|scout {by_docker}"));
}

#[test]
fn docker_flags() {
    check(
        "docker-scout --config /x --debug scout sbom -o y",
        "docker scout|sbom|-o|y ['called_by_docker: true', 'config: Some('/x')', 'debug: true']",
    );
    check(
        "docker-scout -c far -H=tcp://a --tlsverify --log-level=warn scout version",
        "docker scout|version ['called_by_docker: true', 'context: Some('far')', \
         'host: Some('tcp://a')', 'tls: true']",
    );
    check(
        "docker-scout -DHtcp://a --tlscacert /c/ca.pem --tls=false scout",
        "docker scout ['called_by_docker: true', 'host: Some('tcp://a')', 'debug: true', \
         'tls_ca: Some('/c/ca.pem')']",
    );
    check(
        "docker-scout -l debug --context=a -H b -H c scout",
        "docker scout ['called_by_docker: true', 'context: Some('a')', 'host: Some('b')', \
         'debug: true']",
    );
    check("docker-scout --unknown scout", "docker scout|--unknown|scout []");
    check("docker-scout -c", "docker scout []");
}

#[test]
fn questions() {
    check(
        "docker-scout scout docker-cli-plugin-hooks {}",
        "answer: {\"Type\":0,\"Template\":\"\"}\n",
    );
    check(
        "docker-scout __complete scout vers",
        "answer: version\tShow the version, the commit and the platform of this binary\n:4\n",
    );
    check("docker-scout __completeNoDesc scout vers", "answer: version\n:4\n");
}
