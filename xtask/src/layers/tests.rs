//! Each rule on a hand-made graph, both ways: it lets pass what is right and names what is wrong.

use super::check::{faults, sizes};
use super::facts::{Crate, Dependency, Facts, Id, Member, Tree, View};
use cargo_metadata::{DependencyKind, semver::Version};

const MEMBERS: &[&str] = &[
    "qws-config",
    "qws-http",
    "qws-auth",
    "qws-client",
    "qws-sdk",
    "qws-cli",
    "qws-emulator",
    "qws-contract",
    "qws-bench",
    "xtask",
];

/// A workspace that keeps every rule: each layer uses the one below it.
fn sound() -> Facts {
    let mut facts = Facts::default();
    for name in MEMBERS {
        let rust_version = Some(Version::new(1, 88, 0));
        facts.members.push(Member {
            name: (*name).into(),
            published: true,
            rust_version,
            dependencies: vec![],
        });
    }
    for crate_name in ["url", "zeroize"] {
        depend(&mut facts, "qws-config", crate_name);
    }
    for pair in MEMBERS[..6].windows(2) {
        depend(&mut facts, pair[1], pair[0]);
        declare(&mut facts, pair[0], "qws-emulator", DependencyKind::Development);
    }
    for (name, used) in
        [("qws-contract", "qws-sdk"), ("qws-contract", "qws-emulator"), ("qws-bench", "qws-client")]
    {
        depend(&mut facts, name, used);
    }
    plant(&mut facts, View::Required, "0 qws-config v0.1.0 (/home/me/qws)\n1 url v2.0.0");
    plant(&mut facts, View::Everything, "0 qws-config v0.1.0\n1 url v2.0.0\n1 serde v1.0.0");
    plant(&mut facts, View::Default, "0 qws-http v0.1.0\n1 rustls v0.23.0\n2 ring v0.17.0");
    plant(
        &mut facts,
        View::Everything,
        "0 qws-http v0.1.0\n1 rustls v0.23.0\n2 ring v0.17.0\n2 aws-lc-rs v1.0.0",
    );
    plant(&mut facts, View::Default, "0 qws-sdk v0.1.0\n1 azure_core v1.0.0");
    facts
}

fn declare<'a>(facts: &'a mut Facts, name: &str, used: &str, kind: DependencyKind) -> &'a mut Dependency {
    let member = facts.members.iter_mut().find(|member| member.name == name).unwrap();
    member.dependencies.push(Dependency { name: used.into(), kind, optional: false, has_version: false });
    member.dependencies.last_mut().unwrap()
}

fn depend<'a>(facts: &'a mut Facts, name: &str, used: &str) -> &'a mut Dependency {
    declare(facts, name, used, DependencyKind::Normal)
}

/// Puts a tree in the place of the one with the same root and view; its crates are good ones until told otherwise.
fn plant(facts: &mut Facts, view: View, text: &str) {
    let tree = Tree::parse(view, text).unwrap();
    for id in tree.crates() {
        facts.crates.entry(id.clone()).or_default().licence = Some("MIT OR Apache-2.0".into());
    }
    facts.trees.retain(|old| (&old.root, old.view) != (&tree.root, view));
    facts.trees.push(tree);
}

fn crate_named<'a>(facts: &'a mut Facts, name: &str) -> &'a mut Crate {
    facts.crates.iter_mut().find(|(id, _)| id.name == name).unwrap().1
}

#[test]
fn sound_workspace_has_no_fault() {
    assert_eq!(faults(&sound()), Vec::<String>::new());
}

#[test]
fn emulator_uses_no_member_in_any_kind_of_dependency() {
    let why = "the emulator uses no qws crate, so that client and emulator cannot share one mistake \
               (see ARCHITECTURE.md, Directions)";
    for (kind, verb) in [
        (DependencyKind::Normal, "depend on"),
        (DependencyKind::Development, "dev-depend on"),
        (DependencyKind::Build, "build-depend on"),
    ] {
        let mut facts = sound();
        declare(&mut facts, "qws-emulator", "qws-config", kind).optional = true;
        assert_eq!(faults(&facts), [format!("qws-emulator must not {verb} qws-config: {why}")]);
    }
}

#[test]
fn layers_use_what_is_below_them_and_nothing_above() {
    let mut facts = sound();
    depend(&mut facts, "qws-client", "qws-config");
    assert_eq!(faults(&facts), Vec::<String>::new(), "skipping down is allowed");
    declare(&mut facts, "qws-http", "qws-client", DependencyKind::Development);
    assert_eq!(
        faults(&facts),
        [
            "qws-http must not dev-depend on qws-client: layers use what is below them, qws-cli -> qws-sdk -> qws-client \
         -> qws-auth -> qws-http -> qws-config (see ARCHITECTURE.md, Directions)"
        ]
    );
}

#[test]
fn crate_may_name_itself_for_its_tests() {
    let mut facts = sound();
    declare(&mut facts, "qws-auth", "qws-auth", DependencyKind::Development);
    assert_eq!(faults(&facts), Vec::<String>::new());
}

