//! The life of people and tokens at a server: passwords, sessions, other secrets, who may log in.

use crate::sandbox::Sandbox;
use crate::serving::Serving;

const OLD: &str = "a green horse";
const NEW: &str = "a purple horse";

#[track_caller]
fn done(said: &str) {
    assert!(said.starts_with("exit 0\n"), "{said}");
}

fn first_line(home: &Sandbox, line: &str) -> String {
    let output = home.output(line);
    assert!(output.status.success(), "{}", home.shown(&output));
    String::from_utf8(output.stdout).unwrap().lines().next().unwrap().to_owned()
}

#[test]
fn passwords_sessions_and_tokens() {
    let house = Sandbox::new().with("FORETOP_LOG", "warn");
    let serving = Serving::start(&house, "--organization acme --workers 0");
    let ann = Sandbox::new();
    serving.settled(&ann, "ci --org acme --scope write");
    let log_in = |home: &Sandbox, password: &str| {
        let line = format!("login {} -u ann --password-stdin", serving.root);
        home.fed(&line, format!("{password}\n").as_bytes())
    };
    let phone = Sandbox::new();
    done(&log_in(&phone, OLD));
    let listed = ann.foretop("session list");
    assert_eq!(listed.lines().count(), 5, "{listed}");
    assert_eq!(listed.matches("this one").count(), 1, "{listed}");
    let said = ann.foretop("session end --others");
    assert!(said.contains("Successfully logged out of 1 session"), "{said}");
    assert!(phone.foretop("whoami").starts_with("exit 1\n"));

    done(&log_in(&phone, OLD));
    let wrong = ann.fed("password --stdin", b"a red horse!!\na purple horse\n");
    assert!(wrong.contains("the old one is wrong"), "{wrong}");
    done(&ann.fed("password --stdin", format!("{OLD}\n{NEW}\n").as_bytes()));
    assert!(phone.foretop("whoami").starts_with("exit 1\n"), "other sessions are over");
    done(&ann.foretop("whoami"));
    assert!(log_in(&phone, OLD).starts_with("exit 1\n"));

    let listed = ann.foretop("token list --org acme");
    assert!(listed.contains("never") && listed.contains("until revoked"), "{listed}");
    let id = listed.lines().find(|it| it.starts_with("ci ")).unwrap();
    let id = id.split_whitespace().last().unwrap();
    let secret = first_line(&ann, &format!("token rotate {id} --org acme --overlap 2 --days 30"));
    let program = Sandbox::new().with("FORETOP_SERVER", &serving.root);
    done(&program.with("FORETOP_TOKEN", &secret).foretop("whoami"));
    let listed = ann.foretop("token list --org acme");
    assert_eq!(listed.matches("until 2").count(), 2, "both have an end: {listed}");
    done(&ann.foretop(&format!("token revoke {secret} --org acme")));
}

#[test]
fn who_may_log_in_is_said_on_the_servers_machine() {
    let house = Sandbox::new().with("FORETOP_LOG", "warn").with("USER", "root");
    let serving = Serving::start(&house, "--organization acme --workers 0");
    let ann = Sandbox::new();
    serving.settled(&ann, "ci --org acme --scope write");
    let bob = Sandbox::new();
    let invited = first_line(&ann, "member invite --org acme");
    done(&bob.fed(&format!("login {invited} -u bob --password-stdin"), b"a green horse\n"));

    let listed = house.foretop("admin users");
    assert!(listed.contains("owner of acme") && listed.contains("member of acme"), "{listed}");
    let refused = house.foretop("admin disable ann");
    assert!(refused.contains("nobody else owns `acme`"), "{refused}");
    done(&house.foretop("admin disable bob"));
    assert!(house.foretop("admin users").contains("not since 2"));
    // Another process: within a second.
    let begun = std::time::Instant::now();
    while bob.foretop("whoami").starts_with("exit 0\n") {
        assert!(begun.elapsed().as_secs() < 60, "he is still somebody");
    }
    let refused = house.foretop("admin reset bob");
    assert!(refused.contains("hint: foretop admin enable bob"), "{refused}");
    done(&house.foretop("admin enable bob"));
    done(&ann.foretop("member disable bob --org acme"));
    assert!(bob.foretop("whoami").starts_with("exit 1\n"));
    done(&ann.foretop("member enable bob --org acme"));

    let link = first_line(&house, &format!("admin reset bob --public-url {}", serving.root));
    assert!(link.starts_with(&format!("{}/reset/ftr_", serving.root)), "{link}");
    let line = format!("login {link} --password-stdin");
    let said = bob.fed(&line, b"a purple horse\n");
    assert!(said.contains("Choose another password, bob"), "{said}");
    done(&said);
    done(&bob.foretop("whoami"));
    assert!(bob.fed(&line, b"a purple horse\n").contains("it was used"));
    let told = ann.foretop("events --org acme --kind password-reset-offered --format json");
    assert!(told.contains(r#""who": "root (admin)""#), "{told}");
    let refused = house.foretop("admin forget bob");
    assert!(refused.contains("admin forget bob: nobody is there to confirm it"), "{refused}");
    assert!(refused.contains("hint: --force forgets without asking"), "{refused}");
    done(&house.foretop("admin forget bob --force"));
    assert!(ann.foretop("member list --org acme").lines().all(|it| !it.starts_with("bob")));
}
