//! Reads the results of `benches/pure`, which measures the core crate `stickiness` without Envoy.
//!
//! The file `target/bench/pure.json` is a list of `{"name", "ns", "spread", "allocations", "bytes"}`. `ns` and `spread` are
//! nanoseconds; `allocations` and `bytes` are those of one operation.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::Value;

/// The cost of one operation.
#[derive(Debug, PartialEq)]
pub(crate) struct Operation {
    pub(crate) name: String,
    pub(crate) nanoseconds: f64,
    pub(crate) spread: f64,
    pub(crate) allocations: u64,
    pub(crate) bytes: u64,
}

/// Reads all operations, or returns `None` if the file does not exist.
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
    let rows = value.as_array().context("it is not a list")?;
    let operations = rows.iter().map(|row| {
        Some(Operation {
            name: row["name"].as_str()?.to_owned(),
            nanoseconds: row["ns"].as_f64()?,
            spread: row["spread"].as_f64()?,
            allocations: row["allocations"].as_u64()?,
            bytes: row["bytes"].as_u64()?,
        })
    });
    operations.collect::<Option<_>>().context("a row needs name, ns, spread, allocations and bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_an_operation() {
        let read = parse(r#"[{"name": "open", "ns": 433.4, "spread": 5, "allocations": 1, "bytes": 48}]"#).unwrap();
        let open = Operation { name: "open".into(), nanoseconds: 433.4, spread: 5.0, allocations: 1, bytes: 48 };
        assert_eq!(read, [open]);
    }

    #[test]
    fn an_incomplete_row_is_an_error() {
        assert!(parse(r#"[{"name": "open"}]"#).is_err());
        assert!(parse("{}").is_err());
    }
}
