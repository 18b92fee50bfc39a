//! Answers the calls of the filter as Envoy does, unless the test asks for a failure.

use std::collections::{BTreeMap, BTreeSet};

use wasmi::{Caller, Error, Extern, Memory, Val};

use crate::Crossing;

/// Header names and values.
pub type Headers = Vec<(String, Vec<u8>)>;

pub(crate) const OK: i32 = 0;
const NOT_FOUND: i32 = 1;
const BAD_ARGUMENT: i32 = 2;
const CAS_MISMATCH: i32 = 8;

/// A failure of the host.
#[derive(Clone, Debug)]
pub enum Fault {
    /// This function does nothing and answers with this status.
    Status(String, i32),
    /// Every function does.
    EveryStatus(i32),
    /// This function succeeds and hands over nothing.
    NoData(String),
    /// This function hands over its data, and says that they are longer than all memory.
    TooMuchData(String),
}

/// The state of the host: the values that it hands out, and everything that the filter has told it.
pub struct Host {
    /// Of the plugin.
    pub configuration: Vec<u8>,
    /// Of the request that is under way.
    pub request_headers: Headers,
    /// Of its answer.
    pub response_headers: Headers,
    /// By path, joined with dots.
    pub properties: BTreeMap<String, Vec<u8>>,
    /// The clock, in nanoseconds since 1970.
    pub now: u64,
    /// All calls between the host and the filter, in their order.
    pub record: Vec<Crossing>,
    /// The requests of the filter's own that are not answered yet.
    pub outstanding: Vec<u32>,
    /// The failure from now on.
    pub fault: Option<Fault>,
    /// The lines that the filter has logged.
    pub log: Vec<String>,
    /// The time between two ticks, in milliseconds; 0 for none.
    pub tick_period: u32,
    shared_data: BTreeMap<String, Vec<u8>>,
    /// By id divided by four, and how often each counted.
    metrics: Vec<(String, u64)>,
    last_token: u32,
    drawn: u8,
}

impl Default for Host {
    fn default() -> Self {
        Self {
            configuration: Vec::new(),
            request_headers: Vec::new(),
            response_headers: Vec::new(),
            properties: BTreeMap::new(),
            now: 1_700_000_000_000_000_000,
            record: Vec::new(),
            outstanding: Vec::new(),
            fault: None,
            log: Vec::new(),
            tick_period: 0,
            shared_data: BTreeMap::new(),
            metrics: Vec::new(),
            last_token: 0,
            drawn: 0,
        }
    }
}

/// The functions with which the host hands over data.
pub const DATA: [&str; 5] = [
    "proxy_get_buffer_bytes",
    "proxy_get_header_map_pairs",
    "proxy_get_header_map_value",
    "proxy_get_property",
    "proxy_get_shared_data",
];

/// The environment of the VM.
const VARIABLE: &[u8] = b"A=B\0";

impl Host {
    /// The functions that the filter has called.
    #[must_use]
    pub fn called(&self) -> BTreeSet<String> {
        let calls = self.record.iter().filter_map(|crossing| match crossing {
            Crossing::Call { function, .. } => Some(function.clone()),
            Crossing::Callback(_) => None,
        });
        calls.collect()
    }

    /// The properties that the filter has asked for.
    #[must_use]
    pub fn asked_for(&self) -> BTreeSet<String> {
        let paths = self.record.iter().filter_map(|crossing| match crossing {
            Crossing::Call { function, of } if function == "proxy_get_property" => Some(of.clone()),
            _ => None,
        });
        paths.collect()
    }

    /// The sum of all metrics of this name.
    #[must_use]
    pub fn counted(&self, name: &str) -> u64 {
        self.metrics.iter().filter(|(present, _)| present == name).map(|(_, count)| count).sum()
    }

