//! The backends. Each names itself, echoes the cookies that it received, and answers as the request or the scenario says.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::Read;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use harness::Certificate;
use http_body_util::BodyExt;
use http_body_util::channel::{Channel, Sender};
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderValue;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use local_demo::free_ports;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::runtime::runtime;
use crate::scenario::{Answer, Behaviour};

/// The request header that tells a backend what to answer, as JSON.
pub(crate) const ANSWER: &str = "x-answer";
/// The response header with the name of the backend.
pub(crate) const BACKEND: &str = "x-backend";
/// The response header with the connection that the backend received the request on.
pub(crate) const CONNECTION: &str = "x-connection";
/// The response header that repeats a `Cookie` field of the request, one for each field.
pub(crate) const GOT: &str = "x-got-cookie";
/// The response header that repeats a `Set-Cookie` line of the backend itself, one for each line.
pub(crate) const OWN: &str = "x-own-cookie";

/// Backends by their names.
pub(crate) struct Backends {
    all: BTreeMap<String, Backend>,
    /// `true` lets the bodies end that are held back.
    released: watch::Sender<bool>,
}

struct Backend {
    address: SocketAddr,
    state: Arc<State>,
    tls: Option<TlsAcceptor>,
    serving: Option<JoinHandle<()>>,
}

struct State {
    name: String,
    /// The status of every answer; 0 means 200.
    status: AtomicU16,
    asked: AtomicU32,
    connections: AtomicU32,
    released: watch::Receiver<bool>,
    /// Closed together with the listener.
    open: Mutex<Vec<Open>>,
}

/// An open connection of a proxy.
struct Open {
    answering: JoinHandle<()>,
    socket: Weak<TcpStream>,
}

impl Backends {
    pub(crate) fn start<'a>(names: impl Iterator<Item = &'a str>, tls: bool) -> Self {
        let released = watch::Sender::new(false);
        let start = |name: &str| Backend::start(name, tls, released.subscribe());
        Self { all: names.map(|name| (name.to_owned(), start(name))).collect(), released }
    }

    pub(crate) fn address(&self, name: &str) -> SocketAddr {
        self.all[name].address
    }

    /// Changes the behaviour of a backend.
    pub(crate) fn switch(&mut self, name: &str, behaviour: Behaviour) {
        let backend = self.all.get_mut(name).unwrap();
        match behaviour {
            Behaviour::Status(status) => backend.state.status.store(status, Ordering::SeqCst),
            Behaviour::Refuse => backend.refuse(),
        }
    }

    /// The number of requests that each backend has received.
    pub(crate) fn asked(&self) -> BTreeMap<String, u32> {
        self.all.iter().map(|(name, backend)| (name.clone(), backend.state.asked.load(Ordering::SeqCst))).collect()
    }

    /// `true` ends the bodies that are held back; `false` holds later ones back.
    pub(crate) fn release(&self, released: bool) {
        self.released.send_replace(released);
    }
}

impl Backend {
    fn start(name: &str, tls: bool, released: watch::Receiver<bool>) -> Self {
        let listener = runtime().block_on(listen());
        let state = State {
            name: name.to_owned(),
            status: AtomicU16::new(0),
            asked: AtomicU32::new(0),
            connections: AtomicU32::new(0),
            released,
            open: Mutex::new(Vec::new()),
        };
        let address = listener.local_addr().unwrap();
        let mut backend = Self { address, state: Arc::new(state), tls: tls.then(acceptor), serving: None };
        backend.serving = Some(runtime().spawn(serve(listener, backend.state.clone(), backend.tls.clone())));
        backend
    }

    /// Closes the port and the connections, and returns when the proxy has closed its ends too. A request that the proxy sends
    /// on a connection that it believes open would be lost, and the proxy would not retry it.
    fn refuse(&mut self) {
        let open: Vec<Open> = self.stop_listening();
        let sockets: Vec<Arc<TcpStream>> = open.iter().filter_map(|open| open.socket.upgrade()).collect();
        for open in open {
            open.answering.abort();
            let _ = runtime().block_on(open.answering);
        }
        for socket in sockets {
            // An error means that the connection is closed already.
            let _ = socket.shutdown(Shutdown::Write);
            let _ = socket.set_nonblocking(false);
            let _ = socket.set_read_timeout(Some(Duration::from_secs(5)));
            let _ = (&*socket).read_to_end(&mut Vec::new());
        }
    }

    fn stop_listening(&mut self) -> Vec<Open> {
        if let Some(serving) = self.serving.take() {
            serving.abort();
            // The port closes when the task has ended.
            let _ = runtime().block_on(serving);
        }
        std::mem::take(&mut self.state.open.lock().unwrap())
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        for open in self.stop_listening() {
            open.answering.abort();
        }
    }
}

