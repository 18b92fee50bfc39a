//! What the host answers: as Envoy, unless it is to fail.

use std::collections::{BTreeMap, BTreeSet};

use wasmi::{Caller, Error, Extern, Memory, Val};

/// Header names and values.
pub(crate) type Headers = Vec<(String, Vec<u8>)>;

pub(crate) const OK: i32 = 0;
const NOT_FOUND: i32 = 1;
const CAS_MISMATCH: i32 = 8;

/// How the host fails.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// This function does nothing and answers with this status.
    Status(String, i32),
    /// Every function does.
    EveryStatus(i32),
    /// This function succeeds and hands over nothing.
    NoData(String),
}

/// What the host holds and has been told.
#[derive(Default)]
pub(crate) struct Host {
    pub(crate) configuration: Vec<u8>,
    pub(crate) request_headers: Headers,
    pub(crate) response_headers: Headers,
    /// By path, joined with dots.
    pub(crate) properties: BTreeMap<String, Vec<u8>>,
    /// The functions and the properties that the filter has asked for.
    pub(crate) called: BTreeSet<String>,
    pub(crate) asked_for: BTreeSet<String>,
    /// The requests of the filter's own that are not answered yet.
    pub(crate) outstanding: Vec<u32>,
    pub(crate) fault: Option<Fault>,
    pub(crate) log: Vec<String>,
    shared_data: BTreeMap<String, Vec<u8>>,
    metrics: u32,
    last_token: u32,
    drawn: u8,
}

/// What the filter may hand over data with, and the host may hand over nothing.
pub(crate) const DATA: [&str; 4] =
    ["proxy_get_buffer_bytes", "proxy_get_header_map_pairs", "proxy_get_property", "proxy_get_shared_data"];

/// The environment of the VM.
const VARIABLE: &[u8] = b"A=B\0";

impl Host {
    fn failure(&self, function: &str) -> Option<i32> {
        match self.fault.as_ref()? {
            Fault::Status(name, status) => (name == function).then_some(*status),
            Fault::EveryStatus(status) => Some(*status),
            Fault::NoData(name) => (name == function).then_some(OK),
        }
    }

    fn headers(&mut self, map: i32) -> &mut Headers {
        match map {
            0 => &mut self.request_headers,
            2 => &mut self.response_headers,
            other => panic!("the filter has no business with the map {other}"),
        }
    }
}

/// A call of the filter.
pub(crate) struct Call<'a, 'b> {
    pub(crate) caller: &'a mut Caller<'b, Host>,
    pub(crate) arguments: &'a [Val],
}

impl Call<'_, '_> {
    /// The status with which this function of the host answers.
    pub(crate) fn answer(&mut self, function: &str) -> Result<i32, Error> {
        self.host().called.insert(function.to_owned());
        if let Some(status) = self.host().failure(function) {
            return Ok(status);
        }
        match function {
            "proxy_log" => {
                let line = self.text(1);
                self.host().log.push(line);
            }
            "proxy_get_current_time_nanoseconds" => self.write(0, &1_700_000_000_000_000_000_u64.to_le_bytes()),
            "proxy_get_buffer_bytes" => {
                let configuration = self.host().configuration.clone();
                self.give(&configuration, 3)?;
            }
            "proxy_get_header_map_pairs" => {
                let map = self.argument(0);
                let pairs = serialized(self.host().headers(map));
                self.give(&pairs, 1)?;
            }
            "proxy_remove_header_map_value" => self.remove_header(),
            "proxy_replace_header_map_value" => {
                self.remove_header();
                self.add_header();
            }
            "proxy_add_header_map_value" => self.add_header(),
            "proxy_get_property" => {
                let path = self.text(0).replace('\0', ".");
                self.host().asked_for.insert(path.clone());
                let Some(value) = self.host().properties.get(&path).cloned() else { return Ok(NOT_FOUND) };
                self.give(&value, 2)?;
            }
            "proxy_get_shared_data" => {
                let key = self.text(0);
                let Some(value) = self.host().shared_data.get(&key).cloned() else { return Ok(NOT_FOUND) };
                self.give(&value, 2)?;
                self.write(4, &1_u32.to_le_bytes());
            }
            "proxy_set_shared_data" => {
                let (key, value) = (self.text(0), self.bytes(2));
                if self.host().shared_data.contains_key(&key) {
                    return Ok(CAS_MISMATCH);
                }
                self.host().shared_data.insert(key, value);
            }
            "proxy_define_metric" => {
                self.host().metrics += 1;
                let id = self.host().metrics * 4;
                self.write(3, &id.to_le_bytes());
            }
            "proxy_http_call" => {
                self.host().last_token += 1;
                let token = self.host().last_token;
                self.host().outstanding.push(token);
                self.write(9, &token.to_le_bytes());
            }
            "random_get" => {
                let (at, length) = (self.argument(0), usize::try_from(self.argument(1)).unwrap());
                let host = self.host();
                host.drawn = host.drawn.wrapping_add(1);
                let bytes = vec![host.drawn; length];
                self.write_at(at, &bytes);
            }
            "environ_sizes_get" => {
                self.write(0, &1_u32.to_le_bytes());
                self.write(1, &u32::try_from(VARIABLE.len()).unwrap().to_le_bytes());
            }
            "environ_get" => {
                let at = self.argument(1);
                self.write(0, &at.to_le_bytes());
                self.write_at(at, VARIABLE);
            }
            "proxy_set_property" | "proxy_increment_metric" | "proxy_set_effective_context" | "fd_write" => (),
            other => return Err(Error::new(format!("the filter called {other}"))),
        }
        Ok(OK)
    }

