//! Tests of Java archives, lock files and pom.xml.

use std::io::{Cursor, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::Maven;
use crate::shown::{Read, check, shown};
use crate::{Ecosystem as _, File, Nothing};

fn reads(id: &str) -> Read {
    Maven.catalogers().iter().find(|it| it.id == id).expect("it is listed").read
}

fn archive() -> Read {
    reads("maven-archive")
}

/// An archive of these entries; other archives are stored as they are, as Spring Boot does.
fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    zip_with(entries, CompressionMethod::Stored)
}

fn zip_with(entries: &[(&str, &[u8])], nested: CompressionMethod) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        let is_nested = std::path::Path::new(name).extension().is_some_and(|it| it == "jar");
        let method = if is_nested { nested } else { CompressionMethod::Deflated };
        let options = SimpleFileOptions::default().compression_method(method);
        writer.start_file(*name, options).expect("memory does not fail");
        writer.write_all(bytes).expect("memory does not fail");
    }
    writer.finish().expect("memory does not fail").into_inner()
}

fn record(group: &str, name: &str, version: &str) -> (String, String) {
    (
        format!("META-INF/maven/{group}/{name}/pom.properties"),
        format!("#Generated\r\nversion={version}\r\ngroupId={group}\r\nartifactId={name}\r\n"),
    )
}

/// An archive with these records of Maven, `group:name:version` each.
fn jar(records: &[&str]) -> Vec<u8> {
    let records: Vec<(String, String)> = records
        .iter()
        .map(|it| {
            let parts: Vec<&str> = it.split(':').collect();
            record(parts[0], parts[1], parts[2])
        })
        .collect();
    let entries: Vec<(&str, &[u8])> =
        records.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    zip(&entries)
}

fn with_manifest(manifest: &str) -> Vec<u8> {
    zip(&[("META-INF/MANIFEST.MF", manifest.as_bytes()), ("A.class", b"")])
}

#[test]
fn a_record_of_maven_speaks_first() {
    check(archive(), "opt/a-1.0.jar", jar(&["com.x:a:1.0"]), "pkg:maven/com.x/a@1.0");
    // One record, and a file that was renamed.
    check(archive(), "app.jar", jar(&["com.x:service:1.0"]), "pkg:maven/com.x/service@1.0");
}

#[test]
fn other_records_are_shaded_in() {
    check(
        archive(),
        "a-1.0-all.jar",
        jar(&["com.x:a:1.0", "org.y:a-b:2.0", "com.google.guava:guava:31.1-jre"]),
        "pkg:maven/com.x/a@1.0
         pkg:maven/com.google.guava/guava@31.1-jre in META-INF/maven/com.google.guava/guava/pom.properties
         pkg:maven/org.y/a-b@2.0 in META-INF/maven/org.y/a-b/pom.properties",
    );
    // The file has a name and a version, but no record is its own.
    check(
        archive(),
        "okhttp-4.10.0.jar",
        jar(&["com.x:a:1.0"]),
        "pkg:maven/com.squareup.okhttp3/okhttp@4.10.0
         pkg:maven/com.x/a@1.0 in META-INF/maven/com.x/a/pom.properties",
    );
}

#[test]
fn a_pom_stands_in_for_missing_properties_and_adds_licences() {
    let pom = "<project><parent><groupId>com.x</groupId><version>2.0</version></parent>\
        <artifactId>a</artifactId><licenses><license><name>MIT</name></license></licenses></project>";
    let file = zip(&[("META-INF/maven/com.x/a/pom.xml", pom.as_bytes())]);
    check(archive(), "a.jar", file, "pkg:maven/com.x/a@2.0 | license: MIT");
}

