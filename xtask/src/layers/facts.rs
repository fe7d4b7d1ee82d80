//! What cargo says of the workspace, reduced to what the rules ask.

use crate::workspace::Workspace;
use anyhow::{Context as _, ensure};
use cargo_metadata::{
    DependencyKind, Metadata, Package,
    semver::{Version, VersionReq},
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

/// Everything the rules look at.
#[derive(Default)]
pub(super) struct Facts {
    /// The members of the workspace with the dependencies they declare.
    pub(super) members: Vec<Member>,
    /// Every crate that some member may use, on any platform.
    pub(super) crates: BTreeMap<Id, Crate>,
    /// What each published member pulls in.
    pub(super) trees: Vec<Tree>,
}

pub(super) struct Member {
    pub(super) name: String,
    pub(super) published: bool,
    pub(super) rust_version: Option<Version>,
    pub(super) dependencies: Vec<Dependency>,
}

/// A dependency as a manifest declares it, for whatever platform and feature.
pub(super) struct Dependency {
    pub(super) name: String,
    pub(super) kind: DependencyKind,
    pub(super) optional: bool,
    pub(super) has_version: bool,
}

#[derive(Default)]
pub(super) struct Crate {
    pub(super) licence: Option<String>,
    pub(super) rust_version: Option<Version>,
    /// The features that are on when every member is built with all of its own.
    pub(super) features: Vec<String>,
}

/// Name and version of a crate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id {
    pub(super) name: String,
    pub(super) version: String,
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

/// Which part of a tree is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum View {
    /// No feature, on Linux.
    Required,
    /// Default features, on Linux.
    Default,
    /// All features, on every platform.
    Everything,
}

impl View {
    const ALL: [Self; 3] = [Self::Required, Self::Default, Self::Everything];

    fn arguments(self) -> &'static [&'static str] {
        const LINUX: &str = "x86_64-unknown-linux-gnu";
        match self {
            Self::Required => &["--no-default-features", "--target", LINUX],
            Self::Default => &["--target", LINUX],
            Self::Everything => &["--all-features", "--target", "all"],
        }
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Required => "without features",
            Self::Default => "with default features",
            Self::Everything => "with all features",
        })
    }
}

/// The normal and build dependencies of one member, direct and indirect. Dev-dependencies are not in it.
pub(super) struct Tree {
    pub(super) root: String,
    pub(super) view: View,
    /// Each crate with those that depend on it directly. The root has none.
    parents: BTreeMap<Id, BTreeSet<Id>>,
    /// Each crate with the one before it on a shortest way from the root.
    before: BTreeMap<Id, Option<Id>>,
}

impl Tree {
    /// Reads lines of `DEPTH NAME vVERSION ...`, as `cargo tree` prints them.
    pub(super) fn parse(view: View, text: &str) -> anyhow::Result<Self> {
        let mut children: BTreeMap<Id, BTreeSet<Id>> = BTreeMap::new();
        let mut parents: BTreeMap<Id, BTreeSet<Id>> = BTreeMap::new();
        let mut way: Vec<Id> = Vec::new();
        for line in text.lines() {
            let mut words = line.split_whitespace();
            let mut word = || words.next().with_context(|| format!("cargo tree printed `{line}`"));
            let depth: usize = word()?.parse()?;
            let id = Id { name: word()?.to_owned(), version: word()?.trim_start_matches('v').to_owned() };
            ensure!(depth <= way.len(), "cargo tree skipped a level before `{line}`");
            way.truncate(depth);
            let above = parents.entry(id.clone()).or_default();
            if let Some(parent) = way.last() {
                above.insert(parent.clone());
                children.entry(parent.clone()).or_default().insert(id.clone());
            }
            way.push(id);
        }
        let root = way.into_iter().next().context("cargo tree printed nothing")?;
        let name = root.name.clone();
        let mut before = BTreeMap::from([(root.clone(), None)]);
        let mut queue = VecDeque::from([root]);
        while let Some(id) = queue.pop_front() {
            for child in children.get(&id).into_iter().flatten() {
                if !before.contains_key(child) {
                    before.insert(child.clone(), Some(id.clone()));
                    queue.push_back(child.clone());
                }
            }
        }
        Ok(Self { root: name, view, parents, before })
    }

    /// Every crate of the tree, the root included.
    pub(super) fn crates(&self) -> impl ExactSizeIterator<Item = &Id> {
        self.parents.keys()
    }

    /// The crates that depend on this one directly.
    pub(super) fn parents(&self, id: &Id) -> impl Iterator<Item = &Id> {
        self.parents.get(id).into_iter().flatten()
    }

    /// A shortest way from the root to this crate, without the root and with the crate itself.
    pub(super) fn way_to<'a>(&'a self, id: &'a Id) -> Vec<&'a Id> {
        let step = |id: &&'a Id| self.before.get(*id).and_then(Option::as_ref);
        let mut way: Vec<_> = std::iter::successors(Some(id), step).collect();
        way.pop();
        way.reverse();
        way
    }
}

impl Facts {
    /// Asks cargo.
    pub(super) fn gather(workspace: &Workspace) -> anyhow::Result<Self> {
        let metadata = workspace.metadata()?;
        let members: Vec<_> = metadata.workspace_packages().into_iter().map(member).collect();
        let mut trees = Vec::new();
        for member in members.iter().filter(|member| member.published) {
            for view in View::ALL {
                trees.push(tree(workspace, &member.name, view)?);
            }
        }
        Ok(Self { members, crates: crates(&metadata), trees })
    }
}

/// `cargo tree` and not the resolved graph of `cargo metadata`: that one unites the features of all members.
fn tree(workspace: &Workspace, root: &str, view: View) -> anyhow::Result<Tree> {
    let mut command = workspace.cargo();
    command.args(["tree", "--locked", "--package", root, "--edges", "normal,build"]);
    command.args(["--prefix", "depth", "--format", " {p}"]).args(view.arguments());
    let output = command.output()?;
    ensure!(output.status.success(), "cargo tree failed: {}", String::from_utf8_lossy(&output.stderr));
    Tree::parse(view, &String::from_utf8(output.stdout)?)
}

fn member(package: &Package) -> Member {
    let dependencies = package.dependencies.iter().map(|dependency| Dependency {
        name: dependency.name.clone(),
        kind: dependency.kind,
        optional: dependency.optional,
        has_version: dependency.req != VersionReq::STAR,
    });
    Member {
        name: package.name.to_string(),
        published: package.publish.is_none(),
        rust_version: package.rust_version.clone(),
        dependencies: dependencies.collect(),
    }
}

fn crates(metadata: &Metadata) -> BTreeMap<Id, Crate> {
    let nodes = metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
    let features: BTreeMap<_, _> = nodes.map(|node| (&node.id, &node.features)).collect();
    let described = metadata.packages.iter().map(|package| {
        let id = Id { name: package.name.to_string(), version: package.version.to_string() };
        let features = features.get(&package.id).into_iter().copied().flatten().map(ToString::to_string);
        let described = Crate {
            licence: package.license.clone(),
            rust_version: package.rust_version.clone(),
            features: features.collect(),
        };
        (id, described)
    });
    described.collect()
}
