//! The ports of the demo.

use std::env;
use std::ffi::OsString;
use std::io;
use std::net::{Ipv4Addr, TcpListener};

use local_envoy::{Error, Result};

use crate::free_ports::free_ports;

/// The ports at which a browser and an operator reach the demo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// The port of the listener with stickiness. Default: 10000.
    pub sticky: u16,
    /// The port of the listener without stickiness. Default: 10001.
    pub plain: u16,
    /// Envoy's admin interface. Default: 9901.
    pub admin: u16,
}

/// The ports of `envoy/envoy.yaml` and `docker-compose.yml`.
impl Default for Ports {
    fn default() -> Self {
        Self { sticky: 10_000, plain: 10_001, admin: 9901 }
    }
}

impl Ports {
    /// The ports in `PORT_STICKY`, `PORT_PLAIN` and `PORT_ADMIN`. An unset or empty variable means the default, as in
    /// `docker-compose.yml`.
    ///
    /// # Errors
    ///
    /// When a value is not a port, or two ports are the same.
    pub fn from_environment() -> Result<Self> {
        Self::read(|name| env::var_os(name))
    }

    /// Three free ports, for a demo that runs beside others.
    ///
    /// # Errors
    ///
    /// When no ports are free.
    pub fn free() -> Result<Self> {
        let [sticky, plain, admin] = free_ports()?;
        Ok(Self { sticky, plain, admin })
    }

    /// Checks that a process can listen on all three ports.
    ///
    /// # Errors
    ///
    /// When a port is not free. The error names a remedy.
    pub fn check_free(self) -> Result<()> {
        self.named().into_iter().try_for_each(|(variable, port)| check_free(variable, port))
    }

    /// The environment variables from which [`Ports::from_environment`] makes the same ports.
    #[must_use]
    pub fn variables(self) -> [(&'static str, String); 3] {
        self.named().map(|(name, port)| (name, port.to_string()))
    }

    fn named(self) -> [(&'static str, u16); 3] {
        [("PORT_STICKY", self.sticky), ("PORT_PLAIN", self.plain), ("PORT_ADMIN", self.admin)]
    }

    fn read(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self> {
        let mut ports = Self::default().named();
        for (name, port) in &mut ports {
            let Some(text) = variable(name).filter(|text| !text.is_empty()) else {
                continue;
            };
            let given = text.to_str().and_then(|text| text.parse().ok()).filter(|given| *given > 0);
            *port = given
                .ok_or_else(|| Error::new(format!("{name} is {text:?}, but a port is a number from 1 to 65535")))?;
        }
        for (index, (name, port)) in ports.iter().enumerate() {
            if let Some((earlier, _)) = ports.iter().take(index).find(|(_, earlier)| earlier == port) {
                return Err(Error::new(format!("{earlier} and {name} are both {port}: each needs a port of its own")));
            }
        }
        let [(_, sticky), (_, plain), (_, admin)] = ports;
        Ok(Self { sticky, plain, admin })
    }
}

/// Binds the port as Envoy would. Unlike Envoy's error, this one names a remedy for a port that is taken.
fn check_free(variable: &str, port: u16) -> Result<()> {
    match TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(Error::new(format!(
            "port {port} ({variable}) is taken by another program, perhaps another demo: end that one (`lsof -i :{port}` or \
             `ss -ltnp` names it; if Docker holds it, `docker compose down`), or set {variable} to another port"
        ))),
        Err(error) => Err(Error::new(format!("port {port} ({variable}) cannot be listened on: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use local_envoy::Config;

    fn read(environment: &[(&str, &str)]) -> Result<Ports> {
        Ports::read(|name| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into()))
    }

    #[test]
    fn without_variables_the_ports_are_those_of_the_shipped_configuration() {
        let ports = read(&[("PORT_PLAIN", "")]).unwrap();
        let shipped = Config::shipped().unwrap().addresses().unwrap();
        let shipped: Vec<_> =
            shipped.iter().map(|(name, address)| (format!("PORT_{}", name.to_uppercase()), address.port())).collect();
        assert_eq!(shipped, ports.named().map(|(name, port)| (name.to_owned(), port)));
    }

    #[test]
    fn variables_are_read_as_they_are_written() {
        let ports = Ports { sticky: 1, plain: 65_535, admin: 20_901 };
        let variables = ports.variables();
        let variables: Vec<_> = variables.iter().map(|(name, port)| (*name, port.as_str())).collect();
        assert_eq!(read(&variables), Ok(ports));
    }

    #[test]
    fn a_value_that_is_no_port_is_shown_with_its_variable() {
        for wrong in ["0", "65536", "-1", "http", " 1"] {
            let error = read(&[("PORT_PLAIN", wrong)]).unwrap_err().to_string();
            assert_eq!(error, format!("PORT_PLAIN is {wrong:?}, but a port is a number from 1 to 65535"));
        }
    }

    #[test]
    fn two_equal_ports_are_named() {
        let error = read(&[("PORT_ADMIN", "10000")]).unwrap_err().to_string();
        assert_eq!(error, "PORT_STICKY and PORT_ADMIN are both 10000: each needs a port of its own");
    }

    #[test]
    fn a_taken_port_is_named_with_what_to_do() {
        let holder = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = holder.local_addr().unwrap().port();
        let error = check_free("PORT_STICKY", port).unwrap_err().to_string();
        assert!(error.starts_with(&format!("port {port} (PORT_STICKY) is taken by another program")), "{error}");
        assert!(error.ends_with("or set PORT_STICKY to another port"), "{error}");
        drop(holder);
        assert_eq!(check_free("PORT_STICKY", port), Ok(()));
    }
}
