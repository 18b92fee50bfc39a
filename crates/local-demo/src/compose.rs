//! Runs and changes the demo in containers.

use std::collections::BTreeMap;
use std::env;
use std::process::Command;
use std::time::Duration;

use local_envoy::{Admin, Error, Result, child, try_until, workspace_root};

use crate::Ports;
use crate::demo::CLUSTER;

/// The environment variable with the project of the demo in containers that the tests use.
const PROJECT: &str = "DEMO_COMPOSE_PROJECT";

/// The time from the start of a container until Envoy has resolved its name again, which it does every 5 s.
const LIMIT: Duration = Duration::from_secs(60);

/// The demo of `docker-compose.yml` with its own project name and ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compose {
    project: String,
    ports: Ports,
}

impl Compose {
    /// The demo of this project. It can be running or stopped.
    pub fn new(project: impl Into<String>, ports: Ports) -> Self {
        Self { project: project.into(), ports }
    }

    /// The demo of the project in `DEMO_COMPOSE_PROJECT`, with [`Ports::from_environment`]. `None` when the variable is unset or
    /// empty.
    ///
    /// # Errors
    ///
    /// Those of [`Ports::from_environment`].
    pub fn from_environment() -> Result<Option<Self>> {
        let project = env::var_os(PROJECT).filter(|project| !project.is_empty());
        project.map(|project| Ok(Self::new(project.to_string_lossy(), Ports::from_environment()?))).transpose()
    }

    /// The environment variables from which [`Compose::from_environment`] makes the same demo.
    #[must_use]
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let ports = self.ports.variables();
        ports.into_iter().chain([(PROJECT, self.project.clone())]).collect()
    }

    /// The project name. Every container, network and volume has it as the label `com.docker.compose.project`.
    #[must_use]
    pub fn project(&self) -> &str {
        &self.project
    }

    /// Its ports.
    #[must_use]
    pub fn ports(&self) -> Ports {
        self.ports
    }

    /// The admin interface of its Envoy.
    #[must_use]
    pub fn admin(&self) -> Admin {
        Admin::new(([127, 0, 0, 1], self.ports.admin).into())
    }

    /// `docker compose` with these arguments, for this project.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command.args(["compose", "--project-name", &self.project]).args(arguments);
        command.envs(self.ports.variables()).current_dir(workspace_root());
        command
    }

    /// Stops instance `a` or `b`. The logins in its memory are lost. Returns when its container has ended. Envoy notices it later.
    ///
    /// # Errors
    ///
    /// When Docker refuses. The error contains its output.
    pub fn stop(&self, name: &str) -> Result<()> {
        output(&mut self.command(&["stop", &service(name)])).map(drop)
    }

    /// Starts a stopped instance again. Returns when Envoy sends requests to the present addresses of the running instances and to no
    /// other address. Docker gives the address of a stopped container to the next one that starts.
    ///
    /// # Errors
    ///
    /// When Docker refuses, with its output, or an instance does not become healthy.
    pub fn start_again(&self, name: &str) -> Result<()> {
        output(&mut self.command(&["start", &service(name)]))?;
        let mut running: Vec<String> = self.addresses()?.into_values().collect();
        running.sort();
        let is_known = || Ok(self.admin().serving_hosts(CLUSTER)? == running);
        try_until("Envoy to send requests to every running instance", LIMIT, is_known)
    }

    /// The IP address of each running instance, by the name of its service.
    ///
    /// # Errors
    ///
    /// When Docker refuses. The error contains its output.
    pub fn addresses(&self) -> Result<BTreeMap<String, String>> {
        let services = output(&mut self.command(&["ps", "--status", "running", "--services"]))?;
        let mut addresses = BTreeMap::new();
        for service in services.lines().filter(|line| line.starts_with(&service(""))) {
            let id = output(&mut self.command(&["ps", "--quiet", service]))?;
            let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
            let address = output(Command::new("docker").args(["inspect", "--format", format, id.trim()]))?;
            addresses.insert(service.to_owned(), address.trim().to_owned());
        }
        Ok(addresses)
    }

    /// The existing containers, networks and volumes of the project, running or stopped.
    ///
    /// # Errors
    ///
    /// When Docker refuses. The error contains its output.
    pub fn left_behind(&self) -> Result<Vec<String>> {
        let label = format!("label=com.docker.compose.project={}", self.project);
        let mut found = Vec::new();
        for (kind, list) in [
            ("container", &["ps", "--all", "--format", "{{.Names}}"][..]),
            ("network", &["network", "ls", "--format", "{{.Name}}"]),
            ("volume", &["volume", "ls", "--format", "{{.Name}}"]),
        ] {
            let names = output(Command::new("docker").args(list).args(["--filter", &label]))?;
            found.extend(names.lines().map(|name| format!("{kind} {name}")));
        }
        Ok(found)
    }
}

fn service(instance: &str) -> String {
    format!("backend-{instance}")
}

fn output(command: &mut Command) -> Result<String> {
    let output = child::output(command, LIMIT)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = output.stdout + &output.stderr;
    Err(Error::new(format!("{} failed ({}): {}", child::describe(command), output.status, said.trim_end())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_for_the_project_and_its_ports() {
        let compose = Compose::new("mine", Ports { sticky: 1, plain: 2, admin: 3 });
        let command = compose.command(&["ps"]);
        assert_eq!(child::describe(&command), "`docker compose --project-name mine ps`");
        let port = command.get_envs().find(|(name, _)| *name == "PORT_ADMIN");
        assert_eq!(port, Some(("PORT_ADMIN".as_ref(), Some("3".as_ref()))));
    }
}
