//! The floor: what a careful program without any SDK does, written by hand for this one service. It shares no code with
//! the client, retries nothing, and explains no failure.

mod http;
mod model;
mod text;

use crate::measure::{self, LISTED_JOBS, Sample, Setup};
use anyhow::{Result, ensure};
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

async fn get(http: &Http) -> Result<()> {
    let job = black_box(http.job(measure::JOB_ID).await?);
    ensure!(job.id == measure::JOB_ID, "another job");
    Ok(())
}
