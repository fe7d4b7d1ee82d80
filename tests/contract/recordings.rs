//! The table `RECORDINGS.md` is true: what it names is there, and every vector has its place in it.

use std::{collections::BTreeSet, fs, path::Path};

const TABLE: &str = include_str!("../RECORDINGS.md");

/// How many exchanges were recorded.
const RECORDED: usize = 258;

/// The cells of every row: recording, places, difference.
fn rows() -> Vec<(&'static str, Vec<&'static str>, &'static str)> {
    let lines = TABLE.lines().filter(|line| line.starts_with("| "));
    let lines = lines.filter(|line| !line.starts_with("| recording ") && !line.starts_with("| --- "));
    let row = |line: &'static str| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [name, places, difference] = cells[..] else { panic!("a row has three cells: {line}") };
        (name, quoted(places), difference)
    };
    lines.map(row).collect()
}

/// The words between backquotes.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

fn stem(path: &Path) -> Option<String> {
    let json = path.extension().is_some_and(|extension| extension == "json");
    json.then(|| path.file_stem().unwrap_or_default().to_string_lossy().into_owned())
}

/// Whether a place that the table names is there.
fn exists(tests: &Path, vectors: &BTreeSet<String>, place: &str) -> bool {
    if let Some((file, function)) = place.split_once("::") {
        let source = fs::read_to_string(tests.join("contract").join(file)).unwrap_or_default();
        return source.contains(&format!("async fn {function}("));
    }
    match place.strip_prefix("qws-config/") {
        Some(table) => tests.join("../crates/qws-config/tests/vectors").join(table).is_file(),
        None => vectors.contains(place),
    }
}

#[test]
fn the_table_of_recordings_names_what_is_there_and_leaves_no_vector_out() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = fs::read_dir(tests.join("vectors")).unwrap();
    let vectors: BTreeSet<String> = folder.filter_map(|entry| stem(&entry.unwrap().path())).collect();
    let rows = rows();
    let mut faults = Vec::new();
    let names: BTreeSet<&str> = rows.iter().map(|(name, ..)| *name).collect();
    if (names.len(), rows.len()) != (RECORDED, RECORDED) {
        faults.push(format!("{} rows, {} of them different, not {RECORDED}", rows.len(), names.len()));
    }
    let (_, own) = TABLE.split_once("## Vectors of our own").unwrap();
    let own: BTreeSet<&str> = quoted(own).into_iter().collect();
    let mut placed: BTreeSet<&str> = own.clone();
    for (name, places, difference) in &rows {
        if places.is_empty() && difference.is_empty() {
            faults.push(format!("{name} is nowhere, and no word says why"));
        }
        for place in places.iter().filter(|place| !exists(tests, &vectors, place)) {
            faults.push(format!("{name}: there is no `{place}`"));
        }
        faults.extend(
            places.iter().filter(|place| own.contains(*place)).map(|place| {
                format!("`{place}` holds {name}, so it does not belong to the vectors of our own")
            }),
        );
        placed.extend(places);
    }
    faults.extend(
        own.iter().filter(|name| !vectors.contains(**name)).map(|name| format!("no vector `{name}`")),
    );
    let lost = vectors.iter().filter(|name| !placed.contains(name.as_str()));
    faults.extend(lost.map(|name| format!("vector `{name}` stands nowhere in RECORDINGS.md")));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
