//! Parses the head of an answer.

use crate::TARGET;

/// The limit of headers. No answer of a test has so many.
const MOST_HEADERS: usize = 64;

/// The parts of an answer that a session needs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The target that answered. `None` if the load balancer answered itself.
    pub(crate) target: Option<String>,
    pub(crate) set_cookies: Vec<String>,
    /// True if the server closes the connection after it.
    pub(crate) closes: bool,
    /// The length of the head and the body in bytes.
    pub(crate) length: usize,
}

/// Parses the head at the start of `bytes`. `None` while the head is incomplete.
///
/// # Errors
///
/// When it is not HTTP/1.1, or the body has no known length. The targets and Envoy always send a length.
pub(crate) fn parse(bytes: &[u8]) -> Result<Option<Answer>, String> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut head = httparse::Response::new(&mut headers);
    let status = head.parse(bytes).map_err(|error| format!("the head of an answer is not HTTP/1.1: {error}"))?;
    let (httparse::Status::Complete(start), Some(code)) = (status, head.code) else {
        return Ok(None);
    };
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let mut answer = Answer { status: code, target: None, set_cookies: Vec::new(), closes: false, length: 0 };
    let mut body = None;
    for header in head.headers {
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        if is("content-length") {
            body = std::str::from_utf8(header.value).ok().and_then(|length| length.parse::<usize>().ok());
        } else if is("set-cookie") {
            answer.set_cookies.push(text(header.value));
        } else if is(TARGET) {
            answer.target = Some(text(header.value));
        } else if is("connection") {
            answer.closes = header.value.eq_ignore_ascii_case(b"close");
        }
    }
    let body = body.ok_or_else(|| format!("an answer with status {code} has no content-length"))?;
    answer.length = start + body;
    Ok(Some(answer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_tells_its_target_its_cookies_and_its_end() {
        let head =
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nx-target: a\r\nset-cookie: AWSALB=1\r\nconnection: close\r\n\r\n";
        let answer = parse(head).unwrap().unwrap();
        assert_eq!((answer.status, answer.target.as_deref(), answer.closes), (200, Some("a"), true));
        assert_eq!((answer.set_cookies, answer.length), (vec!["AWSALB=1".to_owned()], head.len() + 1));
        assert_eq!(parse(&head[..head.len() - 1]), Ok(None));
    }

    #[test]
    fn an_answer_whose_end_is_not_known_is_refused() {
        let error = parse(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").unwrap_err();
        assert_eq!(error, "an answer with status 200 has no content-length");
    }
}