#[test]
fn layers_use_the_emulator_in_tests_only_and_by_path_only() {
    let mut facts = sound();
    depend(&mut facts, "qws-cli", "qws-emulator");
    declare(&mut facts, "qws-cli", "qws-emulator", DependencyKind::Development).has_version = true;
    assert_eq!(
        faults(&facts),
        [
            "qws-cli may use qws-emulator as a dev-dependency only: it is for tests",
            "qws-cli must name qws-emulator by path only: with a version it could not be published first",
        ]
    );
}

#[test]
fn members_beside_the_layers_keep_to_their_own_list() {
    let mut facts = sound();
    depend(&mut facts, "qws-contract", "qws-cli");
    depend(&mut facts, "qws-bench", "qws-sdk");
    depend(&mut facts, "xtask", "qws-config");
    let faults = faults(&facts);
    for (fault, edge) in faults.iter().zip([
        "qws-contract must not depend on qws-cli: ",
        "qws-bench must not depend on qws-sdk: ",
        "xtask must not depend on qws-config: ",
    ]) {
        assert!(fault.starts_with(edge), "{fault}");
    }
    assert_eq!(faults.len(), 3);
}

#[test]
fn new_member_needs_a_place() {
    let mut facts = sound();
    facts.members.push(Member {
        name: "qws-extra".into(),
        published: true,
        rust_version: None,
        dependencies: vec![],
    });
    assert_eq!(
        faults(&facts),
        [
            "qws-extra has no place among the layers: give it one in xtask/src/layers/rules.rs and in ARCHITECTURE.md"
        ]
    );
}

#[test]
fn network_in_config_is_told_once_and_not_again_for_what_it_pulls_in() {
    let mut facts = sound();
    let tree = "0 qws-config v0.1.0\n1 reqwest v0.13.0\n2 tokio v1.0.0\n2 hyper v1.0.0\n3 tokio v1.0.0\n2 serde v1.0.0";
    plant(&mut facts, View::Everything, tree);
    let fault = "qws-config must not depend on reqwest: it has no network (see ARCHITECTURE.md, Directions)";
    depend(&mut facts, "qws-config", "reqwest").optional = true;
    assert_eq!(faults(&facts), [fault], "not even by a feature");

    plant(&mut facts, View::Required, tree);
    depend(&mut facts, "qws-config", "reqwest");
    let required = "qws-config must not require reqwest: it requires url, zeroize and nothing else";
    assert_eq!(faults(&facts), [required, fault]);
}

#[test]
fn async_in_config_is_a_fault_and_serde_only_without_features() {
    let mut facts = sound();
    plant(&mut facts, View::Required, "0 qws-config v0.1.0\n1 url v2.0.0\n2 serde v1.0.0");
    plant(
        &mut facts,
        View::Everything,
        "0 qws-config v0.1.0\n1 helper v1.0.0\n2 other v1.0.0\n3 tokio v1.0.0",
    );
    assert_eq!(
        faults(&facts),
        [
            "qws-config must not depend on tokio (through helper, other): it has no async (see ARCHITECTURE.md, Directions)",
            "qws-config must not depend on serde (through url): serde is an optional feature there \
         (see ARCHITECTURE.md, Directions)",
        ]
    );
}

#[test]
fn system_tls_is_banned_with_all_features_and_told_at_the_lowest_library() {
    let mut facts = sound();
    plant(&mut facts, View::Everything, "0 qws-http v0.1.0\n1 hyper-tls v0.6.0\n2 native-tls v0.2.0");
    plant(
        &mut facts,
        View::Everything,
        "0 qws-auth v0.1.0\n1 azure_identity v1.0.0\n2 openssl v0.10.0\n1 qws-http v0.1.0\n2 native-tls v0.2.0",
    );
    let why = "TLS is rustls on every platform, without a system library (see ARCHITECTURE.md, Decisions)";
    assert_eq!(
        faults(&facts),
        [
            format!("qws-http must not depend on native-tls (through hyper-tls): {why}"),
            format!("qws-auth must not depend on openssl (through azure_identity): {why}"),
        ]
    );
}

#[test]
fn a_second_http_client_is_banned() {
    let mut facts = sound();
    plant(&mut facts, View::Everything, "0 qws-auth v0.1.0\n1 reqwest v0.13.0");
    let fault = "qws-auth must not depend on reqwest: the HTTP client is hyper's, and one is enough (see \
                 ARCHITECTURE.md, Decisions)";
    assert_eq!(faults(&facts), [fault]);
}

#[test]
fn default_features_use_ring_under_rustls_and_no_other_provider() {
    let mut facts = sound();
    let tree = "0 qws-http v0.1.0\n1 ring v0.17.0\n1 rustls v0.23.0\n2 aws-lc-rs v1.0.0\n2 ring v0.17.0";
    plant(&mut facts, View::Default, tree);
    assert_eq!(
        faults(&facts),
        [
            "qws-http must not depend on aws-lc-rs (through rustls): ring is the default and starts faster \
         (see ARCHITECTURE.md, Decisions)",
            "qws-http must not depend on ring: ring comes only through rustls (see ARCHITECTURE.md, Decisions)",
        ]
    );
}

