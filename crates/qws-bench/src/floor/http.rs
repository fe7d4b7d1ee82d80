use super::model::{Job, Page};
use crate::measure::{API_KEY, BLOB_BYTES, PAGE_JOBS, Setup};
use anyhow::{Result, ensure};
use bytes::Bytes;
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use reqwest::{Certificate, Client, redirect};
use serde::de::DeserializeOwned;
use std::time::Duration;

const WORKSPACE: &str = "subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/contoso-rg/providers/Microsoft.Quantum/workspaces/ws";
const VERSION: &str = "api-version=2026-01-15-preview";
/// A block of an upload.
const BLOCK_BYTES: u32 = 4 << 20;

/// A client with the settings that the SDK has: the machine's roots and one more, the same limits on waits, no
/// redirects, no proxy for this machine, connections kept.
pub(super) struct Http {
    client: Client,
    endpoint: String,
}

impl Http {
    pub(super) fn new(setup: &Setup) -> Result<Self> {
        // A second time in one process it is there already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let mut key = HeaderValue::from_static(API_KEY);
        key.set_sensitive(true);
        headers.insert("x-ms-quantum-api-key", key);
        let client = Client::builder()
            .tls_backend_rustls()
            .tls_certs_merge([Certificate::from_pem(setup.root_pem.as_bytes())?])
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(Duration::from_mins(1))
            .timeout(Duration::from_mins(5))
            .pool_max_idle_per_host(64)
            .user_agent("floor/0.0.0")
            .default_headers(headers)
            .build()?;
        Ok(Self { client, endpoint: setup.endpoint.clone() })
    }

    pub(super) async fn job(&self, id: &str) -> Result<Job> {
        self.fetch(&format!("{}{WORKSPACE}/jobs/{id}?{VERSION}", self.endpoint)).await
    }

    pub(super) fn first_page(&self) -> String {
        format!("{}{WORKSPACE}/jobs?{VERSION}&top={PAGE_JOBS}", self.endpoint)
    }

    pub(super) async fn page(&self, url: &str) -> Result<Page> {
        self.fetch(url).await
    }

    /// Lets the server count requests from here on.
    pub(super) async fn count_anew(&self) -> Result<()> {
        let url = format!("{}{WORKSPACE}/watch", self.endpoint);
        self.client.post(url).send().await?.error_for_status()?;
        Ok(())
    }

    /// How many requests the server has counted.
    pub(super) async fn requests(&self) -> Result<u32> {
        self.fetch(&format!("{}{WORKSPACE}/watch", self.endpoint)).await
    }

    async fn fetch<T: DeserializeOwned>(&self, url: &str) -> Result<T> {
        let answer = self.client.get(url).send().await?.error_for_status()?;
        Ok(serde_json::from_slice(&answer.bytes().await?)?)
    }

    /// Writes a blob in blocks, one after the other, each made when it is its turn.
    pub(super) async fn upload(&self) -> Result<()> {
        let mut list = String::from("<BlockList>");
        for number in 0..BLOB_BYTES / BLOCK_BYTES {
            let block = Bytes::from(vec![b'x'; BLOCK_BYTES as usize]);
            let id = format!("{number:06}");
            let url = format!("{}blob?comp=block&blockid={id}", self.endpoint);
            self.client.put(url).body(block).send().await?.error_for_status()?;
            list.extend(["<Latest>", &id, "</Latest>"]);
        }
        list.push_str("</BlockList>");
        let url = format!("{}blob?comp=blocklist", self.endpoint);
        self.client.put(url).body(list).send().await?.error_for_status()?;
        Ok(())
    }

    /// Reads a blob in one answer, keeping nothing.
    pub(super) async fn download(&self) -> Result<()> {
        let mut answer =
            self.client.get(format!("{}blob", self.endpoint)).send().await?.error_for_status()?;
        let mut read = 0;
        while let Some(chunk) = answer.chunk().await? {
            read += chunk.len();
        }
        ensure!(read == BLOB_BYTES as usize, "{read} bytes");
        Ok(())
    }
}
