//! Collects the lines that a process prints.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::Child;
use crate::wait::wait_until;

/// The output stream of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output: Envoy's access log.
    Stdout,
    /// Standard error: Envoy's own log, and the filter's.
    Stderr,
}

/// Older lines are dropped, because a demo can run for days.
const MOST_LINES: usize = 100_000;

/// The last 100,000 lines that a process has printed. A clone shows the same lines.
#[derive(Clone, Default)]
pub struct Log {
    lines: Arc<Mutex<VecDeque<(Stream, String)>>>,
    open: Arc<AtomicUsize>,
}

impl Log {
    /// The log of a process that was started with pipes for its output.
    pub fn of(child: &Child) -> Self {
        Self::passed_on(child, |_, _| ())
    }

    /// As [`Log::of`]. `on_line` is called with each line, without its newline, as it comes.
    pub fn passed_on(child: &Child, on_line: impl FnMut(Stream, &str) + Send + 'static) -> Self {
        let log = Self::default();
        let on_line = Arc::new(Mutex::new(on_line));
        let pass = || {
            let on_line = Arc::clone(&on_line);
            move |stream: Stream, line: &str| on_line.lock().unwrap_or_else(PoisonError::into_inner)(stream, line)
        };
        if let Some(stdout) = child.take_stdout() {
            log.collect(Stream::Stdout, stdout, pass());
        }
        if let Some(stderr) = child.take_stderr() {
            log.collect(Stream::Stderr, stderr, pass());
        }
        log
    }

    /// Adds the lines of one stream: a thread reads `from` to its end. `on_line` is called as in [`Log::passed_on`].
    pub fn collect(
        &self,
        stream: Stream,
        from: impl Read + Send + 'static,
        mut on_line: impl FnMut(Stream, &str) + Send + 'static,
    ) {
        let log = self.clone();
        log.open.fetch_add(1, Ordering::SeqCst);
        thread::spawn(move || {
            let mut from = BufReader::new(from);
            let mut bytes = Vec::new();
            // The process has ended in either case, so an error counts as the end of the pipe.
            while matches!(from.read_until(b'\n', &mut bytes), Ok(1..)) {
                let line = String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned();
                on_line(stream, &line);
                let mut lines = log.lines.lock().unwrap_or_else(PoisonError::into_inner);
                if lines.len() == MOST_LINES {
                    lines.pop_front();
                }
                lines.push_back((stream, line));
                drop(lines);
                bytes.clear();
            }
            log.open.fetch_sub(1, Ordering::SeqCst);
        });
    }

    /// Both streams in the order of arrival, each line with its newline.
    #[must_use]
    pub fn text(&self) -> String {
        self.select(|_| true)
    }

    /// One of the two streams, each line with its newline.
    #[must_use]
    pub fn text_of(&self, stream: Stream) -> String {
        self.select(|of| of == stream)
    }

    /// The last `count` lines of both streams, each with its newline.
    #[must_use]
    pub fn tail(&self, count: usize) -> String {
        let text = self.text();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(count)..].iter().map(|line| format!("{line}\n")).collect()
    }

    /// Waits, after the end of the process, until its last lines are read. At most a second: a grandchild can hold the pipe open.
    pub fn settle(&self) {
        let closed = || self.open.load(Ordering::SeqCst) == 0;
        let _ = wait_until("the last lines of a process", Duration::from_secs(1), closed);
    }

    fn select(&self, wanted: impl Fn(Stream) -> bool) -> String {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().filter(|(stream, _)| wanted(*stream)).map(|(_, line)| format!("{line}\n")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_both_streams_are_kept_apart_and_together() {
        let log = Log::default();
        log.collect(Stream::Stdout, &b"GET / 200\r\nGET /a 20\xff"[..], |_, _| ());
        log.settle();
        log.collect(Stream::Stderr, &b"warning\n"[..], |_, _| ());
        log.settle();
        assert_eq!(log.text(), "GET / 200\nGET /a 20\u{fffd}\nwarning\n");
        assert_eq!(log.text_of(Stream::Stderr), "warning\n");
        assert_eq!(log.tail(1), "warning\n");
    }
}