#[test]
fn features_that_show_secrets_or_bring_another_http_client_are_off() {
    let mut facts = sound();
    crate_named(&mut facts, "azure_core").features = vec!["tokio".into(), "debug".into(), "reqwest".into()];
    assert_eq!(
        faults(&facts),
        [
            "feature `debug` of azure_core 1.0.0 must be off everywhere: it writes secrets into logs and `Debug` output \
         of the whole build",
            "feature `reqwest` of azure_core 1.0.0 must be off everywhere: Azure crates use the HTTP client that \
         qws-http gives them",
        ]
    );
}

#[test]
fn licences_are_read_as_expressions() {
    for good in [
        "MIT",
        "Unlicense/MIT",
        "(MIT OR Apache-2.0) AND Unicode-3.0",
        "GPL-3.0 OR ISC",
        "Apache-2.0 WITH LLVM-exception OR MIT",
    ] {
        let mut facts = sound();
        crate_named(&mut facts, "ring").licence = Some(good.into());
        assert_eq!(faults(&facts), Vec::<String>::new(), "{good}");
    }
    for (bad, why) in [
        (Some("GPL-3.0"), "its licence `GPL-3.0` is not on the list in xtask/src/layers/rules.rs"),
        (
            Some("MIT AND OpenSSL"),
            "its licence `MIT AND OpenSSL` is not on the list in xtask/src/layers/rules.rs",
        ),
        (
            Some("Apache-2.0 WITH LLVM-exception"),
            "its licence `Apache-2.0 WITH LLVM-exception` is not on the list in xtask/src/layers/rules.rs",
        ),
        (Some("MIT or whatever"), "its licence `MIT or whatever` is no SPDX expression: unknown term"),
        (None, "it states no licence"),
    ] {
        let mut facts = sound();
        crate_named(&mut facts, "ring").licence = bad.map(str::to_owned);
        assert_eq!(
            faults(&facts),
            [format!("qws-http must not depend on ring 0.17.0 (through rustls): {why}")]
        );
    }
}

#[test]
fn newer_rust_than_ours_is_a_fault_in_libraries_only() {
    let mut facts = sound();
    plant(&mut facts, View::Everything, "0 qws-cli v0.1.0\n1 clap v4.0.0");
    crate_named(&mut facts, "clap").rust_version = Some(Version::new(1, 95, 0));
    crate_named(&mut facts, "rustls").rust_version = Some(Version::new(1, 88, 0));
    assert_eq!(faults(&facts), Vec::<String>::new());
    crate_named(&mut facts, "ring").rust_version = Some(Version::new(1, 90, 0));
    assert_eq!(
        faults(&facts),
        [
            "qws-http must not depend on ring 0.17.0 (through rustls): it declares rust-version 1.90.0, above our 1.88.0"
        ]
    );
}

#[test]
fn library_without_a_rust_version_is_a_fault() {
    let mut facts = sound();
    facts.members[0].rust_version = None;
    assert_eq!(faults(&facts), ["qws-config must declare a rust-version"]);
}

#[test]
fn trees_have_a_budget() {
    let with_crates = |count: usize| {
        let crates: Vec<_> = (1..count).map(|n| format!("1 small{n} v1.0.0")).collect();
        let mut facts = sound();
        plant(&mut facts, View::Required, &format!("0 qws-config v0.1.0\n{}", crates.join("\n")));
        facts
    };
    assert_eq!(faults(&with_crates(45)), Vec::<String>::new());
    assert_eq!(
        sizes(&with_crates(45))[0].to_string(),
        "qws-config without features is 45 crates, of at most 45"
    );
    assert_eq!(
        faults(&with_crates(46)),
        ["qws-config without features is 46 crates, of at most 45: find out what is new with \
         `cargo tree --package qws-config`"]
    );
}

#[test]
fn tree_knows_a_shortest_way_and_every_parent() {
    let id = |name: &str| Id { name: name.into(), version: "1.0.0".into() };
    let text =
        "0 root v1.0.0\n1 a v1.0.0\n2 b v1.0.0 (proc-macro)\n3 deep v1.0.0\n1 c v1.0.0\n2 deep v1.0.0 (*)";
    let tree = Tree::parse(View::Default, text).unwrap();
    let deep = id("deep");
    assert_eq!(tree.way_to(&deep), [&id("c"), &deep]);
    assert_eq!(tree.parents(&deep).collect::<Vec<_>>(), [&id("b"), &id("c")]);
    assert_eq!(tree.crates().len(), 5);
    for bad in ["", "0 root v1.0.0\n2 a v1.0.0", "root v1.0.0", "0 root"] {
        assert!(Tree::parse(View::Default, bad).is_err(), "{bad:?}");
    }
}
