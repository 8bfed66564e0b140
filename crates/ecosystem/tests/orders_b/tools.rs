//! Orders against the real tools. Whichever tool is missing leaves its test out.

use std::path::Path;
use std::process::Command;

use crate::generator::{Parts, Random};
use crate::tool::{check, say};

const PAIRS: usize = 20_000;

#[test]
fn pep440_is_as_packaging_has_it() {
    let program = "
import sys
try:
    from packaging.version import Version, InvalidVersion
except ImportError:
    from pip._vendor.packaging.version import Version, InvalidVersion
for line in sys.stdin:
    try:
        left, right = map(Version, line.rstrip('\\n').split('\\t'))
    except InvalidVersion:
        print('!')
    else:
        print('<' if left < right else '>' if left > right else '=')
";
    let parts = Parts {
        starts: &["1", "1.0", "0", "v1", "1!2", "2.0.0", "10"],
        marks: &[".", ".", "", "-", "_", "+", "!"],
        words: &[
            "0",
            "1",
            "2",
            "10",
            "01",
            "a",
            "b",
            "c",
            "rc",
            "alpha",
            "beta",
            "pre",
            "preview",
            "post",
            "rev",
            "r",
            "dev",
            "RC",
            "abc",
            "99999999999999999999999",
        ],
    };
    let mut command = Command::new("python3");
    check("pep440", command.args(["-c", program]), &parts.pairs(PAIRS), |_, _, _| true);
}

