//! Through a proxy and past it, with TLS on both ends.

use rustls::{RootCertStore, ServerConfig, pki_types::PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio_rustls::TlsAcceptor;

use super::*;

const HOST: &str = "https://service.test/";

/// An identity for these names: what its server shows, and what its clients trust.
fn tls(names: &[&str]) -> (TlsAcceptor, ClientConfig) {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()).into();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
    let chain = vec![made.cert.der().clone()];
    let server = server.unwrap().with_no_client_auth().with_single_cert(chain, key).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let client = client.unwrap().with_root_certificates(roots).with_no_client_auth();
    (TlsAcceptor::from(Arc::new(server)), client)
}

/// A transport with these proxies in place of the environment's.
fn transport_through(tls: ClientConfig, proxies: Matcher) -> HyperTransport {
    let settings = HyperTransport::builder().connect_timeout(Duration::from_secs(5));
    let connector = Connector::new(tls, Some(proxies), settings.connect_timeout);
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let inner = Inner {
        plain: settings.client(tls::empty_config().unwrap(), true),
        local_tls: OnceLock::new(),
        remote_tls: OnceLock::from(Ok(client)),
        turns: Arc::new(Semaphore::new(4)),
        settings,
    };
    HyperTransport { inner: Arc::new(inner) }
}

/// Answers requests on one TLS connection with `ok`, until it is closed.
async fn serve(acceptor: &TlsAcceptor, listener: &TcpListener) {
    let (socket, _) = listener.accept().await.unwrap();
    let mut stream = acceptor.accept(socket).await.unwrap();
    let mut head = [0; 4096];
    while stream.read(&mut head).await.is_ok_and(|read| read > 0) {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
    }
}