#[test]
fn archives_are_read_inside_archives() {
    let inner = jar(&["com.x:inner:1.0"]);
    let middle = zip(&[("lib/inner-1.0.jar", &inner), ("lib/broken.jar", b"PK")]);
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let (name, text) = record("com.x", "app", "3.0");
        let entries = [(name.as_str(), text.as_bytes()), ("BOOT-INF/lib/mid-2.0.jar", &middle)];
        check(
            archive(),
            "srv/app.jar",
            zip_with(&entries, method),
            "pkg:maven/com.x/app@3.0
             pkg:maven/mid/mid@2.0 in BOOT-INF/lib/mid-2.0.jar
             pkg:maven/com.x/inner@1.0 in BOOT-INF/lib/mid-2.0.jar!/lib/inner-1.0.jar
             gap: srv/app.jar!/BOOT-INF/lib/mid-2.0.jar!/lib/broken.jar: it has no directory: no archive, or cut short",
        );
    }
}

#[test]
fn without_a_record_file_name_and_manifest_speak() {
    let named = |path: &str, manifest: &str, expect: &str| {
        check(archive(), path, with_manifest(manifest), expect);
    };
    named(
        "spring-core-5.3.23.jar",
        "Manifest-Version: 1.0\r\nImplementation-Title: spring-core\r\nImplementation-Version: 5.3.23\r\n",
        "pkg:maven/org.springframework/spring-core@5.3.23",
    );
    named("lib/commons-x-1.0.jar", "", "pkg:maven/commons-x/commons-x@1.0");
    named(
        "x-1.70.jar",
        "Bundle-SymbolicName: org.acme.tools.x;singleton:=true\nBundle-Version: 1.70.0\n\
         Bundle-License: MIT;link=\"https://x\"\n",
        "pkg:maven/org.acme.tools/x@1.70 | license: MIT",
    );
    named(
        "app.jar",
        "Implementation-Title: my-app\nImplementation-Version: 0.0.1-SNAPSHOT\n\
         Implementation-Vendor-Id: com.exa\n mple\n\nName: other\nImplementation-Version: 9\n",
        "pkg:maven/com.example/my-app@0.0.1-SNAPSHOT",
    );
    named(
        "lib/catalina.jar",
        "Implementation-Title: Apache Tomcat\nImplementation-Version: 9.0.68\n",
        "pkg:maven/org.apache.tomcat/tomcat-catalina@9.0.68",
    );
    named(
        "y.jar",
        "Implementation-Title: com.netflix#archaius-core;0.7.7\n",
        "pkg:maven/com.netflix/archaius-core@0.7.7",
    );
    named(
        "root/.m2/repository/io/some/where/thing/1.2/thing-1.2.jar",
        "",
        "pkg:maven/io.some.where/thing@1.2",
    );
    named(
        "root/.gradle/caches/modules-2/files-2.1/io.some/thing/1.2/0123abcd/thing-1.2.jar",
        "",
        "pkg:maven/io.some/thing@1.2",
    );
    named("x.jar", "", "gap: x.jar: holds classes, but neither a name nor a version");
    named(
        "x.jar",
        "Implementation-Version: ${v}\n",
        "gap: x.jar: holds classes, but neither a name nor a version",
    );
}

#[test]
fn archives_of_other_things_say_nothing() {
    check(archive(), "resources.jar", zip(&[("a.txt", b"a")]), "");
    check(archive(), "empty.jar", "", "");
    check(archive(), "song.kar", "MThd....", "");
}

#[test]
fn a_script_may_stand_before_an_archive() {
    let file = [b"#!/bin/sh\nexec java -jar $0\n".as_slice(), &jar(&["com.x:a:1.0"])].concat();
    check(archive(), "a.jar", file, "pkg:maven/com.x/a@1.0");
}

