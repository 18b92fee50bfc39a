//! An answer, and the reading of its bytes.

use std::time::SystemTime;

/// An answer.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Response {
    /// The values of the headers with this name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(present, _)| present == name).map(|(_, value)| value.as_str())
    }

    /// The `Set-Cookie` lines.
    pub fn set_cookies(&self) -> Vec<&str> {
        self.all("set-cookie").collect()
    }

    /// The names of the cookies in `Set-Cookie`, in order.
    pub fn cookie_names(&self) -> Vec<&str> {
        self.all("set-cookie").filter_map(|line| Some(line.split_once('=')?.0)).collect()
    }

    /// The `Set-Cookie` line of a cookie.
    pub fn line(&self, name: &str) -> Option<&str> {
        self.all("set-cookie").find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with('=')))
    }

    /// The value of a cookie in `Set-Cookie`.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.line(name)?.split(';').next()?.strip_prefix(name)?.strip_prefix('=')
    }

    /// The first `Expires` attribute of the cookies, with its name.
    #[track_caller]
    pub fn expires(&self) -> &str {
        let mut attributes = self.all("set-cookie").flat_map(|line| line.split("; "));
        attributes.find(|attribute| attribute.starts_with("Expires=")).unwrap()
    }

    /// The whole seconds from now until [`Response::expires`]. This is a little less than the duration of the cookie.
    #[track_caller]
    pub fn expires_in(&self) -> u64 {
        let expires = httpdate::parse_http_date(self.expires().trim_start_matches("Expires=")).unwrap();
        expires.duration_since(SystemTime::now()).unwrap().as_secs()
    }
}

impl Response {
    /// Reads an answer from its bytes.
    #[track_caller]
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer, but {text:?}"));
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.map(|line| line.split_once(": ").unwrap());
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { status, headers, body: body.to_owned() }
    }

    /// True if these bytes are a whole answer with a `content-length`. A client must not wait for the end of the connection: Envoy
    /// can answer before it has read the whole request, and then keeps the connection open for another second.
    pub(crate) fn is_whole(bytes: &[u8]) -> bool {
        let text = String::from_utf8_lossy(bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        length.is_some_and(|length| length.parse() == Ok(body.len()))
    }
}