/// Reads the head of what a proxy is asked.
async fn asked(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// Answers one CONNECT and passes on all that follows, whatever host was named.
async fn tunnel(mut client: impl AsyncRead + AsyncWrite + Unpin, to: &TcpListener) -> String {
    let head = asked(&mut client).await;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    let mut server = TcpStream::connect(to.local_addr().unwrap()).await.unwrap();
    // Whichever side closes first may do so without a farewell.
    let _ = copy_bidirectional(&mut client, &mut server).await;
    head
}

/// Two requests; the second goes the way that the first has opened. Dropping the transport closes it.
async fn two_requests(transport: HyperTransport) {
    for _ in 0..2 {
        let answer = transport.send(get(HOST)).await.unwrap();
        let body = answer.into_body().collect(2, &Uri::from_static(HOST)).await.unwrap();
        assert_eq!(body, "ok");
    }
}

#[tokio::test]
async fn a_request_goes_through_a_tunnel_with_the_proxys_password_and_its_own_tls() {
    let (acceptor, trusting) = tls(&["service.test"]);
    let (service, _) = listener().await;
    let (proxy, uri) = listener().await;
    let url = uri.replace("http://", "http://me:hunter%402@");
    let transport = transport_through(trusting, Matcher::builder().all(url).build());
    let proxied = async { tunnel(proxy.accept().await.unwrap().0, &service).await };
    let (head, (), ()) = tokio::join!(proxied, serve(&acceptor, &service), two_requests(transport));
    assert!(head.starts_with("CONNECT service.test:443 HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("\r\nProxy-Authorization: Basic bWU6aHVudGVyQDI=\r\n"), "{head}");
}

#[tokio::test]
async fn a_proxy_may_speak_tls_itself() {
    // One certificate for both, so that one set of roots trusts both.
    let (acceptor, trusting) = tls(&["service.test", "localhost"]);
    let (service, _) = listener().await;
    let (proxy, _) = listener().await;
    let url = format!("https://localhost:{}", proxy.local_addr().unwrap().port());
    let transport = transport_through(trusting, Matcher::builder().https(url).build());
    let proxied = async {
        let socket = proxy.accept().await.unwrap().0;
        tunnel(acceptor.accept(socket).await.unwrap(), &service).await
    };
    let (head, (), ()) = tokio::join!(proxied, serve(&acceptor, &service), two_requests(transport));
    assert!(head.starts_with("CONNECT service.test:443 HTTP/1.1\r\n"), "{head}");
}

#[tokio::test]
async fn a_proxy_that_refuses_is_a_connection_that_was_not_made() {
    let (proxy, uri) = listener().await;
    let url = uri.replace("http://", "http://me:hunter2@");
    let transport = transport_through(tls(&["service.test"]).1, Matcher::builder().all(url).build());
    let answer = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
    let (answered, _socket) = tokio::join!(transport.send(get(HOST)), answer_once(&proxy, answer));
    let error = answered.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Connect);
    let causes = causes(&error);
    assert!(causes.contains("proxy authorization required"), "{causes}");
    assert!(!format!("{causes} {error:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_proxy_of_another_kind_is_refused_by_name() {
    let proxies = Matcher::builder().all("socks5://127.0.0.1:1").build();
    let error = transport_through(tls(&["service.test"]).1, proxies).send(get(HOST)).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Connect);
    let causes = causes(&error);
    assert!(causes.contains("names a socks5 proxy; use one of http or https"), "{causes}");
}

fn causes(error: &dyn std::error::Error) -> String {
    let all = std::iter::successors(error.source(), |error| error.source());
    all.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// The environment of a process cannot be changed safely, so the test runs itself again with the variables of a proxy.
#[tokio::test]
async fn the_environment_names_a_proxy_its_password_and_exceptions_but_not_for_identity_endpoints() {
    const NAME: &str = "hyper_transport::tests::proxies::\
        the_environment_names_a_proxy_its_password_and_exceptions_but_not_for_identity_endpoints";
    if std::env::var_os("QWS_TEST_WITH_PROXY").is_some() {
        let limit = Duration::from_millis(200);
        let identity = HyperTransport::builder().for_identity_endpoints();
        let identity = identity.connect_timeout(limit).idle_timeout(limit).build().unwrap();
        // Whatever a network makes of these unused link-local addresses, the proxy must not hear of them.
        let _ = identity.send(get("http://169.254.0.1/metadata")).await;
        let _ = identity.send(get("https://169.254.0.1/metadata")).await;
        let excepted = HyperTransport::builder().connect_timeout(limit).build().unwrap();
        let _ = excepted.send(get("https://169.254.0.2/excepted")).await;
        // What shows that a proxy would have been seen.
        assert!(transport().send(get("https://169.254.0.1/control")).await.is_err());
        return;
    }
    for variable in ["HTTPS_PROXY", "ALL_PROXY"] {
        let (listener, proxy) = listener().await;
        let proxy = proxy.replace("http://", "http://me:hunter2@");
        let child = tokio::task::spawn_blocking(move || {
            let mut command = std::process::Command::new(std::env::current_exe().unwrap());
            command.args(["--exact", NAME]).env("QWS_TEST_WITH_PROXY", "1");
            for name in ["http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "no_proxy"] {
                command.env_remove(name);
            }
            command.env("HTTP_PROXY", &proxy).env(variable, &proxy);
            command.env("NO_PROXY", "example.org,169.254.0.2").output().unwrap()
        });
        let mut heads = Vec::new();
        let mut child = std::pin::pin!(child);
        let output = loop {
            tokio::select! {
                output = &mut child => break output.unwrap(),
                connection = listener.accept() => heads.push(asked(&mut connection.unwrap().0).await),
            }
        };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        let [head] = heads.as_slice() else { panic!("{variable}: {heads:?}") };
        assert!(head.starts_with("CONNECT 169.254.0.1:443 HTTP/1.1\r\n"), "{head}");
        assert!(head.contains("\r\nProxy-Authorization: Basic bWU6aHVudGVyMg==\r\n"), "{head}");
    }
}
