//! What a measured process does: warm up, work, and tell what the work took.

use anyhow::Result;
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};
use std::hint::black_box;
use std::time::Instant;

/// What a measured process is told, as JSON on its standard input.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Setup {
    /// `https://127.0.0.1:PORT/`.
    pub(crate) endpoint: String,
    /// The certificate of the server.
    pub(crate) root_pem: String,
}

/// What a measured process tells, as one line of JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// How many units of work were done between start and stop.
    pub(crate) units: u32,
    /// CPU time of all threads of the process, user and kernel, for all units.
    pub(crate) cpu_ns: u64,
    /// Wall time for all units.
    pub(crate) wall_ns: u64,
    /// Most memory resident at once since the process began.
    pub(crate) peak_bytes: u64,
    /// How many requests the server saw; 0 where nobody counted.
    pub(crate) requests: u32,
}

/// Jobs in the list, and how many of them a page has.
pub(crate) const LISTED_JOBS: u32 = 100_000;
pub(crate) const PAGE_JOBS: u32 = 100;
/// The size of the blob that is uploaded and downloaded.
pub(crate) const BLOB_BYTES: u32 = 256 << 20;
/// Jobs that are watched, and how often each is asked for until it has ended.
pub(crate) const WATCHED_JOBS: u32 = 1_000;
pub(crate) const TICKS: u32 = 10;
/// Shots of the results that are read, their qubits, and how many outcomes they have.
pub(crate) const SHOTS: u32 = 1_000_000;
pub(crate) const OUTCOMES: u32 = 1 << 16;
const QUBITS: u32 = 20;
/// The job that is fetched.
pub(crate) const JOB_ID: &str = "00000000-0000-0000-0000-000000000001";

/// The job whose output is the blob that is downloaded.
pub(crate) const WITH_OUTPUT: &str = "00000000-0000-0000-0000-000000000002";

/// Not a key.
pub(crate) const API_KEY: &str = "bm90IGEga2V5LCBqdXN0IGFzIGxvbmcgYXMgb25lLi4u";
pub(crate) const CONNECTION_STRING: &str = "SubscriptionId=11111111-2222-3333-4444-555555555555;ResourceGroupName=contoso-rg;WorkspaceName=ws;ApiKey=bm90IGEga2V5LCBqdXN0IGFzIGxvbmcgYXMgb25lLi4u;QuantumEndpoint=https://eastus.quantum.azure.com/;";
pub(crate) const RESOURCE_ID: &str = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/contoso-rg/providers/Microsoft.Quantum/Workspaces/ws";

/// The connection string with another endpoint.
pub(crate) fn connection_string_to(endpoint: &str) -> String {
    CONNECTION_STRING.replace("https://eastus.quantum.azure.com/", endpoint)
}

