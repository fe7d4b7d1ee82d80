//! The rules applied to the facts. Every function is pure and says each fault in one sentence.

use super::facts::{Dependency, Facts, Id, Member, Tree, View};
use super::rules::{
    BANS, BESIDE, BUDGETS, Ban, Budget, CONFIG_REQUIRES, EMULATOR, FEATURE_BANS, LAYERS, LIBRARIES, LICENCES,
};
use cargo_metadata::DependencyKind;
use spdx::{Expression, ParseMode};
use std::{collections::BTreeSet, fmt};

/// All faults, in the order of the rules.
pub(super) fn faults(facts: &Facts) -> Vec<String> {
    let mut faults = directions(&facts.members);
    faults.extend(required_by_config(&facts.members));
    faults.extend(BANS.iter().flat_map(|ban| banned_crates(ban, facts)));
    faults.extend(banned_features(facts));
    faults.extend(licences(facts));
    faults.extend(rust_versions(facts));
    faults.extend(budgets(facts));
    faults
}

/// Members use only the members below them, and the emulator only in tests.
fn directions(members: &[Member]) -> Vec<String> {
    let mut faults = Vec::new();
    for member in members {
        let Some((may_use, why)) = place(&member.name) else {
            faults.push(format!(
                "{} has no place among the layers: give it one in xtask/src/layers/rules.rs and in ARCHITECTURE.md",
                member.name
            ));
            continue;
        };
        let is_layer = LAYERS.contains(&member.name.as_str());
        for dependency in &member.dependencies {
            let name = dependency.name.as_str();
            // A crate may name itself, to turn on a feature of its own for its tests.
            if name == member.name || !members.iter().any(|m| m.name == name) || may_use.contains(&name) {
                continue;
            }
            let in_tests = dependency.kind == DependencyKind::Development;
            if name != EMULATOR || !is_layer {
                faults.push(format!("{} must not {} {name}: {why}", member.name, verb(dependency)));
            } else if !in_tests {
                faults.push(format!(
                    "{} may use {EMULATOR} as a dev-dependency only: it is for tests",
                    member.name
                ));
            } else if dependency.has_version {
                faults.push(format!(
                    "{} must name {EMULATOR} by path only: with a version it could not be published first",
                    member.name
                ));
            }
        }
    }
    faults
}

/// The members that this one may use, and why no other.
fn place(name: &str) -> Option<(&'static [&'static str], String)> {
    let directions = "(see ARCHITECTURE.md, Directions)";
    if let Some(rank) = LAYERS.iter().position(|layer| *layer == name) {
        let order: Vec<_> = LAYERS.iter().rev().copied().collect();
        return Some((
            &LAYERS[..rank],
            format!("layers use what is below them, {} {directions}", order.join(" -> ")),
        ));
    }
    let beside = BESIDE.iter().find(|beside| beside.name == name)?;
    Some((beside.may_use, format!("{} {directions}", beside.why)))
}

fn verb(dependency: &Dependency) -> &'static str {
    match dependency.kind {
        DependencyKind::Development => "dev-depend on",
        DependencyKind::Build => "build-depend on",
        _ => "depend on",
    }
}

fn required_by_config(members: &[Member]) -> Vec<String> {
    let config = members.iter().filter(|member| member.name == LAYERS[0]);
    let required = config.flat_map(|member| &member.dependencies).filter(|dependency| {
        dependency.kind != DependencyKind::Development
            && !dependency.optional
            && !CONFIG_REQUIRES.contains(&dependency.name.as_str())
    });
    let (config, allowed) = (LAYERS[0], CONFIG_REQUIRES.join(", "));
    required
        .map(|d| format!("{config} must not require {}: it requires {allowed} and nothing else", d.name))
        .collect()
}

/// The trees of these members in one view, in the order of the names.
fn trees<'a>(facts: &'a Facts, names: &'a [&str], view: View) -> impl Iterator<Item = &'a Tree> {
    names.iter().filter_map(move |name| facts.trees.iter().find(|t| t.root == **name && t.view == view))
}

/// Each banned crate is told once, at the lowest library, and not again for what only it pulls in.
fn banned_crates(ban: &Ban, facts: &Facts) -> Vec<String> {
    let mut told = BTreeSet::new();
    let mut faults = Vec::new();
    for tree in trees(facts, ban.within, ban.view) {
        for id in tree.crates().filter(|id| ban.crates.contains(&id.name.as_str())) {
            let culprits =
                tree.parents(id).filter(|parent| !ban.except_under.contains(&parent.name.as_str()));
            let Some(way) = culprits.map(|parent| tree.way_to(parent)).min_by_key(Vec::len) else {
                continue;
            };
            if !way.iter().any(|id| is_banned(tree, id)) && told.insert(&id.name) {
                faults.push(format!(
                    "{} must not depend on {}{}: {}",
                    tree.root,
                    id.name,
                    through(&way),
                    ban.why
                ));
            }
        }
    }
    faults
}

