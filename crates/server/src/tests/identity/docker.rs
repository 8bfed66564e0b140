//! `docker login`, as its client does it.

use std::net::SocketAddr;
use std::process::{Command, Stdio};

use axum::body::Body;
use axum::http::{Request, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{House, PASSWORD};

#[tokio::test]
async fn it_is_asked_who_it_is() {
    let house = House::new().await;
    let ann = house.settled().await;
    let (_, acmes) = house.token("/orgs/acme", &ann, "write").await;
    let (_, anns) = house.token("/me", &ann, "read").await;
    let ask = |said: Option<(&str, &str)>| {
        let mut request = Request::get("/v2/");
        if let Some((name, secret)) = said {
            let text = format!("Basic {}", STANDARD.encode(format!("{name}:{secret}")));
            request = request.header(header::AUTHORIZATION, text);
        }
        let house = house.clone();
        async move { house.send(request.body(Body::empty()).unwrap()).await }
    };
    let answer = ask(None).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.headers[header::WWW_AUTHENTICATE], "Basic realm=\"Foretop\"");
    assert_eq!(answer.headers["docker-distribution-api-version"], "registry/2.0");
    assert_eq!(answer.json()["errors"][0]["code"], "UNAUTHORIZED");
    for (name, secret, expect) in [
        ("acme", &*acmes, 200),
        ("ann", &*anns, 200),
        ("ann", &*acmes, 401),
        ("acme", &*anns, 401),
        ("", &*anns, 401),
        ("ann", PASSWORD, 401),
    ] {
        assert_eq!(ask(Some((name, secret))).await.status, expect, "{name}");
    }
}

/// Whether the real client is let in, and what it says.
fn log_in(server: SocketAddr, name: &str, secret: &str) -> (bool, String) {
    let config = tempfile::tempdir().unwrap();
    let mut docker = Command::new("docker");
    docker.arg("--config").arg(config.path());
    docker.args(["login", &server.to_string(), "-u", name, "--password-stdin"]);
    docker.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = docker.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut input, secret.as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    let kept = fs_err::read_to_string(config.path().join("config.json")).unwrap_or_default();
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(kept.contains(&server.to_string()), output.status.success(), "{said}");
    (output.status.success(), said)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_client_logs_in() {
    let version = Command::new("docker").arg("--version").output();
    if !version.is_ok_and(|it| it.status.success()) {
        println!("left out: docker is missing");
        return;
    }
    let house = House::new().await;
    let ann = house.settled().await;
    let (_, acmes) = house.token("/orgs/acme", &ann, "write").await;
    let (_, anns) = house.token("/me", &ann, "read").await;
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = socket.local_addr().unwrap();
    let service = house.router.into_make_service_with_connect_info::<SocketAddr>();
    let serving = tokio::spawn(async move { axum::serve(socket, service).await });
    let tries = [
        ("acme", acmes.clone(), true),
        ("ann", anns.clone(), true),
        ("acme", anns, false),
        ("ann", PASSWORD.to_owned(), false),
    ];
    for (name, secret, expect) in tries {
        let tried = tokio::task::spawn_blocking(move || log_in(server, name, &secret));
        let (let_in, said) = tried.await.unwrap();
        assert_eq!(let_in, expect, "{name}: {said}");
    }
    serving.abort();
}
