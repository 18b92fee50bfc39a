//! `traffic-target NAME ADDRESS`: a target that answers with its name. Orders come as lines on its standard input.

mod answers;

use std::convert::Infallible;
use std::io::{self, BufRead, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, body::Incoming};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use traffic::Behaviour;

/// The present behaviour.
type Shared = Arc<Mutex<Behaviour>>;

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(name), Some(address)) = (arguments.next(), arguments.next()) else {
        return Err(io::Error::other("usage: traffic-target NAME ADDRESS, such as `traffic-target a 127.0.0.1:8001`"));
    };
    let address: SocketAddr = address
        .parse()
        .map_err(|_| io::Error::other(format!("{address:?} is not an address such as 127.0.0.1:8001")))?;
    let behaviour = Shared::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = listen(address)?;
        println!("{}", listener.local_addr()?);
        let ordered = Arc::clone(&behaviour);
        std::thread::spawn(move || obey(&ordered));
        serve(&listener, &Arc::from(name), &behaviour).await
    })
}

/// Listens on the address. The parent process can hold the same port, so that it stays reserved for the next start.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    socket.listen(4096)
}

/// Follows the orders on standard input until it ends.
fn obey(behaviour: &Shared) -> io::Result<()> {
    for line in io::stdin().lock().lines() {
        let ordered = serde_json::from_str(&line?)?;
        *behaviour.lock().unwrap_or_else(PoisonError::into_inner) = ordered;
        io::stdout().write_all(b"done\n")?;
    }
    Ok(())
}

async fn serve(listener: &TcpListener, name: &Arc<str>, behaviour: &Shared) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(converse(stream, Arc::clone(name), Arc::clone(behaviour)));
    }
}

/// Answers the requests of a connection.
async fn converse(stream: TcpStream, name: Arc<str>, behaviour: Shared) {
    let service = service_fn(|request: Request<Incoming>| {
        let name = Arc::clone(&name);
        let behaviour = *behaviour.lock().unwrap_or_else(PoisonError::into_inner);
        Box::pin(async move { Ok::<_, Infallible>(answers::answer(&request, &name, behaviour).await) })
    });
    let mut connection = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    if (&mut connection).await.is_err_and(|error| error.is_user()) {
        // The answer breaks off. Without linger 0 the connection would end with FIN instead of RST, like a regular end.
        let stream = connection.into_parts().io.into_inner();
        let _ = stream.set_zero_linger();
    }
}