#[test]
fn tells_of_archives_it_cannot_read() {
    let none = "gap: a.jar: it has no directory: no archive, or cut short";
    check(archive(), "a.jar", "text", none);
    let whole = jar(&["com.x:a:1.0"]);
    check(archive(), "a.jar", &whole[..whole.len() - 8], none);
    // The directory claims more entries than it has.
    let mut more = whole.clone();
    let at = more.len() - 12;
    more[at] = 9;
    check(
        archive(),
        "a.jar",
        more,
        "pkg:maven/com.x/a@1.0
         gap: a.jar: its directory is cut short or damaged; the rest is left out",
    );
    // One bit of the compressed text, the method, the flag for encryption, the offset.
    let damaged = |signature: &[u8], into: usize, value: u8| {
        let mut file = whole.clone();
        let at = memchr::memmem::find(&file, signature).expect("every archive has it") + into;
        file[at] = value;
        let file = File::in_memory("a.jar", 0o644, &file);
        shown(&archive()(&file, &Nothing)).lines().last().map(str::to_owned)
    };
    let directory = b"PK\x01\x02";
    let at = "gap: a.jar!/META-INF/maven/com.x/a/pom.properties:";
    for (signature, into, value, why) in [
        (directory, 16, 0xaa, "is damaged: its checksum does not match"),
        (directory, 10, 99, "is compressed by method 99, which is not read"),
        (directory, 8, 1, "is encrypted"),
        (directory, 42, 7, "is not where the directory says"),
        (directory, 22, 7, "ends behind the archive"),
    ] {
        let shown = damaged(signature, into, value).expect("there is a gap");
        let record =
            "gap: a.jar!/META-INF/maven/com.x/a: a record of Maven without a name or a version";
        assert_eq!(shown, record);
        let mut file = whole.clone();
        let at_byte = memchr::memmem::find(&file, signature).expect("every archive has it") + into;
        file[at_byte] = value;
        check(archive(), "a.jar", file, &format!("{at} {why}\n{record}"));
    }
}

#[test]
fn damage_anywhere_does_no_harm() {
    let whole = zip(&[("lib/a-1.0.jar", &jar(&["com.x:a:1.0"]))]);
    for at in 0..whole.len() {
        for value in [0, 0x7f, 0xff] {
            let mut file = whole.clone();
            file[at] = value;
            shown(&archive()(&File::in_memory("a.jar", 0o644, &file), &Nothing));
        }
        shown(&archive()(&File::in_memory("a.jar", 0o644, &whole[..at]), &Nothing));
    }
}

#[test]
fn bombs_and_deep_nests_end() {
    let mut nest = jar(&["com.x:core:1.0"]);
    for _ in 0..20 {
        nest = zip(&[("n.jar", &nest)]);
    }
    let file = File::in_memory("a.jar", 0o644, &nest);
    let found = archive()(&file, &Nothing);
    assert!(shown(&found).ends_with("nested too deeply; this one is left out\n"));

    let bomb = zip_with(&[("n.jar", &vec![0; 200 << 20])], CompressionMethod::Deflated);
    let gap = "gap: a.jar!/n.jar: inflates to more than is read";
    check(archive(), "a.jar", bomb, gap);
}

#[test]
fn any_number_of_records_is_read_in_one_go() {
    let records: Vec<String> = (0..30_000).map(|it| format!("com.x:a{it}:1.0")).collect();
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    let whole = jar(&records);
    let found = archive()(&File::in_memory("a.jar", 0o644, &whole), &Nothing);
    assert_eq!((found.packages.len(), found.gaps.len()), (30_000, 0));
}

#[test]
fn one_archive_under_many_names_is_told_so_often_only() {
    let records: Vec<String> = (0..500).map(|it| format!("com.x:a{it}:1.0")).collect();
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    let mut whole = zip(&[("n0.jar", &jar(&records)), ("n.txt", b"")]);
    // The directory, rewritten: a thousand entries that all point at the one nested archive.
    let end = memchr::memmem::rfind(&whole, b"PK\x05\x06").expect("it is at the end");
    let mut tail = whole.split_off(end);
    let start = u32::from_le_bytes([tail[16], tail[17], tail[18], tail[19]]) as usize;
    let row = whole[start..start + 52].to_vec();
    whole.truncate(start);
    whole.extend(row.repeat(1000));
    tail[8..12].copy_from_slice(&[0xe8, 3, 0xe8, 3]);
    tail[12..16].copy_from_slice(&52_000_u32.to_le_bytes());
    whole.extend(tail);
    let found = archive()(&File::in_memory("a.jar", 0o644, &whole), &Nothing);
    assert_eq!(found.packages.len(), 100_000);
    assert_eq!(found.gaps.len(), 800);
}