#[test]
fn rubygems_is_as_gem_version_has_it() {
    let program = "
STDIN.each_line do |line|
  left, right = line.chomp.split(\"\\t\", -1)
  begin
    puts ['=', '>', '<'][Gem::Version.new(left) <=> Gem::Version.new(right)]
  rescue ArgumentError
    puts '!'
  end
end
";
    let parts = Parts {
        starts: &["1", "1.0", "0", "2.0.0", "10"],
        marks: &[".", ".", ".", ".", "-", "--", "_"],
        words: &[
            "0",
            "0",
            "1",
            "2",
            "10",
            "01",
            "a",
            "b",
            "rc",
            "A",
            "pre",
            "1a",
            "a1",
            "99999999999999999999999",
        ],
    };
    let mut command = Command::new("ruby");
    check("rubygems", command.args(["-e", program]), &parts.pairs(PAIRS), |_, _, _| true);
}

/// PHP compares anything; we refuse what begins with no digit or ends in a mark.
#[test]
fn pear_is_as_php_has_it() {
    let program = "
while (($line = fgets(STDIN)) !== false) {
    [$left, $right] = explode(\"\\t\", rtrim($line, \"\\n\"));
    echo ['=', '>', '<'][(version_compare($left, $right) + 3) % 3], \"\\n\";
}
";
    let parts = Parts {
        starts: &["1", "1.0", "0", "2.0.0", "10", "v1"],
        marks: &[".", ".", "-", "_", "+", "", "~"],
        words: &[
            "0",
            "1",
            "2",
            "10",
            "01",
            "a",
            "b",
            "rc",
            "RC",
            "dev",
            "pl",
            "p",
            "alpha",
            "foo",
            "patch",
            "Rc",
            "99999999999999999999",
            "9223372036854775807",
        ],
    };
    let mut command = Command::new("php");
    check("pear", command.args(["-r", program]), &parts.pairs(PAIRS), |_, _, said| said != "!");
}

/// Composer does not say which of two branches comes first; we do, by their names.
#[test]
fn composer_is_as_its_semver_library_has_it() {
    let library = "/usr/share/php/Composer/Semver/autoload.php";
    if !Path::new(library).is_file() {
        println!("composer: left out, php-composer-semver is not installed");
        return;
    }
    let program = format!(
        "
require '{library}';
$parser = new Composer\\Semver\\VersionParser;
while (($line = fgets(STDIN)) !== false) {{
    try {{
        [$left, $right] = array_map([$parser, 'normalize'], explode(\"\\t\", rtrim($line, \"\\n\")));
    }} catch (UnexpectedValueException $e) {{
        echo \"!\\n\";
        continue;
    }}
    echo Composer\\Semver\\Comparator::lessThan($left, $right) ? '<'
        : (Composer\\Semver\\Comparator::greaterThan($left, $right) ? '>' : '='), \"\\n\";
}}
"
    );
    let parts = Parts {
        starts: &["1", "1.0", "1.0.0", "0", "v1", "2010", "20100102", "dev-1", "master"],
        marks: &[".", ".", ".", "-", "-", "_", "", "+", "@", ":", ".x-"],
        words: &[
            "0",
            "1",
            "2",
            "10",
            "01",
            "12",
            "alpha",
            "beta",
            "b",
            "a",
            "rc",
            "RC",
            "stable",
            "STABLE",
            "p",
            "pl",
            "patch",
            "dev",
            "x",
            "*",
            "100",
            "99999999999999999999",
        ],
    };
    let is_branch = |it: &str| it.starts_with("dev-") || it.starts_with("master");
    let mut command = Command::new("php");
    check("composer", command.args(["-r", &program]), &parts.pairs(PAIRS), |left, right, _| {
        !(is_branch(left) && is_branch(right))
    });
}

/// Maven 3, where it agrees with Maven 4: numbers, then one qualifier, then perhaps a number. It does
/// not agree on `a-1`, on the number 0, nor on a number behind `ga`, `final` or `sp`.
#[test]
fn maven_is_as_comparable_version_has_it() {
    let jars = ["/usr/share/java/maven3-artifact.jar", "/usr/share/java/maven-artifact-3.x.jar"];
    let Some(jar) = jars.iter().find(|it| Path::new(it).is_file()) else {
        println!("maven: left out, libmaven3-core-java is not installed");
        return;
    };
    let mut random = Random(0x5eed);
    let versions: Vec<String> = (0..8_000).map(|_| maven_version(&mut random)).collect();
    // It compares each with the next, and the command line has a limit.
    for versions in versions.chunks(2_000) {
        let output = Command::new("java")
            .args(["-cp", jar, "org.apache.maven.artifact.versioning.ComparableVersion"])
            .args(versions)
            .output();
        let Ok(output) = output else {
            println!("maven: left out, java is not installed");
            return;
        };
        let output = String::from_utf8(output.stdout).expect("it is text");
        let answers: Vec<&str> = output.lines().filter_map(|it| it.strip_prefix("   ")).collect();
        assert_eq!(answers.len() + 1, versions.len(), "{output}");
        for (pair, answer) in versions.windows(2).zip(answers) {
            let [left, right] = pair else { continue };
            let said = say("maven", left, right).replace('=', "==");
            assert_eq!(format!("{left} {said} {right}"), answer);
        }
    }
}

fn maven_version(random: &mut Random) -> String {
    let mut version = random.pick(&["0", "1", "2", "10", "01"]).to_owned();
    for _ in 0..random.below(4) {
        version.push('.');
        version.push_str(random.pick(&["0", "1", "2", "10", "01"]));
    }
    let mark = random.pick(&["-", ""]);
    let words = ["alpha", "beta", "milestone", "rc", "CR", "SNAPSHOT", "foo", "x", "jre"];
    match random.below(5) {
        0 => {}
        1 => version.push_str(&[mark, random.pick(&["ga", "final", "sp", "a", "b", "m"])].concat()),
        2 => version.push_str(&[mark, random.pick(&words)].concat()),
        3 => {
            let behind = random.pick(&["-", ""]);
            let number = random.pick(&["1", "2", "10"]);
            version.push_str(&[mark, random.pick(&words), behind, number].concat());
        }
        _ => {
            let number = random.pick(&["1", "2", "10"]);
            version.push_str(&[mark, random.pick(&["a", "b", "m"]), number].concat());
        }
    }
    version
}
