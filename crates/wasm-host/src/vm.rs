//! A VM that runs a module.

use wasmi::{Config, Engine, Error, Func, Instance, Linker, Module, Store, Val, WasmParams, WasmResults};

use crate::Crossing;
use crate::answers::{Call, Headers, Host};

/// A module at work. A trap is the end of it.
pub struct Vm {
    store: Store<Host>,
    instance: Instance,
    last_context: i32,
}

impl Vm {
    /// The module in these bytes, to be loaded any number of times.
    ///
    /// # Errors
    ///
    /// When they are no module.
    pub fn module(bytes: &[u8]) -> Result<Module, Error> {
        Module::new(&Engine::default(), bytes)
    }

    /// The same module, whose instructions [`Vm::fuel`] counts.
    ///
    /// # Errors
    ///
    /// When the bytes are no module.
    pub fn metered_module(bytes: &[u8]) -> Result<Module, Error> {
        Module::new(&Engine::new(Config::default().consume_fuel(true)), bytes)
    }

    /// The module on this host, before its first callback.
    #[must_use]
    pub fn load(module: &Module, host: Host) -> Self {
        let mut store = Store::new(module.engine(), host);
        let is_metered = store.get_fuel().is_ok();
        if is_metered {
            store.set_fuel(u64::MAX).unwrap();
        }
        let mut linker = Linker::new(module.engine());
        for import in module.imports() {
            let name = import.name().to_owned();
            let function =
                Func::new(&mut store, import.ty().func().unwrap().clone(), move |mut caller, arguments, results| {
                    let status = Call { caller: &mut caller, arguments }.answer(&name)?;
                    results.fill(Val::I32(status));
                    Ok(())
                });
            linker.define(import.module(), import.name(), function).unwrap();
        }
        let instance = linker.instantiate_and_start(&mut store, module).unwrap();
        Self { store, instance, last_context: 0 }
    }

    /// Its host.
    pub fn host(&mut self) -> &mut Host {
        self.store.data_mut()
    }

    /// The linear memory of the module, in bytes.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.instance.get_memory(&self.store, "memory").map_or(0, |memory| memory.data_size(&self.store))
    }

    /// The instructions that the module has executed, in wasmi's units of fuel. One that moves many bytes counts for several.
    ///
    /// # Panics
    ///
    /// If the module is not a [`Vm::metered_module`].
    #[must_use]
    pub fn fuel(&self) -> u64 {
        u64::MAX - self.store.get_fuel().unwrap()
    }

    /// Calls the function that Envoy calls first.
    ///
    /// # Errors
    ///
    /// When the module traps; here and below.
    pub fn initialize(&mut self) -> Result<(), Error> {
        self.call("_initialize", ())
    }

    /// A new context of a plugin, or of a request when it has a parent.
    ///
    /// # Errors
    ///
    /// As above.
    pub fn create(&mut self, parent: i32) -> Result<i32, Error> {
        self.last_context += 1;
        self.call::<_, ()>("proxy_on_context_create", (self.last_context, parent))?;
        Ok(self.last_context)
    }

    /// Tells whether the plugin accepts this configuration.
    ///
    /// # Errors
    ///
    /// As above.
    pub fn configure(&mut self, plugin: i32, configuration: &str) -> Result<bool, Error> {
        self.host().configuration = configuration.into();
        let size = i32::try_from(configuration.len()).unwrap();
        self.call::<_, i32>("proxy_on_configure", (plugin, size)).map(|accepted| accepted != 0)
    }

    /// A request with these headers and no body arrives. Returns them as the filter has changed them.
    ///
    /// # Errors
    ///
    /// As above.
    pub fn request(&mut self, stream: i32, headers: &[(&str, &[u8])]) -> Result<Headers, Error> {
        self.host().request_headers = owned(headers);
        let count = i32::try_from(headers.len()).unwrap();
        let action: Option<i32> = self.call_if_there("proxy_on_request_headers", (stream, count, 1))?;
        assert_eq!(action.unwrap_or_default(), 0, "it goes on");
        Ok(self.host().request_headers.clone())
    }

    /// An answer with these headers arrives. Returns them as the filter has changed them.
    ///
    /// # Errors
    ///
    /// As above.
    pub fn response(&mut self, stream: i32, headers: &[(&str, &[u8])]) -> Result<Headers, Error> {
        self.host().response_headers = owned(headers);
        let count = i32::try_from(headers.len()).unwrap();
        let action: Option<i32> = self.call_if_there("proxy_on_response_headers", (stream, count, 0))?;
        assert_eq!(action.unwrap_or_default(), 0, "it goes on");
        Ok(self.host().response_headers.clone())
    }

    /// The body of an answer arrives, in one piece of so many bytes.
    ///
    /// # Errors
    ///
    /// As above.
    pub fn response_body(&mut self, stream: i32, length: i32) -> Result<(), Error> {
        self.call_if_there::<_, i32>("proxy_on_response_body", (stream, length, 1)).map(drop)
    }

    /// The stream is about to end.
    ///
    /// # Errors
    ///
    /// As above.
    pub fn log(&mut self, stream: i32) -> Result<(), Error> {
        self.call_if_there::<_, ()>("proxy_on_log", stream).map(drop)
    }

    /// The timer of a plugin fires.
    ///
    /// # Errors
    ///
    /// As above.
    pub fn tick(&mut self, plugin: i32) -> Result<(), Error> {
        self.call_if_there::<_, ()>("proxy_on_tick", plugin).map(drop)
    }

    /// A context is gone.
    ///
    /// # Errors
    ///
    /// As above.
    pub fn delete(&mut self, context: i32) -> Result<(), Error> {
        self.call_if_there::<_, i32>("proxy_on_done", context)?;
        self.call_if_there::<_, ()>("proxy_on_delete", context).map(drop)
    }

    /// The oldest request of the filter's own is answered, with so many headers: none when it failed.
    ///
    /// # Errors
    ///
    /// As above.
    pub fn answer_call(&mut self, plugin: i32, headers: i32) -> Result<(), Error> {
        if self.host().outstanding.is_empty() {
            return Ok(());
        }
        let token = self.host().outstanding.remove(0).cast_signed();
        self.call("proxy_on_http_call_response", (plugin, token, headers, 0, 0))
    }

    fn call<P: WasmParams, R: WasmResults>(&mut self, name: &str, parameters: P) -> Result<R, Error> {
        let function = self.instance.get_typed_func::<P, R>(&self.store, name)?;
        self.host().record.push(Crossing::Callback(name.to_owned()));
        function.call(&mut self.store, parameters)
    }

    /// Envoy does not call a callback that a module does not export.
    fn call_if_there<P: WasmParams, R: WasmResults>(&mut self, name: &str, parameters: P) -> Result<Option<R>, Error> {
        match self.instance.get_func(&self.store, name) {
            Some(_) => self.call(name, parameters).map(Some),
            None => Ok(None),
        }
    }
}

fn owned(headers: &[(&str, &[u8])]) -> Headers {
    headers.iter().map(|(name, value)| ((*name).to_owned(), value.to_vec())).collect()
}
