//! `cargo xtask ci`: what CI runs, step by step; the first failure ends it.

use crate::{layers, test, workspace::Workspace};
use cargo_metadata::{Package, Target};
use std::{process::ExitCode, time::Instant};

/// Crates whose features must each compile alone: users depend on them for one part.
const EACH_FEATURE_ALONE: &[&str] = &["qws-config", "qws-auth"];

/// Runs every step; the summary of the tests, which are the last step, is the last line.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(arguments.is_empty(), "`cargo xtask ci` takes no arguments");
    let metadata = workspace.metadata()?;
    let start = Instant::now();
    let fuzz = workspace.root.join("fuzz").is_dir();
    for step in steps(&Library::find(&metadata.workspace_packages()), fuzz) {
        let passed = timed(&step.name, || {
            let mut command = workspace.cargo();
            command.args(&step.cargo).envs(step.environment.iter().copied());
            Ok(command.status()?.success())
        })?;
        if !passed {
            eprintln!("ci: {} failed; to see it again: {}", step.name, step.shown());
            return Ok(ExitCode::FAILURE);
        }
    }
    if !timed("layers", || layers::hold(workspace))? {
        eprintln!("ci: layers failed; to see it again: cargo xtask layers");
        return Ok(ExitCode::FAILURE);
    }
    let mut summary = test::Summary::default();
    let passed = timed("test", || {
        summary = test::tests(workspace, &[])?;
        Ok(summary.is_success())
    })?;
    eprintln!("ci: {} s in all", start.elapsed().as_secs());
    if !passed {
        eprintln!("ci: test failed; to see it again: cargo xtask test");
    }
    test::conclude(&summary)
}

fn timed(name: &str, step: impl FnOnce() -> anyhow::Result<bool>) -> anyhow::Result<bool> {
    eprintln!("ci: {name}");
    let start = Instant::now();
    let passed = step()?;
    eprintln!("ci: {name} took {:.1} s", start.elapsed().as_secs_f64());
    Ok(passed)
}

/// A step that is one call of cargo.
struct Step {
    name: String,
    cargo: Vec<String>,
    environment: &'static [(&'static str, &'static str)],
}

impl Step {
    fn new(name: impl Into<String>, cargo: &str) -> Self {
        let cargo = cargo.split(' ').map(str::to_owned).collect();
        Self { name: name.into(), cargo, environment: &[] }
    }

    /// The step as a developer types it.
    fn shown(&self) -> String {
        let environment = self.environment.iter().map(|(name, value)| format!("{name}='{value}'"));
        let words = environment.chain(["cargo".to_owned()]).chain(self.cargo.iter().cloned());
        words.collect::<Vec<_>>().join(" ")
    }
}

/// A published library of the workspace and the features it offers.
struct Library {
    name: String,
    features: Vec<String>,
}

impl Library {
    fn find(members: &[&Package]) -> Vec<Self> {
        let is_library = |m: &&&Package| m.publish.is_none() && m.targets.iter().any(Target::is_lib);
        let library = |m: &&Package| Self {
            name: m.name.to_string(),
            features: m.features.keys().filter(|feature| *feature != "default").cloned().collect(),
        };
        members.iter().filter(is_library).map(library).collect()
    }
}

/// The steps before `layers` and `test`; the fuzz targets, if there are any, are a workspace of their own.
fn steps(libraries: &[Library], fuzz: bool) -> Vec<Step> {
    let mut steps = vec![Step::new("fmt", "fmt --all --check")];
    if fuzz {
        steps.push(Step::new("fmt of fuzz", "fmt --manifest-path fuzz/Cargo.toml --check"));
    }
    let clippy = "clippy --workspace --all-targets --all-features --locked -- -D warnings";
    steps.push(Step::new("clippy", clippy));
    for Library { name, features } in libraries {
        // Clippy checks as `cargo check` does, and warns of what only this choice of features leaves unused.
        let check = format!("clippy --package {name} --no-default-features --locked");
        steps.push(Step::new(format!("check {name} without features"), &format!("{check} -- -D warnings")));
        for feature in features.iter().filter(|_| EACH_FEATURE_ALONE.contains(&name.as_str())) {
            let cargo = format!("{check} --features {feature} -- -D warnings");
            steps.push(Step::new(format!("check {name} with {feature} alone"), &cargo));
        }
    }
    // Private items first, so that the pages left in `target/doc` are those of the public interface.
    let doc = "doc --workspace --no-deps --all-features --locked";
    let private = format!("{doc} --document-private-items");
    for (name, cargo) in [("doc of private items", &*private), ("doc", doc)] {
        steps.push(Step { environment: &[("RUSTDOCFLAGS", "-D warnings")], ..Step::new(name, cargo) });
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown() -> Vec<String> {
        let library =
            |name: &str| Library { name: name.into(), features: vec!["mock".into(), "serde".into()] };
        steps(&[library("qws-config"), library("qws-http")], true).iter().map(Step::shown).collect()
    }

    #[test]
    fn each_library_is_checked_without_features_and_some_with_each_alone() {
        let checks: Vec<_> =
            shown().into_iter().filter(|step| step.contains("--no-default-features")).collect();
        assert_eq!(
            checks,
            [
                "cargo clippy --package qws-config --no-default-features --locked -- -D warnings",
                "cargo clippy --package qws-config --no-default-features --locked --features mock -- -D warnings",
                "cargo clippy --package qws-config --no-default-features --locked --features serde -- -D warnings",
                "cargo clippy --package qws-http --no-default-features --locked -- -D warnings",
            ]
        );
    }

    #[test]
    fn no_step_may_change_the_lock_file_or_pass_with_warnings() {
        for step in shown().iter().filter(|step| !step.starts_with("cargo fmt")) {
            assert!(step.contains("--locked") && step.contains("-D warnings"), "{step}");
        }
    }
}
