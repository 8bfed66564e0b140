//! Tests of .NET's deps.json and lock files.

use super::Nuget;
use crate::Ecosystem as _;
use crate::shown::{Read, check};

fn deps() -> Read {
    Nuget.catalogers()[0].read
}

fn lock() -> Read {
    Nuget.catalogers()[1].read
}

const DEPS: &str = r#"{
  "runtimeTarget": {"name": ".NETCoreApp,Version=v8.0/linux-x64", "signature": ""},
  "targets": {".NETCoreApp,Version=v8.0": {}, ".NETCoreApp,Version=v8.0/linux-x64": {
    "App/1.0.0": {"dependencies": {"Newtonsoft.Json": "13.0.1"}, "runtime": {"App.dll": {}}},
    "Newtonsoft.Json/13.0.1": {"runtime": {"lib/net6.0/Newtonsoft.Json.dll": {"assemblyVersion": "13.0.0.0"}}},
    "System.Meta/4.3.0": {},
    "Old.Place/1.2.3.4": {"runtime": {"lib/net8.0/_._": {}}},
    "Native.Lib/2.0.0": {"native": {"runtimes/linux-x64/native/libn.so": {"fileVersion": "0.0.0.0"}}},
    "runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/8.0.1": {"runtime": {"System.Private.CoreLib.dll": {}}},
    "Shared/1.0.0": {"runtime": {"Shared.dll": {}}}
  }},
  "libraries": {
    "App/1.0.0": {"type": "project", "serviceable": false, "sha512": ""},
    "Newtonsoft.Json/13.0.1": {"type": "package", "serviceable": true, "path": "newtonsoft.json/13.0.1"},
    "System.Meta/4.3.0": {"type": "package"},
    "Old.Place/1.2.3.4": {"type": "package"},
    "Native.Lib/2.0.0": {"type": "package"},
    "runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/8.0.1": {"type": "runtimepack"},
    "Shared/1.0.0": {"type": "project"},
    "nonsense": {"type": "package"}
  }
}"#;

#[test]
fn reads_what_a_program_was_published_with() {
    check(
        deps(),
        "srv/App.deps.json",
        DEPS,
        "pkg:nuget/App@1.0.0 | proof: srv/App.dll
         pkg:nuget/Native.Lib@2.0.0 | proof: srv/libn.so, srv/runtimes/linux-x64/native/libn.so
         pkg:nuget/Newtonsoft.Json@13.0.1 | proof: srv/Newtonsoft.Json.dll, srv/lib/net6.0/Newtonsoft.Json.dll, srv/newtonsoft.json/13.0.1/lib/net6.0/Newtonsoft.Json.dll
         pkg:nuget/Old.Place@1.2.3.4 (declared)
         pkg:nuget/System.Meta@4.3.0 (declared)
         pkg:nuget/Microsoft.NETCore.App.Runtime.linux-x64@8.0.1 | proof: srv/System.Private.CoreLib.dll
         gap: srv/App.deps.json: a library without a version: `nonsense`",
    );
    let gap = "gap: App.deps.json: broken JSON: EOF while parsing an object at line 1 column 1";
    check(deps(), "App.deps.json", "{", gap);
    check(deps(), "App.deps.json", "\u{feff}{}", "");
}

#[test]
fn reads_lock_files() {
    check(
        lock(),
        "packages.lock.json",
        r#"{"version": 1, "dependencies": {
            "net6.0": {
                "Serilog": {"type": "Direct", "requested": "[2.10.0, )", "resolved": "2.10.0", "contentHash": ""},
                "System.Text.Json": {"type": "Transitive", "resolved": "6.0.0"},
                "mine": {"type": "Project"}},
            "net8.0": {"Serilog": {"type": "Direct", "resolved": "2.10.0"}}}}"#,
        "pkg:nuget/Serilog@2.10.0 (declared)
         pkg:nuget/System.Text.Json@6.0.0 (declared)",
    );
    check(
        lock(),
        "packages.lock.json",
        "{}",
        "gap: packages.lock.json: broken JSON: missing field `dependencies` at line 1 column 2",
    );
}
