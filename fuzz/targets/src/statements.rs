//! A document of statements: what can be read is applied to a small image.

const WORLD: &str = "d debian 12
p pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&distro=debian-12 openssl
p pkg:npm/%40babel/core@7.0.0
r osv debian:12 openssl CVE-2024-0001,DSA-1 yes 0 3.0.13
r osv npm @babel/core CVE-2024-0001,GHSA-1 yes 0 8";

/// Runs it once.
pub fn run(input: &[u8]) {
    if let Ok(read) = statement::read("a.json", input) {
        let mut world = crate::world::world(WORLD);
        world.statements = read.statements;
        // Junk seldom names the flaw, and it is the products that are read leniently.
        for flaws in world.statements.iter_mut().take(100).map(|it| &mut it.flaws) {
            flaws.push("CVE-2024-0001".to_owned());
        }
        crate::world::agree(&world);
    }
}