#[test]
fn large_nested_archives_are_spooled() {
    let mut noise: u64 = 1;
    let padding: Vec<u8> = std::iter::repeat_with(|| {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (noise >> 56) as u8
    })
    .take(33 << 20)
    .collect();
    let (name, text) = record("com.x", "big", "1.0");
    let entries: [(&str, &[u8]); 2] = [("padding.jar.txt", &padding), (&name, text.as_bytes())];
    let outer = zip_with(&[("big.jar", &zip(&entries))], CompressionMethod::Deflated);
    check(archive(), "a.jar", outer, "pkg:maven/com.x/big@1.0 in big.jar");
}

#[test]
fn reads_gradle_lock_files() {
    check(
        reads("maven-gradle-lockfile"),
        "gradle.lockfile",
        "# This is a Gradle generated file\ncom.google.guava:guava:31.1-jre=compileClasspath,runtimeClasspath\n\
         org.slf4j:slf4j-api:1.7.36=runtimeClasspath\nnonsense\nempty=annotationProcessor\n",
        "pkg:maven/com.google.guava/guava@31.1-jre (declared)
         pkg:maven/org.slf4j/slf4j-api@1.7.36 (declared)
         gap: gradle.lockfile: a line that cannot be read: `nonsense`",
    );
}

#[test]
fn reads_poms() {
    let dependency = |rest: &str| format!("<dependency><groupId>g</groupId>{rest}</dependency>");
    let pom = format!(
        "<?xml version='1.0'?><project xmlns='http://maven.apache.org/POM/4.0.0'>
        <parent><groupId>g</groupId><artifactId>p</artifactId><version>7</version></parent>
        <artifactId>a</artifactId>
        <properties><one>1.${{two}}</one><two>2</two><loop>${{loop}}</loop></properties>
        <dependencyManagement><dependencies>{}{}</dependencies></dependencyManagement>
        <dependencies>{}{}{}{}{}{}{}{}<!-- {} --></dependencies></project>",
        dependency("<artifactId>managed</artifactId><version>3.0</version>"),
        dependency("<artifactId>tested</artifactId><version>3.0</version><scope>test</scope>"),
        dependency("<artifactId>literal</artifactId><version> 1.0&#45;rc </version>"),
        dependency(
            "<artifactId>property</artifactId><version>${one}</version><scope>runtime</scope>"
        ),
        dependency("<artifactId>sibling</artifactId><version>${project.version}</version>"),
        dependency("<artifactId>managed</artifactId>"),
        dependency("<artifactId>tested</artifactId>"),
        dependency("<artifactId>given</artifactId><version>1</version><scope>provided</scope>"),
        dependency("<artifactId>looped</artifactId><version>${loop}</version>"),
        dependency("<artifactId>orphan</artifactId>"),
        dependency("<artifactId>comment</artifactId><version>1</version>"),
    );
    check(
        reads("maven-pom"),
        "pom.xml",
        pom,
        "pkg:maven/g/literal@1.0-rc (declared)
         pkg:maven/g/property@1.2 (declared)
         pkg:maven/g/sibling@7 (declared)
         pkg:maven/g/managed@3.0 (declared)
         gap: pom.xml: versions that come from elsewhere (a parent, a range): 2: g:looped, g:orphan",
    );
}

#[test]
fn tells_of_poms_it_cannot_read() {
    let pom = |text: &str, why: &str| {
        check(reads("maven-pom"), "pom.xml", text, &format!("gap: pom.xml: cannot be read: {why}"));
    };
    pom("", "it is empty");
    pom("<html></html>", "it is a `html`, not a `project`");
    pom("<project>", "it ends inside an element");
    pom(&"<a>".repeat(100), "elements are nested too deeply");
}
