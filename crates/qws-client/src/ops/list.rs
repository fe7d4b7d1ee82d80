//! Lists: a filter and an order as values, and streams of items or pages.

use std::{
    collections::HashSet,
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    marker::PhantomData,
};

use futures::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use serde::de::DeserializeOwned;

use super::filter::{Filter, Order};
use crate::{Error, ErrorKind, models::Page as WirePage, pipeline::Pipeline, request::Request};

/// How many pages of one list are read before it counts as endless.
const MAX_PAGES: usize = 100_000;

/// A list that has not been asked for yet: nothing is sent until its stream is polled, and no page is fetched before
/// an item of it is wanted.
#[must_use = "nothing is sent until the stream is polled"]
pub struct List<T> {
    pipeline: Pipeline,
    first: Request,
    resume: Option<Continuation>,
    items: PhantomData<fn() -> T>,
}

/// One page of a list.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Page<T> {
    /// Its items; a page may be empty without being the last.
    pub items: Vec<T>,
    /// Where the list goes on; `None` on the last page.
    pub continuation: Option<Continuation>,
}

/// A place in a list, to go on from later, also in another process. Opaque text of the service.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Continuation(String);

impl Continuation {
    /// Takes the text of a continuation that was kept.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text to keep.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Continuation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The service's text: its query may hold anything.
        f.write_str("Continuation(..)")
    }
}

impl<T: DeserializeOwned + Send + 'static> List<T> {
    pub(crate) fn new(pipeline: &Pipeline, first: Request) -> Self {
        Self { pipeline: pipeline.clone(), first, resume: None, items: PhantomData }
    }

    /// Only items that the filter lets through. The service looks through them, not we.
    pub fn filter(mut self, filter: &Filter) -> Self {
        self.first = self.first.query("filter", filter.to_string());
        self
    }

    /// In this order. Without it the service chooses.
    pub fn order_by(mut self, order: Order) -> Self {
        self.first = self.first.query("orderby", order.to_string());
        self
    }

    /// Leaves out this many items at the beginning.
    pub fn skip(mut self, items: u64) -> Self {
        self.first = self.first.query("skip", items.to_string());
        self
    }

    /// Asks for pages of this many items (the service may send smaller ones); the list still goes on to its end.
    /// Use `.take(n)` on the stream for the first `n` items: what comes after is not fetched.
    pub fn page_size(mut self, items: u64) -> Self {
        self.first = self.first.query("top", items.to_string());
        self
    }

    /// Goes on from a place in the same list, in place of its beginning.
    pub fn resume(mut self, from: Continuation) -> Self {
        self.resume = Some(from);
        self
    }

    /// Page by page.
    #[must_use]
    pub fn pages(self) -> BoxStream<'static, Result<Page<T>, Error>> {
        let Self { pipeline, first, resume, .. } = self;
        let start = Walk { pipeline, first: Some(first), next: resume, seen: HashSet::new() };
        stream::try_unfold(start, |mut walk| async move {
            let Some(page) = walk.step().await? else { return Ok(None) };
            Ok(Some((page, walk)))
        })
        .boxed()
    }

    /// Item by item, across pages.
    #[must_use]
    pub fn into_stream(self) -> BoxStream<'static, Result<T, Error>> {
        let items = self.pages().map_ok(|page| stream::iter(page.items.into_iter().map(Ok)));
        items.try_flatten().boxed()
    }

    /// All items in memory.
    ///
    /// # Errors
    /// The first error of any page; [`Error::continuation`] tells where to go on.
    pub async fn collect(self) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        let mut pages = self.pages();
        while let Some(page) = pages.try_next().await? {
            all.extend(page.items);
        }
        Ok(all)
    }
}

impl<T> fmt::Debug for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("List").field("operation", &self.first.operation).finish_non_exhaustive()
    }
}

/// Where we are in a list.
struct Walk {
    pipeline: Pipeline,
    /// The first request; taken when it was sent.
    first: Option<Request>,
    /// Where to go on; set after each page but the last, and at the start of a resumed list.
    next: Option<Continuation>,
    /// Links that were followed, as hashes: a list that comes back to one would never end.
    seen: HashSet<u64>,
}

impl Walk {
    async fn step<T: DeserializeOwned>(&mut self) -> Result<Option<Page<T>>, Error> {
        let Some(operation) = self.first.as_ref().map(|first| first.operation) else { return Ok(None) };
        let from = self.next.clone();
        let page: Result<WirePage<T>, Error> = match (&from, &self.first) {
            (Some(link), _) => {
                let url =
                    self.pipeline.link(link.as_str()).map_err(|error| error.with_operation(operation))?;
                self.pipeline.fetch(&Request::link(operation, url)).await
            }
            (None, Some(first)) => self.pipeline.fetch(first).await,
            (None, None) => return Ok(None),
        };
        let page = page.map_err(|error| error.with_continuation(from))?;
        let continuation = page.next_link.filter(|link| !link.is_empty()).map(Continuation);
        match &continuation {
            None => self.first = None,
            Some(link) => {
                let mut hasher = DefaultHasher::new();
                link.hash(&mut hasher);
                if !self.seen.insert(hasher.finish()) || self.seen.len() > MAX_PAGES {
                    let text = format!(
                        "the list does not end: page {} leads back to an earlier one",
                        self.seen.len()
                    );
                    return Err(Error::new(ErrorKind::MalformedAnswer, text).with_operation(operation));
                }
            }
        }
        self.next.clone_from(&continuation);
        Ok(Some(Page { items: page.value, continuation }))
    }
}
