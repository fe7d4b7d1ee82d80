//! The floor: what a careful program without any SDK does, written by hand for this one service. It shares no code with
//! the client, retries nothing, and explains no failure.

mod http;
mod model;
mod results;
mod text;

use crate::measure::{self, AT_ONCE, LISTED_JOBS, Sample, Setup, TICKS, WATCHED_JOBS};
use anyhow::{Result, bail, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use http::Http;
use std::hint::black_box;

pub(crate) fn connection_string(_: &Setup) -> Result<Sample> {
    measure::texts(measure::CONNECTION_STRING, text::connection_string)
}

pub(crate) fn connection_string_by_regex(_: &Setup) -> Result<Sample> {
    let pattern = text::connection_string_pattern()?;
    measure::texts(measure::CONNECTION_STRING, |text| text::connection_string_by_regex(&pattern, text))
}

pub(crate) fn resource_id(_: &Setup) -> Result<Sample> {
    measure::texts(measure::RESOURCE_ID, text::resource_id)
}

pub(crate) fn resource_id_by_regex(_: &Setup) -> Result<Sample> {
    let pattern = text::resource_id_pattern()?;
    measure::texts(measure::RESOURCE_ID, |text| text::resource_id_by_regex(&pattern, text))
}

pub(crate) fn get_one(setup: &Setup) -> Result<Sample> {
    let http = Http::new(setup)?;
    measure::one_at_a_time(async || get(&http).await)
}

pub(crate) fn get_64(setup: &Setup) -> Result<Sample> {
    let http = Http::new(setup)?;
    measure::many_at_once(async || get(&http).await)
}

pub(crate) fn list_stream(setup: &Setup) -> Result<Sample> {
    let http = Http::new(setup)?;
    measure::once(
        async || get(&http).await,
        async || {
            let (mut next, mut seen) = (Some(http.first_page()), 0);
            while let Some(url) = next.take() {
                let page = http.page(&url).await?;
                for job in page.value {
                    black_box(job);
                    seen += 1;
                }
                next = page.next_link;
            }
            ensure!(seen == LISTED_JOBS, "{seen} jobs");
            Ok(())
        },
    )
}

pub(crate) fn list_collect(setup: &Setup) -> Result<Sample> {
    let http = Http::new(setup)?;
    measure::once(
        async || get(&http).await,
        async || {
            let (mut next, mut jobs) = (Some(http.first_page()), Vec::new());
            while let Some(url) = next.take() {
                let page = http.page(&url).await?;
                jobs.extend(page.value);
                next = page.next_link;
            }
            let jobs = black_box(jobs);
            ensure!(u32::try_from(jobs.len())? == LISTED_JOBS, "{} jobs", jobs.len());
            Ok(())
        },
    )
}

pub(crate) fn cold_start(setup: &Setup) -> Result<Sample> {
    measure::cold(async || get(&Http::new(setup)?).await)
}

pub(crate) fn upload(setup: &Setup) -> Result<Sample> {
    let http = Http::new(setup)?;
    measure::once(async || get(&http).await, async || http.upload().await)
}

pub(crate) fn download(setup: &Setup) -> Result<Sample> {
    let http = Http::new(setup)?;
    measure::once(async || get(&http).await, async || http.download().await)
}

pub(crate) fn results(_: &Setup) -> Result<Sample> {
    measure::output(|output| {
        let output = black_box(results::read(&output)?);
        let [one] = output.results.as_slice() else { bail!("{} results", output.results.len()) };
        ensure!(u32::try_from(one.shots.len())? == measure::SHOTS, "{} shots", one.shots.len());
        let outcomes = one.histogram.len();
        ensure!(u32::try_from(outcomes)? == measure::OUTCOMES, "{outcomes} outcomes");
        Ok(())
    })
}

/// Each job is asked for at each tick, 64 at once. The pauses between ticks are left out.
pub(crate) fn watch(setup: &Setup) -> Result<Sample> {
    let http = Http::new(setup)?;
    measure::counted(
        async || http.count_anew().await,
        async |()| {
            let mut open: Vec<String> = (0..WATCHED_JOBS).map(measure::listed_id).collect();
            for _ in 0..TICKS {
                let jobs = stream::iter(&open).map(|id| http.job(id)).buffer_unordered(AT_ONCE);
                open = jobs
                    .try_filter_map(async |job| Ok((!job.has_ended()).then_some(job.id)))
                    .try_collect()
                    .await?;
            }
            ensure!(open.is_empty(), "{} jobs", open.len());
            Ok(())
        },
        async || http.requests().await,
    )
}

async fn get(http: &Http) -> Result<()> {
    let job = black_box(http.job(measure::JOB_ID).await?);
    ensure!(job.id == measure::JOB_ID, "another job");
    Ok(())
}
