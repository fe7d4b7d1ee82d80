use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

/// One vector: a call of the SDK, the exchanges it must cause, and what must come of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Vector {
    /// The file's name, for messages.
    #[serde(skip)]
    pub name: String,
    /// What it shows, and where the fact comes from.
    pub about: String,
    /// How the workspace is known, where it is not by the usual connection string.
    #[serde(default)]
    pub workspace: Map<String, Value>,
    /// Which call, and its arguments.
    pub call: Map<String, Value>,
    /// Requests that must be sent, in order, and what is answered.
    pub exchanges: Vec<Exchange>,
    /// What the call must give.
    pub outcome: Value,
    /// How long the client must wait before each repetition, in seconds; not compared where it is not given.
    #[serde(default)]
    pub waits: Option<Vec<f64>>,
}

/// A request and its answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// What must be sent.
    pub request: Request,
    /// What is answered; without it the connection is lost after the request.
    pub response: Option<Response>,
}

/// A request as it must be.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The method.
    pub method: String,
    /// Scheme, host and port.
    #[serde(default = "default_origin")]
    pub origin: String,
    /// The path, encoded.
    pub path: String,
    /// The query, encoded, without `?`.
    #[serde(default)]
    pub query: String,
    /// Headers that must be there with these values. `*` stands for any value.
    #[serde(default)]
    pub headers: Map<String, Value>,
    /// Headers that must not be there.
    #[serde(default)]
    pub absent: Vec<String>,
    /// The body: JSON is compared as JSON, a text as text, `{"$hex": "fffe"}` as bytes, `{"$gzip": "text"}` as that text
    /// compressed; null means none.
    #[serde(default)]
    pub body: Value,
}

/// An answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Headers.
    #[serde(default)]
    pub headers: Map<String, Value>,
    /// The body: JSON, a text as it is, or bytes as `{"$hex": "fffe"}`.
    #[serde(default)]
    pub body: Value,
}

fn default_origin() -> String {
    "https://eastus.quantum.azure.com".into()
}

/// All vectors of a folder, by name.
///
/// # Panics
/// If the folder or a file in it cannot be read, with its name.
#[must_use]
pub fn load(folder: &Path) -> Vec<Vector> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let text =
            std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut vector: Vector =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        vector.name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        vector
    };
    paths.iter().map(read).collect()
}