fn acceptor() -> TlsAcceptor {
    let certificate = Certificate::generate();
    let chain = vec![CertificateDer::from_pem_slice(certificate.pem().as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(certificate.key_pem().as_bytes()).unwrap();
    TlsAcceptor::from(Arc::new(ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap()))
}

/// Listens on a port outside the range for outgoing connections. A proxy that connects to a closed port within that range could
/// be connected to itself.
async fn listen() -> TcpListener {
    loop {
        let [port] = free_ports().unwrap();
        // Another process may have taken the port.
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
            return listener;
        }
    }
}

async fn serve(listener: TcpListener, state: Arc<State>, tls: Option<TlsAcceptor>) {
    while let Ok((connection, _)) = listener.accept().await {
        let number = state.connections.fetch_add(1, Ordering::SeqCst);
        let (own, tls) = (state.clone(), tls.clone());
        let connection = connection.into_std().unwrap();
        let socket = Arc::new(connection.try_clone().unwrap());
        let connection = tokio::net::TcpStream::from_std(connection).unwrap();
        let weak = Arc::downgrade(&socket);
        let answering = tokio::spawn(async move {
            // Closes with the connection, unless `refuse` waits for its end.
            let _socket = socket;
            let Some(tls) = tls else { return answer_all(connection, own, number).await };
            // The scenario judges a handshake that fails.
            if let Ok(connection) = tls.accept(connection).await {
                answer_all(connection, own, number).await;
            }
        });
        state.open.lock().unwrap().push(Open { answering, socket: weak });
    }
}

async fn answer_all(
    connection: impl AsyncRead + AsyncWrite + Unpin + std::marker::Send + 'static,
    state: Arc<State>,
    number: u32,
) {
    let answer = service_fn(move |request| std::future::ready(Ok::<_, Infallible>(state.answer(request, number))));
    // The scenario judges a connection that breaks.
    let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(connection), answer).await;
}

impl State {
    fn answer(&self, request: Request<Incoming>, connection: u32) -> Response<Channel<Bytes>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let answer = request.headers().get(ANSWER).map(HeaderValue::as_bytes);
        let answer: Answer = answer.map(|json| serde_json::from_slice(json).unwrap()).unwrap_or_default();
        let (sender, body) = Channel::new(1);
        let mut response = Response::new(body);
        let headers = response.headers_mut();
        self.tell(&answer, &request, connection, headers);
        let grpc = request.headers().get("content-type").is_some_and(|kind| kind == "application/grpc");
        let call = grpc.then(|| request.into_body());
        if call.is_some() {
            headers.insert("content-type", HeaderValue::from_static("application/grpc"));
        }
        let status = self.status.load(Ordering::SeqCst);
        if status != 0 {
            *response.status_mut() = status.try_into().unwrap();
        }
        tokio::spawn(finish(sender, answer, call, self.released.clone(), self.name.clone()));
        response
    }

    fn tell(&self, answer: &Answer, request: &Request<Incoming>, connection: u32, headers: &mut HeaderMap) {
        let value = |text: &str| HeaderValue::from_str(text).unwrap();
        headers.insert(BACKEND, value(&self.name));
        headers.insert(CONNECTION, value(&format!("{}-{connection}", self.name)));
        for cookie in request.headers().get_all("cookie") {
            headers.append(GOT, cookie.clone());
        }
        for line in &answer.set_cookies {
            let line = value(&line.replace("{backend}", &self.name));
            headers.append("set-cookie", line.clone());
            headers.append(OWN, line);
        }
        for (name, text) in &answer.headers {
            headers.append(hyper::header::HeaderName::from_bytes(name.as_bytes()).unwrap(), value(text));
        }
    }
}

/// Sends the body of an answer, and reads a gRPC call before the end of its answer. Errors are ignored: the proxy has closed
/// the connection.
async fn finish(
    mut body: Sender<Bytes>,
    answer: Answer,
    call: Option<Incoming>,
    mut released: watch::Receiver<bool>,
    name: String,
) {
    // The first byte goes out at once, because some proxies hold the head back until a byte of the body comes.
    let (first, rest) = if call.is_some() {
        (Bytes::from_static(&[0; 5]), Bytes::new())
    } else {
        (Bytes::from_static(b"."), Bytes::from(name))
    };
    let _ = body.send_data(first).await;
    tokio::time::sleep(Duration::from_millis(answer.slow.unwrap_or(0))).await;
    if answer.held {
        let _ = released.wait_for(|released| *released).await;
    }
    if let Some(call) = call {
        // An answer that ends before the call resets the stream (RFC 9113, section 8.1). hyper's client then takes the reset
        // for the end of the answer, and drops the trailers.
        let _ = call.collect().await;
        let trailers = HeaderMap::from_iter([("grpc-status".parse().unwrap(), HeaderValue::from_static("0"))]);
        let _ = body.send_trailers(trailers).await;
    } else {
        let _ = body.send_data(rest).await;
    }
}