/// Whether nobody may depend on this crate in this tree; a ban on more features covers fewer.
fn is_banned(tree: &Tree, id: &Id) -> bool {
    let covers = |ban: &Ban| ban.within.contains(&tree.root.as_str()) && ban.view >= tree.view;
    BANS.iter()
        .any(|ban| covers(ban) && ban.except_under.is_empty() && ban.crates.contains(&id.name.as_str()))
}

fn through(way: &[&Id]) -> String {
    let names: Vec<_> = way.iter().map(|id| id.name.as_str()).collect();
    if names.is_empty() { String::new() } else { format!(" (through {})", names.join(", ")) }
}

fn indirectly(tree: &Tree, id: &Id) -> String {
    tree.way_to(id).split_last().map_or_else(String::new, |(_, way)| through(way))
}

fn banned_features(facts: &Facts) -> Vec<String> {
    let mut faults = Vec::new();
    for ban in FEATURE_BANS {
        for (id, described) in facts.crates.iter().filter(|(id, _)| id.name == ban.name) {
            for feature in
                described.features.iter().filter(|feature| ban.features.contains(&feature.as_str()))
            {
                faults.push(format!("feature `{feature}` of {id} must be off everywhere: {}", ban.why));
            }
        }
    }
    faults
}

/// Every crate under these members, once, with the first member that pulls it in.
fn crates_under<'a>(facts: &'a Facts, names: &'a [&'a str]) -> impl Iterator<Item = (&'a Tree, &'a Id)> {
    let mut seen = BTreeSet::new();
    let all = trees(facts, names, View::Everything).flat_map(|tree| tree.crates().map(move |id| (tree, id)));
    all.filter(move |(tree, id)| id.name != tree.root && seen.insert(*id))
}

fn licences(facts: &Facts) -> Vec<String> {
    let published: Vec<_> = LAYERS.iter().copied().chain([EMULATOR]).collect();
    let fault = |(tree, id): (&Tree, &Id)| {
        let licence = facts.crates.get(id).and_then(|described| described.licence.as_deref());
        let why = licence.map_or_else(|| Some("it states no licence".to_owned()), refused)?;
        Some(format!("{} must not depend on {id}{}: {why}", tree.root, indirectly(tree, id)))
    };
    crates_under(facts, &published).filter_map(fault).collect()
}

/// Reads an SPDX expression, also the old form with `/`, and says why no choice in it is allowed, if so.
fn refused(licence: &str) -> Option<String> {
    match Expression::parse_mode(licence, ParseMode::LAX) {
        Err(error) => Some(format!("its licence `{licence}` is no SPDX expression: {}", error.reason)),
        Ok(expression) if expression.evaluate(|choice| LICENCES.contains(&choice.to_string().as_str())) => {
            None
        }
        Ok(_) => Some(format!("its licence `{licence}` is not on the list in xtask/src/layers/rules.rs")),
    }
}

/// Users build the libraries with the oldest Rust that these declare.
fn rust_versions(facts: &Facts) -> Vec<String> {
    let declared = |name: &str| facts.members.iter().find(|m| m.name == name)?.rust_version.as_ref();
    let silent =
        facts.members.iter().filter(|m| LIBRARIES.contains(&m.name.as_str()) && m.rust_version.is_none());
    let mut faults: Vec<_> =
        silent.map(|member| format!("{} must declare a rust-version", member.name)).collect();
    for (tree, id) in crates_under(facts, LIBRARIES) {
        let theirs = facts.crates.get(id).and_then(|described| described.rust_version.as_ref());
        if let (Some(ours), Some(theirs)) = (declared(&tree.root), theirs)
            && theirs > ours
        {
            let way = indirectly(tree, id);
            let why = format!("it declares rust-version {theirs}, above our {ours}");
            faults.push(format!("{} must not depend on {id}{way}: {why}", tree.root));
        }
    }
    faults
}

fn budgets(facts: &Facts) -> Vec<String> {
    let over = sizes(facts).into_iter().filter(|size| size.crates > size.most);
    over.map(|size| format!("{size}: find out what is new with `cargo tree --package {}`", size.name))
        .collect()
}

/// How many crates a tree holds, and how many it may.
pub(super) struct Size {
    name: &'static str,
    view: View,
    crates: usize,
    most: usize,
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, view, crates, most } = self;
        write!(f, "{name} {view} is {crates} crates, of at most {most}")
    }
}

/// The sizes that have a budget.
pub(super) fn sizes(facts: &Facts) -> Vec<Size> {
    let size = |Budget { name, view, most }: &Budget| {
        let tree = facts.trees.iter().find(|tree| tree.root == *name && tree.view == *view)?;
        Some(Size { name, view: *view, crates: tree.crates().len(), most: *most })
    };
    BUDGETS.iter().filter_map(size).collect()
}
