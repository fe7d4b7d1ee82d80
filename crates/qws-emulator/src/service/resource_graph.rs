//! Resource Graph: the queries by which clients look for workspaces.
//!
//! Of the query language this knows `where FIELD =~ 'text'` (also `==`, `!=`, `in~`, joined by `and`), `extend`,
//! `project`, `limit` and `take`. Anything else is refused, never ignored.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{management, read_body};
use crate::answer::{Answer, ServiceError};
use crate::state::Shared;

#[derive(Deserialize)]
struct Request {
    query: String,
    #[serde(default)]
    subscriptions: Vec<String>,
}

type Row = Map<String, Value>;

pub(crate) fn query(shared: &Shared, body: &[u8]) -> Result<Answer, ServiceError> {
    let request: Request = read_body(body, "BadRequest")?;
    let mut rows: Vec<Row> = shared
        .state()
        .workspaces
        .iter()
        .filter(|workspace| {
            request.subscriptions.is_empty()
                || request.subscriptions.iter().any(|id| id.eq_ignore_ascii_case(&workspace.subscription))
        })
        .filter_map(|workspace| {
            let mut resource = management::resource(shared, workspace);
            let row = resource.as_object_mut().map(std::mem::take)?;
            Some(with_columns(row, &workspace.subscription, &workspace.group))
        })
        .collect();
    run(&request.query, &mut rows).map_err(|reason| {
        ServiceError::bad_request("InvalidQuery", format!("Query is invalid: {reason}."))
    })?;
    let answer = json!({
        "totalRecords": rows.len(),
        "count": rows.len(),
        "data": rows,
        "facets": [],
        "resultTruncated": "false",
    });
    Ok(Answer::json(StatusCode::OK, &answer))
}

fn with_columns(mut row: Row, subscription: &str, group: &str) -> Row {
    // Resource Graph shows types in lower case.
    row.insert("type".to_owned(), json!("microsoft.quantum/workspaces"));
    row.insert("subscriptionId".to_owned(), json!(subscription));
    row.insert("resourceGroup".to_owned(), json!(group));
    row
}

fn run(query: &str, rows: &mut Vec<Row>) -> Result<(), String> {
    let mut stages = split(query, '|').into_iter();
    let table = stages.next().unwrap_or_default();
    if !table.eq_ignore_ascii_case("resources") {
        return Err(format!("there is no table `{table}`"));
    }
    for stage in stages {
        let (verb, rest) = stage.split_once(char::is_whitespace).unwrap_or((stage, ""));
        match verb {
            "where" => {
                for condition in conditions(rest) {
                    let condition = Condition::parse(condition)?;
                    rows.retain(|row| condition.holds(row));
                }
            }
            "extend" => {
                for assignment in split(rest, ',') {
                    let (name, value) = assignment
                        .split_once('=')
                        .ok_or_else(|| format!("`{assignment}` assigns nothing"))?;
                    for row in rows.iter_mut() {
                        let value = evaluate(value.trim(), row)?;
                        row.insert(name.trim().to_owned(), value);
                    }
                }
            }
            "project" => {
                let columns = split(rest, ',');
                for row in rows.iter_mut() {
                    let pick = |name: &&str| Ok(((*name).to_owned(), evaluate(name, row)?));
                    *row = columns.iter().map(pick).collect::<Result<Row, String>>()?;
                }
            }
            "limit" | "take" => {
                rows.truncate(rest.trim().parse().map_err(|_| format!("`{rest}` is no number of rows"))?);
            }
            other => return Err(format!("`{other}` is not supported by this emulator")),
        }
    }
    Ok(())
}

/// The parts between the separators that stand outside quotes and parentheses, trimmed.
fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut from, mut quoted, mut escaped, mut depth) = (Vec::new(), 0, false, false, 0_usize);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            _ if c == separator && !quoted && depth == 0 => {
                parts.push(text[from..at].trim());
                from = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(text[from..].trim());
    parts
}

/// The conditions joined by ` and ` outside quotes.
fn conditions(text: &str) -> Vec<&str> {
    let (mut parts, mut from, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '\'' => quoted = !quoted,
            ' ' if !quoted && text[at..].starts_with(" and ") => {
                parts.push(text[from..at].trim());
                from = at + " and ".len();
            }
            _ => {}
        }
    }
    parts.push(text[from..].trim());
    parts
}

struct Condition<'a> {
    field: &'a str,
    values: Vec<String>,
    ignore_case: bool,
    negated: bool,
}