    fn host(&mut self) -> &mut Host {
        self.caller.data_mut()
    }

    fn argument(&self, position: usize) -> i32 {
        self.arguments[position].i32().unwrap()
    }

    fn remove_header(&mut self) {
        let (map, name) = (self.argument(0), self.text(1));
        self.host().headers(map).retain(|(present, _)| *present != name);
    }

    fn add_header(&mut self) {
        let (map, name, value) = (self.argument(0), self.text(1), self.bytes(3));
        self.host().headers(map).push((name, value));
    }

    fn memory(&self) -> Memory {
        self.caller.get_export("memory").and_then(Extern::into_memory).unwrap()
    }

    /// The bytes to which a pointer and the length after it point.
    fn bytes(&self, position: usize) -> Vec<u8> {
        let [at, length] = [position, position + 1].map(|position| usize::try_from(self.argument(position)).unwrap());
        self.memory().data(&*self.caller)[at..at + length].to_vec()
    }

    fn text(&self, position: usize) -> String {
        String::from_utf8(self.bytes(position)).unwrap()
    }

    /// Writes to where a pointer points.
    fn write(&mut self, position: usize, bytes: &[u8]) {
        self.write_at(self.argument(position), bytes);
    }

    fn write_at(&mut self, address: i32, bytes: &[u8]) {
        self.memory().write(&mut *self.caller, usize::try_from(address).unwrap(), bytes).unwrap();
    }

    /// Hands bytes over in memory that the filter allocates, through two pointers. As Envoy, which hands over no empty ones.
    fn give(&mut self, bytes: &[u8], position: usize) -> Result<(), Error> {
        let mut at = 0;
        if !bytes.is_empty() {
            let allocate = self.caller.get_export("proxy_on_memory_allocate").and_then(Extern::into_func).unwrap();
            let allocate = allocate.typed::<i32, i32>(&*self.caller)?;
            at = allocate.call(&mut *self.caller, i32::try_from(bytes.len()).unwrap())?;
            self.write_at(at, bytes);
        }
        self.write(position, &at.to_le_bytes());
        self.write(position + 1, &u32::try_from(bytes.len()).unwrap().to_le_bytes());
        Ok(())
    }
}

/// As the ABI hands headers over: how many, their lengths, and names and values with a zero after each.
fn serialized(headers: &Headers) -> Vec<u8> {
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap().to_le_bytes();
    let mut bytes = u32::try_from(headers.len()).unwrap().to_le_bytes().to_vec();
    for (name, value) in headers {
        bytes.extend(length(name.as_bytes()));
        bytes.extend(length(value));
    }
    for (name, value) in headers {
        bytes.extend([name.as_bytes(), &[0], value, &[0]].concat());
    }
    bytes
}
