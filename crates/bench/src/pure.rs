//! What does the part cost that knows nothing of Envoy, as `benches/pure` has measured it?
//!
//! They leave `target/bench/pure.json`: a list of `{"name", "ns", "spread", "allocations", "bytes"}`, where `ns` and `spread`
//! are nanoseconds, and the last two are of one operation.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::table::Table;

/// One operation.
#[derive(Debug, PartialEq)]
pub(crate) struct Operation {
    name: String,
    nanoseconds: f64,
    spread: f64,
    allocations: u64,
    bytes: u64,
}

/// All of them, or `None` where they were not measured.
pub(crate) fn read() -> Result<Option<Vec<Operation>>> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = target.unwrap_or_else(|| local_envoy::workspace_root().join("target"));
    let file = target.join("bench/pure.json");
    match fs::read_to_string(&file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        text => parse(&text?).with_context(|| file.display().to_string()).map(Some),
    }
}

fn parse(text: &str) -> Result<Vec<Operation>> {
    let value: Value = serde_json::from_str(text)?;
    let rows = value.as_array().context("it is no list")?;
    let operations = rows.iter().map(|row| {
        Some(Operation {
            name: row["name"].as_str()?.to_owned(),
            nanoseconds: row["ns"].as_f64()?,
            spread: row["spread"].as_f64()?,
            allocations: row["allocations"].as_u64()?,
            bytes: row["bytes"].as_u64()?,
        })
    });
    operations.collect::<Option<_>>().context("a row has not all of name, ns, spread, allocations and bytes")
}

/// For the page.
pub(crate) fn table(operations: &[Operation]) -> String {
    let mut table = Table::of(&["operation", "ns", "allocations", "bytes allocated"]);
    for Operation { name, nanoseconds, spread, allocations, bytes } in operations {
        table.row([
            name.clone(),
            format!("{nanoseconds:.0} ± {spread:.0}"),
            allocations.to_string(),
            bytes.to_string(),
        ]);
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_an_operation() {
        let read = parse(r#"[{"name": "open", "ns": 433.4, "spread": 5, "allocations": 1, "bytes": 48}]"#).unwrap();
        let open = Operation { name: "open".into(), nanoseconds: 433.4, spread: 5.0, allocations: 1, bytes: 48 };
        assert_eq!(read, [open]);
        assert!(table(&read).contains("| open      | 433 ± 5 | 1           | 48              |"), "{}", table(&read));
    }

    #[test]
    fn a_row_with_a_gap_is_an_error() {
        assert!(parse(r#"[{"name": "open"}]"#).is_err());
        assert!(parse("{}").is_err());
    }
}