/// The id of a job by its number in the list.
pub(crate) fn listed_id(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

const TEXTS: u32 = 400_000;
const CALLS: u32 = 4_000;
const CALLS_AT_ONCE: u32 = 16_000;
pub(crate) const AT_ONCE: usize = 64;

struct Stopwatch {
    cpu_ns: u64,
    wall: Instant,
}

impl Stopwatch {
    fn start() -> Result<Self> {
        Ok(Self { cpu_ns: usage::cpu_ns()?, wall: Instant::now() })
    }

    fn stop(self, units: u32) -> Result<Sample> {
        let wall_ns = u64::try_from(self.wall.elapsed().as_nanos())?;
        let cpu_ns = usage::cpu_ns()? - self.cpu_ns;
        Ok(Sample { units, cpu_ns, wall_ns, peak_bytes: usage::peak_bytes()?, requests: 0 })
    }
}

/// Reads the same text many times.
pub(crate) fn texts<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Result<Sample> {
    let once =
        || read(black_box(text)).map(black_box).map(drop).ok_or(anyhow::anyhow!("the text is refused"));
    for _ in 0..TEXTS / 10 {
        once()?;
    }
    let watch = Stopwatch::start()?;
    for _ in 0..TEXTS {
        once()?;
    }
    watch.stop(TEXTS)
}

/// Makes the same call many times, one after the other.
pub(crate) fn one_at_a_time(call: impl AsyncFn() -> Result<()>) -> Result<Sample> {
    on_runtime(async {
        for _ in 0..CALLS / 10 {
            call().await?;
        }
        let watch = Stopwatch::start()?;
        for _ in 0..CALLS {
            call().await?;
        }
        watch.stop(CALLS)
    })
}

/// Makes the same call many times, 64 of them under way at any moment.
pub(crate) fn many_at_once(call: impl AsyncFn() -> Result<()>) -> Result<Sample> {
    let all = |calls| stream::iter(0..calls).map(|_| call()).buffer_unordered(AT_ONCE).try_collect::<()>();
    on_runtime(async {
        all(CALLS_AT_ONCE / 10).await?;
        let watch = Stopwatch::start()?;
        all(CALLS_AT_ONCE).await?;
        watch.stop(CALLS_AT_ONCE)
    })
}

/// Does something large once, over a connection that a call before it has opened.
pub(crate) fn once(call: impl AsyncFn() -> Result<()>, work: impl AsyncFn() -> Result<()>) -> Result<Sample> {
    on_runtime(async {
        call().await?;
        let watch = Stopwatch::start()?;
        work().await?;
        watch.stop(1)
    })
}

/// Does something once with what was made ready for it, and asks how many requests it took.
pub(crate) fn counted<T>(
    prepare: impl AsyncFnOnce() -> Result<T>,
    work: impl AsyncFnOnce(T) -> Result<()>,
    requests: impl AsyncFnOnce() -> Result<u32>,
) -> Result<Sample> {
    on_runtime(async {
        let ready = prepare().await?;
        let watch = Stopwatch::start()?;
        work(ready).await?;
        let sample = watch.stop(1)?;
        Ok(Sample { requests: requests().await?, ..sample })
    })
}

/// Reads the output of a job once. Making it up does not count, except that it is in memory.
pub(crate) fn output(read: impl FnOnce(Bytes) -> Result<()>) -> Result<Sample> {
    let output = Bytes::from(made_up_output());
    let watch = Stopwatch::start()?;
    read(output)?;
    watch.stop(1)
}

/// 51 MB of `microsoft.quantum-results.v2`.
fn made_up_output() -> Vec<u8> {
    // Odd, so that different numbers give different outcomes.
    let bits = |number: u32| {
        let outcome = number.wrapping_mul(0x9E37_79B1);
        (0..QUBITS).map(move |bit| if outcome >> bit & 1 == 1 { '1' } else { '0' })
    };
    let list = |out: &mut String, number: u32, comma: &str| {
        out.push('[');
        for (at, bit) in bits(number).enumerate() {
            out.push_str(if at == 0 { "" } else { comma });
            out.push(bit);
        }
        out.push(']');
    };
    let mut out = String::with_capacity(52_000_000);
    out.push_str(r#"{"DataFormat":"microsoft.quantum-results.v2","Results":[{"Histogram":["#);
    for outcome in 0..OUTCOMES {
        out.push_str(if outcome == 0 { r#"{"Outcome":"# } else { r#",{"Outcome":"# });
        list(&mut out, outcome, ",");
        out.push_str(r#","Display":""#);
        list(&mut out, outcome, ", ");
        let count = SHOTS / OUTCOMES + u32::from(outcome < SHOTS % OUTCOMES);
        out.extend([r#"","Count":"#, &count.to_string(), "}"]);
    }
    out.push_str(r#"],"Shots":["#);
    for shot in 0..SHOTS {
        out.push_str(if shot == 0 { "" } else { "," });
        list(&mut out, shot % OUTCOMES, ",");
    }
    out.push_str("]}]}");
    out.into_bytes()
}

/// Does something once from a cold process, setting up included.
pub(crate) fn cold(work: impl AsyncFnOnce() -> Result<()>) -> Result<Sample> {
    let watch = Stopwatch::start()?;
    on_runtime(async {
        work().await?;
        watch.stop(1)
    })
}

/// One thread, so that the work is not spread by chance.
fn on_runtime(work: impl Future<Output = Result<Sample>>) -> Result<Sample> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

#[cfg(target_os = "linux")]
mod usage {
    use anyhow::{Context as _, Result};
    use rustix::time::{ClockId, clock_gettime};

    /// CPU time of this process so far.
    pub(super) fn cpu_ns() -> Result<u64> {
        let time = clock_gettime(ClockId::ProcessCPUTime);
        Ok(u64::try_from(time.tv_sec)? * 1_000_000_000 + u64::try_from(time.tv_nsec)?)
    }

    /// Most memory of this process that was ever resident. (`getrusage` would give the parent's, if that was more.)
    pub(super) fn peak_bytes() -> Result<u64> {
        let status = std::fs::read_to_string("/proc/self/status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")).context("no VmHWM")?;
        Ok(kilobytes.parse::<u64>()? * 1024)
    }
}

#[cfg(not(target_os = "linux"))]
mod usage {
    use anyhow::{Result, bail};

    pub(super) fn cpu_ns() -> Result<u64> {
        bail!("the benchmarks measure on Linux only")
    }

    pub(super) fn peak_bytes() -> Result<u64> {
        cpu_ns()
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn work_takes_time_and_memory() {
        let watch = Stopwatch::start().unwrap();
        let block = black_box(vec![1_u8; 64 << 20]);
        let sample = watch.stop(1).unwrap();
        drop(block);
        assert!(sample.cpu_ns > 0 && sample.wall_ns > 0);
        assert!(sample.peak_bytes >= 64 << 20, "{} bytes", sample.peak_bytes);
    }

    #[test]
    fn the_output_is_as_large_as_the_bounds_say() {
        let output = made_up_output();
        assert!((50_000_000..52_000_000).contains(&output.len()), "{} bytes", output.len());
        assert!(output.ends_with(b"0]]}]}") || output.ends_with(b"1]]}]}"));
    }

    #[test]
    fn a_text_that_is_refused_is_no_measurement() {
        assert!(texts("x", |_| None::<()>).is_err());
    }
}
