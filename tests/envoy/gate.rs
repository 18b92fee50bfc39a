//! Runs the script of the checks, `.ci/run`, on a machine in which an installation fails. It leaves no file behind.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::documents::read;

/// The file that keeps services from starting, as the script names it.
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// The programs that the script calls before it installs anything, and those that clean up.
const PROGRAMS: [&str; 5] = ["bash", "chmod", "dirname", "env", "rm"];

/// A copy of the script in a folder of its own, with programs of its own. It installs nothing on this machine.
struct Machine {
    folder: TempDir,
}

impl Machine {
    /// A machine without curl, on which `apt-get install` does this.
    fn with_install(does: &str) -> Self {
        let machine = Self { folder: tempfile::tempdir().unwrap() };
        let own = format!("policy={}\n", machine.policy().display());
        let script = read(".ci/run").replace(&format!("policy={POLICY}\n"), &own);
        assert!(script.contains(&own));
        for folder in [".ci", "bin"] {
            fs::create_dir(machine.folder.path().join(folder)).unwrap();
        }
        program(&machine.script(), &script);
        for name in PROGRAMS {
            let present = ["/bin", "/usr/bin"].map(|folder| Path::new(folder).join(name));
            let present = present.into_iter().find(|file| file.exists()).unwrap();
            symlink(present, machine.bin(name)).unwrap();
        }
        program(&machine.bin("cargo"), "#!/bin/sh\nexit 0\n");
        let [policy, seen] = [machine.policy(), machine.seen()].map(|file| file.display().to_string());
        let install = format!("#!/bin/sh\n[ \"$1\" = update ] && exit 0\n/bin/cp {policy} {seen}\n{does}\n");
        program(&machine.bin("apt-get"), &install);
        machine
    }

    fn script(&self) -> PathBuf {
        self.folder.path().join(".ci/run")
    }

    fn bin(&self, name: &str) -> PathBuf {
        self.folder.path().join("bin").join(name)
    }

    fn policy(&self) -> PathBuf {
        self.folder.path().join("policy-rc.d")
    }

    /// The policy while `apt-get` ran.
    fn seen(&self) -> PathBuf {
        self.folder.path().join("seen")
    }

    /// Runs the script, which fails in the installation of curl.
    #[track_caller]
    fn run(&self) {
        let mut command = Command::new(self.script());
        let output = command.env("PATH", self.folder.path().join("bin")).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains("installing curl"), "{said}");
        assert_eq!(fs::read_to_string(self.seen()).unwrap(), "#!/bin/sh\nexit 101\n", "{said}");
    }
}

fn program(file: &Path, text: &str) {
    fs::write(file, text).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn an_installation_that_fails_or_is_interrupted_leaves_no_policy_behind() {
    // A terminal interrupts all programs that run in it.
    for does in ["exit 100", "kill -TERM $PPID", "kill -HUP $PPID", "kill -INT $PPID $$"] {
        let machine = Machine::with_install(does);
        machine.run();
        assert!(!machine.policy().exists(), "{does}");
    }
}

#[test]
fn a_policy_of_the_machine_stays_as_it_is() {
    let machine = Machine::with_install("exit 100");
    fs::write(machine.policy(), "#!/bin/sh\nexit 101\n").unwrap();
    machine.run();
    assert_eq!(fs::read_to_string(machine.policy()).unwrap(), "#!/bin/sh\nexit 101\n");
}