impl<'a> Condition<'a> {
    fn parse(text: &'a str) -> Result<Self, String> {
        let unreadable = || format!("`{text}` is no condition that this emulator knows");
        let (field, rest) = text.split_once(char::is_whitespace).ok_or_else(unreadable)?;
        let (operator, rest) = rest.trim_start().split_once(char::is_whitespace).ok_or_else(unreadable)?;
        let rest = rest.trim();
        let (ignore_case, negated) = match operator {
            "=~" | "in~" => (true, false),
            "==" | "in" => (false, false),
            "!~" => (true, true),
            "!=" => (false, true),
            _ => return Err(unreadable()),
        };
        let values = match rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
            Some(list) => split(list, ','),
            None => vec![rest],
        };
        let values = values.into_iter().map(literal).collect::<Result<_, _>>()?;
        Ok(Self { field, values, ignore_case, negated })
    }

    fn holds(&self, row: &Row) -> bool {
        let found = lookup(self.field, row);
        let found = found.as_str().unwrap_or_default();
        let equal = |value: &String| {
            if self.ignore_case { value.eq_ignore_ascii_case(found) } else { value == found }
        };
        self.values.iter().any(equal) != self.negated
    }
}

/// A text in single quotes, with `\'` and `\\` in it.
fn literal(text: &str) -> Result<String, String> {
    let inner = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    let inner = inner.ok_or_else(|| format!("`{text}` is no text in single quotes"))?;
    let (mut value, mut escaped) = (String::new(), false);
    for c in inner.chars() {
        if c == '\\' && !escaped {
            escaped = true;
        } else {
            value.push(c);
            escaped = false;
        }
    }
    Ok(value)
}

/// A column, a path into one, or either within `tostring(...)`.
fn evaluate(expression: &str, row: &Row) -> Result<Value, String> {
    let inner = expression.strip_prefix("tostring(").and_then(|rest| rest.strip_suffix(')'));
    let path = inner.unwrap_or(expression).trim();
    if path.is_empty() || !path.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.') {
        return Err(format!("`{expression}` is no expression that this emulator knows"));
    }
    let value = lookup(path, row);
    Ok(match value {
        // The text of what is not there is the empty text.
        Value::Null if inner.is_some() => json!(""),
        other => other,
    })
}

fn lookup(path: &str, row: &Row) -> Value {
    let mut names = path.split('.');
    let first = names.next().and_then(|name| row.get(name));
    names.fold(first, |value, name| value?.get(name)).cloned().unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Row> {
        let row = |name: &str, group: &str, kind: Value| {
            let value = json!({
                "name": name, "resourceGroup": group, "location": "eastus", "type": "microsoft.quantum/workspaces",
                "properties": { "endpointUri": "https://x/", "workspaceKind": kind }
            });
            value.as_object().cloned().unwrap()
        };
        vec![
            row("one", "rg", json!("V1")),
            row("one", "other", json!(null)),
            row("it's|two", "rg", json!("V2")),
        ]
    }

    fn run_on_all(query: &str) -> Result<Vec<Row>, String> {
        let mut rows = rows();
        run(query, &mut rows).map(|()| rows)
    }

    #[test]
    fn the_python_clients_query_is_understood() {
        let query = "\n            Resources\n            | where type =~ 'Microsoft.Quantum/Workspaces'\n            \
             | where name =~ 'ONE'\n                | where resourceGroup =~ 'RG'\n            \
             | extend endpointUri = tostring(properties.endpointUri), workspaceKind = tostring(properties.workspaceKind)\n\
             | project name, resourceGroup, endpointUri, workspaceKind\n        ";
        let found = run_on_all(query).unwrap();
        let expected = json!({ "name": "one", "resourceGroup": "rg", "endpointUri": "https://x/", "workspaceKind": "V1" });
        assert_eq!(Value::from(found), json!([expected]));
    }

    #[test]
    fn quotes_bars_and_missing_values_are_handled() {
        let found =
            run_on_all(r"Resources | where name == 'it\'s|two' and resourceGroup in~ ('X', 'RG')").unwrap();
        assert_eq!(found.len(), 1);
        let kinds =
            run_on_all("Resources | extend k = tostring(properties.workspaceKind) | project k").unwrap();
        assert_eq!(Value::from(kinds), json!([{ "k": "V1" }, { "k": "" }, { "k": "V2" }]));
        assert_eq!(run_on_all("Resources | limit 2").unwrap().len(), 2);
    }

    #[test]
    fn what_is_not_understood_is_refused_and_not_ignored() {
        for (query, expected) in [
            ("Things", "there is no table `Things`"),
            ("Resources | summarize count()", "`summarize` is not supported by this emulator"),
            ("Resources | where name has 'x'", "`name has 'x'` is no condition that this emulator knows"),
            ("Resources | where name =~ x", "`x` is no text in single quotes"),
            ("Resources | project f(x)", "`f(x)` is no expression that this emulator knows"),
        ] {
            assert_eq!(run_on_all(query).unwrap_err(), expected);
        }
    }
}
