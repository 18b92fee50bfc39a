//! The answers of the target.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::body::{Body, Frame};
use hyper::header::{CONTENT_LENGTH, HeaderValue};
use hyper::{Request, Response, StatusCode};
use traffic::{Behaviour, HEALTH_CHECK, TARGET};

/// An answer whose body is complete or breaks off.
type Answer = Response<Either<Full<Bytes>, BreaksOff>>;

/// The answer of the target `name` with this behaviour.
pub(crate) async fn answer<B>(request: &Request<B>, name: &str, behaviour: Behaviour) -> Answer {
    let mut answer = if request.uri().path() == HEALTH_CHECK {
        let healthy = behaviour != Behaviour::Unhealthy;
        whole(if healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, name)
    } else {
        behave(behaviour, name).await
    };
    if let Ok(name) = HeaderValue::from_str(name) {
        answer.headers_mut().insert(TARGET, name);
    }
    answer
}

async fn behave(behaviour: Behaviour, name: &str) -> Answer {
    match behaviour {
        Behaviour::Normal | Behaviour::Unhealthy => whole(StatusCode::OK, name),
        Behaviour::Slow(time) => {
            tokio::time::sleep(time).await;
            whole(StatusCode::OK, name)
        }
        Behaviour::Status(status) => whole(StatusCode::from_u16(status).unwrap_or(StatusCode::NOT_IMPLEMENTED), name),
        Behaviour::ResetMidResponse => {
            let mut answer = Response::new(Either::Right(BreaksOff::new(name)));
            answer.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(PROMISED));
            answer
        }
    }
}

fn whole(status: StatusCode, name: &str) -> Answer {
    let mut answer = Response::new(Either::Left(Full::from(name.to_owned())));
    *answer.status_mut() = status;
    answer
}

/// The `content-length` of a body that breaks off. The body never gets so long.
const PROMISED: u32 = 1 << 20;

/// A body that fails after its first bytes.
pub(crate) struct BreaksOff {
    first: Option<Bytes>,
    sent: bool,
}

impl BreaksOff {
    fn new(name: &str) -> Self {
        Self { first: Some(Bytes::from(name.to_owned())), sent: false }
    }
}

impl Body for BreaksOff {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        if !self.sent {
            // Hyper flushes the first frame before it polls again.
            self.sent = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(io::Error::other("breaks off by order"))))
    }
}
