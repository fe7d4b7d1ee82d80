//! A small HTTP server on loopback that plays identity services, and remembers what it was asked.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// One request as it arrived. Header names are in lower case.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: HashMap<String, String>,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) form: HashMap<String, String>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// What to answer.
pub(crate) enum Reply {
    Json(u16, String),
    Raw(u16, &'static str, String),
    /// Nothing: the connection stays open without an answer.
    Hang,
    /// The connection is closed without an answer.
    Close,
}

pub(crate) fn json(status: u16, body: &str) -> Reply {
    Reply::Json(status, body.to_owned())
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    count: watch::Receiver<usize>,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(answer: impl FnMut(&Seen) -> Reply + Send + 'static) -> Self {
        Self::start_on(answer, |socket| async move { Some(socket) }).await
    }

    /// A server of which `secured` makes the stream that is read and written, out of each connection.
    pub(crate) async fn start_on<S, F>(
        answer: impl FnMut(&Seen) -> Reply + Send + 'static,
        secured: impl Fn(TcpStream) -> F + Clone + Send + 'static,
    ) -> Self
    where
        S: AsyncRead + AsyncWrite + Send + Unpin,
        F: Future<Output = Option<S>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (counted, count) = watch::channel(0);
        let (answer, log) = (Arc::new(Mutex::new(answer)), seen.clone());
        let task = tokio::spawn(async move {
            let counted = Arc::new(counted);
            while let Ok((socket, _)) = listener.accept().await {
                let (answer, log, counted) = (answer.clone(), log.clone(), counted.clone());
                let secured = secured(socket);
                tokio::spawn(async move {
                    let Some(stream) = secured.await else { return };
                    let _ = serve(stream, |seen| {
                        log.lock().unwrap().push(seen.clone());
                        counted.send_modify(|count| *count += 1);
                        (answer.lock().unwrap())(seen)
                    })
                    .await;
                });
            }
        });
        Self { address, seen, count, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Waits until so many requests have arrived.
    pub(crate) async fn wait_for(&self, requests: usize) {
        self.count.clone().wait_for(|count| *count >= requests).await.unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    mut socket: impl AsyncRead + AsyncWrite + Unpin,
    answer: impl FnOnce(&Seen) -> Reply,
) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    let seen = loop {
        if socket.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
        if let Some(seen) = parse(&bytes) {
            break seen;
        }
    };
    let (status, kind, body) = match answer(&seen) {
        Reply::Json(status, body) => (status, "Content-Type: application/json; charset=utf-8", body),
        Reply::Raw(status, header, body) => (status, header, body),
        Reply::Close => return Ok(()),
        Reply::Hang => {
            // Ends when the other side gives up.
            let _ = socket.read_buf(&mut bytes).await?;
            return Ok(());
        }
    };
    let head = format!(
        "HTTP/1.1 {status} X\r\n{kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    socket.write_all(head.as_bytes()).await?;
    socket.write_all(body.as_bytes()).await?;
    socket.shutdown().await
}

/// The request, once it is whole.
fn parse(bytes: &[u8]) -> Option<Seen> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?);
    let headers: HashMap<String, String> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    if body.len() < length {
        return None;
    }
    let pairs = |text: &str| url::form_urlencoded::parse(text.as_bytes()).into_owned().collect();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Some(Seen { method, path: path.to_owned(), query: pairs(query), form: pairs(body), headers })
}
