//! Writes `Cookie` headers: foreign cookies before ours, and the cookies of many sessions.

use std::fmt::Write as _;
use std::io::{BufWriter, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The measured sizes of foreign cookies: none, a usual web application, and about the most that a browser sends.
pub(crate) const FOREIGN: [usize; 3] = [0, 600, 8000];

/// The bytes of one foreign cookie with its separator.
const ONE: usize = 100;

/// A `Cookie` header with `bytes` bytes of foreign cookies before ours.
pub(crate) fn behind_foreign(bytes: usize, ours: &str) -> String {
    let mut header = String::with_capacity(bytes + ours.len());
    for number in 0..bytes / ONE {
        // `f00=`, the value and `; `.
        let _ = write!(header, "f{number:02}={}; ", "x".repeat(ONE - 6));
    }
    if ours.is_empty() {
        header.truncate(header.trim_end_matches("; ").len());
    }
    header + ours
}

/// The `Cookie` header of a session with this target that began `age` seconds ago.
pub(crate) fn session(target: SocketAddr, age: u64) -> String {
    let value = harness::forge("web", &target.to_string(), age);
    format!("AWSALB={value}; AWSALBCORS={value}")
}

/// A file with one `Cookie` header a line. Every session differs, and the targets take turns.
pub(crate) fn file(folder: &Path, targets: &[SocketAddr], sessions: usize) -> Result<PathBuf> {
    let port = targets.first().context("no target")?.port();
    let path = folder.join(format!("{sessions}-sessions-of-{}-targets-on-{port}", targets.len()));
    if path.is_file() {
        return Ok(path);
    }
    let mut file = BufWriter::new(std::fs::File::create(&path)?);
    let parts = std::thread::available_parallelism()?.get();
    let mut done = 0;
    // Sealing a million values is slow, so all CPUs do it. It is done in parts to bound the memory.
    while done < sessions {
        let end = sessions.min(done + 10_000 * parts);
        let pieces: Vec<Vec<String>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..parts)
                .map(|part| {
                    scope.spawn(move || (done..end).skip(part).step_by(parts).map(|one| of(targets, one)).collect())
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().map_err(|_| ())).collect::<Result<_, _>>()
        })
        .ok()
        .context("a thread that seals cookies")?;
        for line in pieces.iter().flatten() {
            writeln!(file, "{line}")?;
        }
        done = end;
    }
    file.flush()?;
    Ok(path)
}

fn of(targets: &[SocketAddr], number: usize) -> String {
    let age = number / targets.len();
    session(targets[number % targets.len()], age as u64)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn foreign_cookies_have_the_requested_length() {
        for bytes in FOREIGN {
            let header = behind_foreign(bytes, "a=b");
            assert_eq!(header.len(), bytes + 3);
            assert!(header.ends_with("a=b"));
        }
        assert!(behind_foreign(600, "").ends_with('x'));
        assert_eq!(behind_foreign(0, ""), "");
    }

    #[test]
    fn all_sessions_of_a_file_differ() {
        let folder = tempfile::tempdir().unwrap();
        let targets = [80, 81, 82].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        let text = std::fs::read_to_string(file(folder.path(), &targets, 100).unwrap()).unwrap();
        assert_eq!(text.lines().collect::<BTreeSet<_>>().len(), 100);
    }
}
