//! Test machinery: tables of figures that the tests fill and `cargo xtask test` prints after all tests.
//!
//! The tests run in many processes. Each row is therefore a line that is appended to the file of its table, in a folder that an
//! environment variable names. This is a crate of its own because `xtask` needs it and must not build `harness`.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The environment variable with the folder. Without it, the test prints its rows.
pub const FOLDER: &str = "STICKY_SESSIONS_REPORTS";

/// A table that tests fill.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    name: &'static str,
    columns: &'static [&'static str],
}

#[derive(Serialize, Deserialize)]
struct Row {
    columns: Vec<String>,
    cells: Vec<String>,
}

impl Report {
    /// The table with this name. The name is that of the suite, or starts with it.
    #[must_use]
    pub const fn of(name: &'static str, columns: &'static [&'static str]) -> Self {
        Self { name, columns }
    }

    /// Adds a row.
    ///
    /// # Panics
    ///
    /// When the number of cells differs from that of the columns, or the file cannot be written. The test fails then, because a
    /// report with a gap is worse.
    pub fn row<C: AsRef<str>>(&self, cells: &[C]) {
        let Some(folder) = std::env::var_os(FOLDER) else {
            let row = self.checked(cells);
            let pairs = row.columns.iter().zip(&row.cells).map(|(column, cell)| format!("{column}: {cell}"));
            println!("{}: {}", self.name, pairs.collect::<Vec<_>>().join("; "));
            return;
        };
        self.row_in(Path::new(&folder), cells).unwrap_or_else(|error| panic!("{}: {error}", self.name));
    }

    /// Adds a row to the table in this folder. `xtask` uses it for its own measurements.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    ///
    /// # Panics
    ///
    /// When the number of cells differs from that of the columns.
    pub fn row_in<C: AsRef<str>>(&self, folder: &Path, cells: &[C]) -> io::Result<()> {
        append(&folder.join(self.name), &self.checked(cells))
    }

    fn checked<C: AsRef<str>>(&self, cells: &[C]) -> Row {
        let cells: Vec<String> = cells.iter().map(|cell| cell.as_ref().to_owned()).collect();
        assert_eq!(cells.len(), self.columns.len(), "{}: {cells:?} for the columns {:?}", self.name, self.columns);
        Row { columns: self.columns.iter().map(ToString::to_string).collect(), cells }
    }
}

/// Appends a row with one write, so that rows of several processes do not mix.
fn append(table: &Path, row: &Row) -> io::Result<()> {
    let line = format!("{}\n", serde_json::to_string(row)?);
    let mut file = OpenOptions::new().create(true).append(true).open(table.with_extension(EXTENSION))?;
    file.write_all(line.as_bytes())
}

const EXTENSION: &str = "jsonl";

/// A filled table. It displays as Markdown with aligned columns.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// The tables of a folder, sorted by name. A missing folder has none.
///
/// # Errors
///
/// When a file cannot be read or is not a table.
pub fn tables(folder: &Path) -> io::Result<Vec<Table>> {
    let files = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        files => files?.map(|file| Ok(file?.path())).collect::<io::Result<Vec<PathBuf>>>()?,
    };
    let mut files: Vec<_> = files.into_iter().filter(|file| file.extension() == Some(OsStr::new(EXTENSION))).collect();
    // Sorted by path, `faults-keys.jsonl` would come before `faults.jsonl`.
    files.sort_by_key(|file| file.file_stem().map(OsStr::to_owned));
    files.iter().map(|file| table(file)).collect()
}

fn table(file: &Path) -> io::Result<Table> {
    let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let mut table = Table { name, columns: Vec::new(), rows: Vec::new() };
    for line in fs::read_to_string(file)?.lines() {
        let row: Row = serde_json::from_str(line)?;
        table.columns = row.columns;
        table.rows.push(row.cells);
    }
    Ok(table)
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = || std::iter::once(&self.columns).chain(&self.rows);
        let width = |column: usize| {
            lines().filter_map(|cells| cells.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        for (number, cells) in lines().enumerate() {
            for (cell, width) in cells.iter().zip(&widths) {
                write!(f, "| {cell:width$} ")?;
            }
            writeln!(f, "|")?;
            if number == 0 {
                for width in &widths {
                    write!(f, "|{:-<1$}", "", width.saturating_add(2))?;
                }
                writeln!(f, "|")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

    use super::*;

    fn row(cells: [&str; 2]) -> Row {
        Row { columns: vec!["fault".into(), "moved".into()], cells: cells.map(str::to_owned).to_vec() }
    }

    #[test]
    fn rows_of_several_writers_become_one_aligned_table() {
        let folder = tempfile::tempdir().unwrap();
        append(&folder.path().join("faults"), &row(["killed", "0"])).unwrap();
        append(&folder.path().join("faults"), &row(["hängt", "12"])).unwrap();
        append(&folder.path().join("faults-keys"), &row(["rotated", "0"])).unwrap();
        let tables = tables(folder.path()).unwrap();
        assert_eq!(tables.iter().map(|table| table.name.as_str()).collect::<Vec<_>>(), ["faults", "faults-keys"]);
        let text = "| fault  | moved |\n|--------|-------|\n| killed | 0     |\n| hängt  | 12    |\n";
        assert_eq!(tables.first().unwrap().to_string(), text);
    }

    #[test]
    fn a_folder_that_is_not_there_has_no_tables() {
        assert_eq!(tables(Path::new("/nowhere")).unwrap(), []);
    }

    #[test]
    fn a_file_that_is_no_table_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("faults.jsonl"), "killed\n").unwrap();
        assert!(tables(folder.path()).is_err());
    }

    #[test]
    #[should_panic(expected = "for the columns")]
    fn a_row_with_a_gap_fails_the_test_that_made_it() {
        Report::of("faults", &["fault", "moved"]).row(&["killed"]);
    }
}