    fn failure(&self, function: &str) -> Option<i32> {
        match self.fault.as_ref()? {
            Fault::Status(name, status) => (name == function).then_some(*status),
            Fault::EveryStatus(status) => Some(*status),
            Fault::NoData(name) => (name == function).then_some(OK),
            Fault::TooMuchData(_) => None,
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
        let of = self.subject(function);
        self.host().record.push(Crossing::Call { function: function.to_owned(), of });
        if let Some(status) = self.host().failure(function) {
            return Ok(status);
        }
        match function {
            "proxy_log" => {
                let line = self.text(1);
                self.host().log.push(line);
            }
            "proxy_get_current_time_nanoseconds" => {
                let now = self.host().now;
                self.write(0, &now.to_le_bytes());
            }
            "proxy_set_tick_period_milliseconds" => self.host().tick_period = self.argument(0).cast_unsigned(),
            "proxy_get_buffer_bytes" => {
                let configuration = self.host().configuration.clone();
                self.give(&configuration, 3)?;
            }
            "proxy_get_header_map_pairs" => {
                let map = self.argument(0);
                let pairs = serialized(self.host().headers(map));
                self.give(&pairs, 1)?;
            }
            "proxy_get_header_map_value" => {
                let (map, name) = (self.argument(0), self.text(1));
                let found = self.host().headers(map).iter().find(|(present, _)| *present == name);
                let Some((_, value)) = found.cloned() else { return Ok(NOT_FOUND) };
                self.give(&value, 3)?;
            }
            "proxy_remove_header_map_value" => self.remove_header(),
            "proxy_replace_header_map_value" => {
                self.remove_header();
                self.add_header();
            }
            "proxy_add_header_map_value" => self.add_header(),
            "proxy_get_property" => {
                let path = self.text(0).replace('\0', ".");
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
                let (key, value, expected) = (self.text(0), self.bytes(2), self.argument(4));
                // A value has the number 1, however often it was replaced. The number 0 is not compared.
                if self.host().shared_data.contains_key(&key) && ![0, 1].contains(&expected) {
                    return Ok(CAS_MISMATCH);
                }
                self.host().shared_data.insert(key, value);
            }
            "proxy_define_metric" => {
                let name = self.text(1);
                self.host().metrics.push((name, 0));
                let id = u32::try_from(self.host().metrics.len()).unwrap() * 4;
                self.write(3, &id.to_le_bytes());
            }
            "proxy_http_call" => {
                // There is no cluster without a name.
                if self.bytes(0).is_empty() {
                    return Ok(BAD_ARGUMENT);
                }
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
            "proxy_increment_metric" => {
                let (id, offset) = (self.argument(0), self.arguments[1].i64().unwrap());
                let place = usize::try_from(id / 4).ok().and_then(|number| number.checked_sub(1));
                let Some((_, count)) = place.and_then(|place| self.host().metrics.get_mut(place)) else {
                    return Ok(BAD_ARGUMENT);
                };
                *count = count.wrapping_add_signed(offset);
            }
            "proxy_set_property" | "proxy_set_effective_context" | "fd_write" => (),
            other => return Err(Error::new(format!("the filter called {other}"))),
        }
        Ok(OK)
    }

    /// The path of the property or the name of the header in a call, for the record.
    fn subject(&self, function: &str) -> String {
        match function {
            "proxy_get_property" => self.text(0).replace('\0', "."),
            "proxy_get_header_map_value"
            | "proxy_remove_header_map_value"
            | "proxy_replace_header_map_value"
            | "proxy_add_header_map_value" => self.text(1),
            _ => String::new(),
        }
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

    /// Hands bytes over in memory that the filter allocates, through two pointers. Like Envoy, it allocates nothing for no bytes.
    fn give(&mut self, bytes: &[u8], position: usize) -> Result<(), Error> {
        let host = self.host();
        let is_too_much = matches!(
            (&host.fault, host.record.last()),
            (Some(Fault::TooMuchData(name)), Some(Crossing::Call { function, .. })) if name == function
        );
        let mut at = 0;
        if !bytes.is_empty() {
            let allocate = self.caller.get_export("proxy_on_memory_allocate").and_then(Extern::into_func).unwrap();
            let allocate = allocate.typed::<i32, i32>(&*self.caller)?;
            self.host().record.push(Crossing::Callback("proxy_on_memory_allocate".to_owned()));
            at = allocate.call(&mut *self.caller, i32::try_from(bytes.len()).unwrap())?;
            self.write_at(at, bytes);
        }
        self.write(position, &at.to_le_bytes());
        let length = if is_too_much { 0x7fff_0000 } else { u32::try_from(bytes.len()).unwrap() };
        self.write(position + 1, &length.to_le_bytes());
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
