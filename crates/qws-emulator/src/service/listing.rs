//! Lists: filter, order, and one page with a link to the next.

use http::StatusCode;
use serde::Serialize;
use url::form_urlencoded;

use crate::answer::{Answer, ServiceError};
use crate::filter::{Filter, Property, Row};
use crate::incoming::Incoming;
use crate::state::Shared;
use crate::wire::Page;

/// Entries of a page, unless the client asks for fewer.
const PAGE: usize = 100;

/// The query of a list: `filter, skip, top, orderby`.
pub(crate) struct ListQuery {
    filter: Option<(String, Filter)>,
    order: Option<(String, Property, bool)>,
    skip: usize,
    top: Option<usize>,
    version: Option<String>,
}

impl ListQuery {
    pub(crate) fn parse(query: &str) -> Result<Self, ServiceError> {
        let invalid = |message: String| ServiceError::bad_request("InvalidQueryParameter", message);
        let mut parsed = Self { filter: None, order: None, skip: 0, top: None, version: None };
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            let number = || {
                value
                    .parse::<usize>()
                    .map_err(|_| invalid(format!("`{key}` is a whole number, not `{value}`.")))
            };
            match &*key {
                "filter" if !value.is_empty() => {
                    let filter = Filter::parse(&value).map_err(|error| invalid(format!("{error}.")))?;
                    parsed.filter = Some((value.into_owned(), filter));
                }
                "orderby" if !value.is_empty() => {
                    let mut words = value.split_whitespace();
                    let property = words.next().and_then(Property::parse);
                    let descending = match (words.next(), words.next()) {
                        (None | Some("asc"), None) => Some(false),
                        (Some("desc"), None) => Some(true),
                        _ => None,
                    };
                    let (Some(property), Some(descending)) = (property, descending) else {
                        return Err(invalid(format!(
                            "`orderby` is `PROPERTY asc` or `PROPERTY desc`, not `{value}`."
                        )));
                    };
                    parsed.order = Some((value.into_owned(), property, descending));
                }
                "skip" => parsed.skip = number()?,
                "top" => parsed.top = Some(number()?),
                "api-version" => parsed.version = Some(value.into_owned()),
                _ => {}
            }
        }
        Ok(parsed)
    }

    /// The entries of this page, and whether there are more.
    fn select<'a, T>(&self, entries: Vec<(Row<'a>, T)>) -> (Vec<T>, bool) {
        let mut chosen: Vec<(Row<'a>, T)> = match &self.filter {
            Some((_, filter)) => entries.into_iter().filter(|(row, _)| filter.matches(row)).collect(),
            None => entries,
        };
        if let Some((_, property, descending)) = &self.order {
            // The sort is stable, so equal entries keep the order of their creation.
            chosen.sort_by(|(left, _), (right, _)| {
                let ordering = left.compare(right, *property);
                if *descending { ordering.reverse() } else { ordering }
            });
        }
        let size = self.page_size();
        let more = chosen.len() > self.skip.saturating_add(size);
        (chosen.into_iter().skip(self.skip).take(size).map(|(_, entry)| entry).collect(), more)
    }

    fn page_size(&self) -> usize {
        self.top.unwrap_or(PAGE).min(PAGE)
    }

    /// The query of the next page, with its parameters in the order in which the service writes them.
    fn next(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Some((filter, _)) = &self.filter {
            query.append_pair("filter", filter);
        }
        if let Some((order, ..)) = &self.order {
            query.append_pair("orderby", order);
        }
        query.append_pair("top", &self.page_size().to_string());
        query.append_pair("skip", &self.skip.saturating_add(self.page_size()).to_string());
        if let Some(version) = &self.version {
            query.append_pair("api-version", version);
        }
        // The service writes spaces as %20, which every client reads alike.
        query.finish().replace('+', "%20")
    }
}

/// Answers one page of the entries, which come in the order of their creation.
pub(crate) fn page<T, W: Serialize>(
    shared: &Shared,
    request: &Incoming,
    entries: Vec<(Row<'_>, T)>,
    render: impl Fn(T) -> W,
) -> Result<Answer, ServiceError> {
    let query = ListQuery::parse(&request.query)?;
    let (chosen, more) = query.select(entries);
    // A page of nothing would be followed by itself for ever.
    let next_link = (more && query.page_size() > 0)
        .then(|| format!("{}{}?{}", shared.addresses.service, request.path, query.next()));
    let value: Vec<W> = chosen.into_iter().map(render).collect();
    Ok(Answer::json(StatusCode::OK, &Page { value, next_link }))
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;

    fn rows(names: &[&'static str]) -> Vec<(Row<'static>, &'static str)> {
        let row = |name| Row {
            name,
            item_type: "Job",
            job_type: "QuantumComputing",
            provider_id: "ionq",
            target: "ionq.simulator",
            state: "Waiting",
            created: OffsetDateTime::UNIX_EPOCH,
        };
        names.iter().map(|name| (row(*name), *name)).collect()
    }

    #[test]
    fn pages_follow_each_other_with_the_same_filter_and_order() {
        let query = ListQuery::parse(
            "api-version=v&filter=startswith%28Name%2C%20%27a%27%29&skip=0&top=2&orderby=Name%20desc",
        )
        .unwrap();
        let (chosen, more) = query.select(rows(&["a1", "b", "a3", "a2"]));
        assert_eq!((chosen, more), (vec!["a3", "a2"], true));
        assert_eq!(
            query.next(),
            "filter=startswith%28Name%2C%20%27a%27%29&orderby=Name%20desc&top=2&skip=2&api-version=v"
        );
        let last = ListQuery::parse(&query.next()).unwrap();
        assert_eq!(last.select(rows(&["a1", "b", "a3", "a2"])), (vec!["a1"], false));
    }

    #[test]
    fn a_bad_parameter_is_named() {
        let message = |query| ListQuery::parse(query).err().unwrap().message;
        assert_eq!(message("top=x"), "`top` is a whole number, not `x`.");
        assert_eq!(message("orderby=Size"), "`orderby` is `PROPERTY asc` or `PROPERTY desc`, not `Size`.");
        assert_eq!(
            message("orderby=Name%20up"),
            "`orderby` is `PROPERTY asc` or `PROPERTY desc`, not `Name up`."
        );
    }
}
