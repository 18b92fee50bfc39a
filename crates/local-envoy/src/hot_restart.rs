//! The command-line arguments of a hot restart, in which one Envoy takes over the listeners of another.
//!
//! The Envoys of a hot restart share a base id. The first one draws a free id. Each successor has the next epoch.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::{Error, Result};

/// The position of an Envoy in a chain of hot restarts.
#[derive(Clone)]
pub(crate) struct Generation {
    base: Base,
    epoch: u32,
}

#[derive(Clone)]
enum Base {
    /// The first Envoy draws an id and writes it to this file.
    ToBeDrawn(PathBuf),
    Known(Arc<Family>),
}

/// The Envoys with one base id.
struct Family {
    base_id: u32,
}

impl Generation {
    /// The first Envoy, which writes its base id into this folder.
    pub(crate) fn first(folder: &Path) -> Self {
        Self { base: Base::ToBeDrawn(folder.join("base-id")), epoch: 0 }
    }

    /// The successor of a running Envoy.
    pub(crate) fn next(&self) -> Self {
        Self { base: self.base.clone(), epoch: self.epoch.saturating_add(1) }
    }

    /// The command-line arguments.
    pub(crate) fn arguments(&self, shutdown: Duration) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec!["--restart-epoch".into(), self.epoch.to_string().into()];
        match &self.base {
            Base::ToBeDrawn(file) => {
                arguments.extend(["--use-dynamic-base-id".into(), "--base-id-path".into(), file.into()]);
            }
            Base::Known(family) => arguments.extend(["--base-id".into(), family.base_id.to_string().into()]),
        }
        arguments.extend(["--parent-shutdown-time-s".into(), shutdown.as_secs().to_string().into()]);
        arguments
    }

    /// The same generation after its Envoy has started and drawn its base id.
    pub(crate) fn running(self) -> Result<Self> {
        let Base::ToBeDrawn(file) = &self.base else {
            return Ok(self);
        };
        let text = fs::read_to_string(file).unwrap_or_default();
        let base_id = text.trim().parse().map_err(|_| Error::new(format!("Envoy wrote the base id {text:?}")))?;
        Ok(Self { base: Base::Known(Arc::new(Family { base_id })), epoch: self.epoch })
    }
}

impl Drop for Family {
    /// Removes the shared memory that Envoy leaves behind. Its name consists of the base id and the scope, which is 0.
    fn drop(&mut self) {
        let _ = fs::remove_file(format!("/dev/shm/envoy_shared_memory_{}0", self.base_id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(generation: &Generation) -> String {
        let arguments = generation.arguments(Duration::from_secs(4));
        arguments.iter().map(|argument| argument.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_first_draws_a_base_id_and_the_next_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let first = Generation::first(folder.path());
        let file = folder.path().join("base-id");
        let time = "--parent-shutdown-time-s 4";
        assert_eq!(
            line(&first),
            format!("--restart-epoch 0 --use-dynamic-base-id --base-id-path {} {time}", file.display())
        );
        fs::write(&file, "4294967295").unwrap();
        let next = first.running().unwrap().next();
        assert_eq!(line(&next), format!("--restart-epoch 1 --base-id 4294967295 {time}"));
    }

    #[test]
    fn a_base_id_that_is_not_there_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Generation::first(folder.path()).running().is_err());
    }
}
