use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::*;

mod proxies;

fn transport() -> HyperTransport {
    HyperTransport::new().unwrap()
}

fn get(uri: &str) -> http::Request<Bytes> {
    http::Request::get(uri).body(Bytes::new()).unwrap()
}

/// Answers the next connection's first request with these bytes and closes.
async fn answer_once(listener: &TcpListener, bytes: &str) -> TcpStream {
    let (mut socket, _) = listener.accept().await.unwrap();
    let mut head = [0; 4096];
    let _ = socket.read(&mut head).await.unwrap();
    socket.write_all(bytes.as_bytes()).await.unwrap();
    socket
}

async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}/", listener.local_addr().unwrap());
    (listener, uri)
}

#[tokio::test]
async fn redirects_are_handed_back_and_not_followed() {
    let (listener, uri) = listener().await;
    let answer = "HTTP/1.1 302 Found\r\nLocation: https://elsewhere.example/\r\nContent-Length: 0\r\n\r\n";
    let (transport, request) = (transport(), get(&uri));
    let (answer, _socket) = tokio::join!(transport.send(request), answer_once(&listener, answer));
    assert_eq!(answer.unwrap().status(), 302);
}

#[tokio::test]
async fn a_truncated_body_is_an_error() {
    let (listener, uri) = listener().await;
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort";
    let (transport, request) = (transport(), get(&uri));
    let (answer, socket) = tokio::join!(transport.send(request), answer_once(&listener, answer));
    drop(socket);
    let error = answer.unwrap().into_body().collect(1000, &uri.parse().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Body);
}

#[tokio::test]
async fn a_closed_port_is_a_connect_error_and_a_silent_close_a_lost_one() {
    let (listener, uri) = listener().await;
    let (transport, request) = (transport(), get(&uri));
    let (answer, ()) =
        tokio::join!(transport.send(request), async { drop(answer_once(&listener, "").await) });
    assert_eq!(answer.unwrap_err().kind(), TransportErrorKind::Lost);
    drop(listener);
    let error = transport.send(get(&uri)).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Connect);
    assert!(error.nothing_was_sent());
}

#[tokio::test]
async fn plain_http_to_another_machine_is_refused_before_anything_is_sent() {
    for uri in ["http://example.org/x?sig=hunter2", "http://10.0.0.1/", "http://127.0.0.1.example.org/"] {
        let error = transport().send(get(uri)).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Refused, "{uri}");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}

#[test]
fn this_machine_is_known_by_name_and_literal_address() {
    let local = |uri: &'static str| is_loopback(&Uri::from_static(uri));
    assert!(local("http://localhost:80/") && local("http://127.9.9.9/") && local("http://[::1]:1/"));
    assert!(!local("http://127.0.0.1.example.org/") && !local("http://169.254.169.254/"));
}

#[tokio::test]
async fn no_more_connections_than_allowed_are_used_at_once() {
    let (listener, uri) = listener().await;
    let transport = HyperTransport::builder().max_connections(1).build().unwrap();
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
    let (first, _socket) = tokio::join!(transport.send(get(&uri)), answer_once(&listener, answer));
    let held = first.unwrap();
    let mut second = std::pin::pin!(transport.send(get(&uri)));
    assert!(futures::poll!(second.as_mut()).is_pending());
    assert_eq!(transport.inner.turns.available_permits(), 0);
    drop(held);
    let (second, _socket) = tokio::join!(second, answer_once(&listener, answer));
    assert_eq!(second.unwrap().status(), 200);
    assert_eq!(transport.inner.turns.available_permits(), 1);
}

#[test]
fn unreadable_roots_are_refused_when_given() {
    assert!(HyperTransport::builder().add_root_pem(b"not a certificate").is_err());
}

#[test]
fn only_literal_nearby_addresses_take_plain_http_for_identity_endpoints() {
    let transport = HyperTransport::builder().for_identity_endpoints().build().unwrap();
    let takes = |uri: &'static str| transport.client_for(&Uri::from_static(uri)).is_ok();
    for uri in [
        "http://169.254.169.254/",
        "http://10.0.0.1/",
        "http://172.16.0.1/",
        "http://[fe80::1]/",
        "http://localhost/",
    ] {
        assert!(takes(uri), "{uri}");
    }
    for uri in [
        "http://example.org/",
        "http://1.1.1.1/",
        "http://169.254.169.254.example.org/",
        "http://[2001:db8::1]/",
    ] {
        assert!(!takes(uri), "{uri}");
    }
}

#[tokio::test]
async fn a_connection_is_used_again_once_its_body_is_read() {
    let (listener, uri) = listener().await;
    let transport = transport();
    let server = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        for _ in 0..2 {
            let mut head = [0; 4096];
            let _ = socket.read(&mut head).await.unwrap();
            socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
        }
    };
    let client = async {
        for _ in 0..2 {
            let answer = transport.send(get(&uri)).await.unwrap();
            assert_eq!(answer.into_body().collect(2, &uri.parse().unwrap()).await.unwrap(), "ok");
        }
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn silence_before_the_head_or_in_the_body_is_a_timeout() {
    let (listener, uri) = listener().await;
    let transport = HyperTransport::builder().idle_timeout(Duration::from_millis(30)).build().unwrap();
    for answer in ["", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"] {
        let (answered, _open) = tokio::join!(transport.send(get(&uri)), answer_once(&listener, answer));
        let error = match answered {
            Ok(answer) => answer.into_body().collect(100, &uri.parse().unwrap()).await.unwrap_err(),
            Err(error) => error,
        };
        assert_eq!(error.kind(), TransportErrorKind::Timeout, "{answer}");
    }
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_a_connection_that_was_not_made() {
    let (listener, uri) = listener().await;
    let transport = HyperTransport::builder().connect_timeout(Duration::from_millis(30)).build().unwrap();
    let request = get(&uri.replace("http:", "https:"));
    let (answer, _silent) = tokio::join!(transport.send(request), listener.accept());
    let error = answer.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Connect);
    let cause = std::error::Error::source(&error).and_then(std::error::Error::source).unwrap();
    assert_eq!(cause.to_string(), "no connection within 0.03 s");
}
