//! The module that ships, running.

use std::sync::OnceLock;

use wasmi::{Engine, Error, Func, Instance, Linker, Module, Store, Val, WasmParams, WasmResults};

use crate::answers::{Call, Headers, Host};

/// A VM of its own for every test: a trap is the end of it.
pub(crate) struct Vm {
    store: Store<Host>,
    instance: Instance,
    last_context: i32,
}

fn module() -> &'static Module {
    static MODULE: OnceLock<Module> = OnceLock::new();
    MODULE.get_or_init(|| Module::new(&Engine::default(), std::fs::read(harness::wasm()).unwrap()).unwrap())
}

impl Vm {
    /// The module on this host, before its first callback.
    pub(crate) fn load(host: Host) -> Self {
        let module = module();
        let mut store = Store::new(module.engine(), host);
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

    pub(crate) fn host(&mut self) -> &mut Host {
        self.store.data_mut()
    }

    /// Runs what Envoy runs first.
    pub(crate) fn initialize(&mut self) -> Result<(), Error> {
        self.call("_initialize", ())
    }

    /// A new context of a plugin, or of a request when it has a parent.
    pub(crate) fn create(&mut self, parent: i32) -> Result<i32, Error> {
        self.last_context += 1;
        self.call::<_, ()>("proxy_on_context_create", (self.last_context, parent))?;
        Ok(self.last_context)
    }

    /// Whether the plugin accepts this configuration.
    pub(crate) fn configure(&mut self, plugin: i32, configuration: &str) -> Result<bool, Error> {
        self.host().configuration = configuration.into();
        let size = i32::try_from(configuration.len()).unwrap();
        self.call::<_, i32>("proxy_on_configure", (plugin, size)).map(|accepted| accepted != 0)
    }

    /// A request with these headers arrives; what the filter makes of them.
    pub(crate) fn request(&mut self, stream: i32, headers: &[(&str, &[u8])]) -> Result<Headers, Error> {
        self.host().request_headers = owned(headers);
        let count = i32::try_from(headers.len()).unwrap();
        assert_eq!(self.call::<_, i32>("proxy_on_request_headers", (stream, count, 1))?, 0, "it goes on");
        Ok(self.host().request_headers.clone())
    }

    /// An answer with these headers arrives; what the filter makes of them.
    pub(crate) fn response(&mut self, stream: i32, headers: &[(&str, &[u8])]) -> Result<Headers, Error> {
        self.host().response_headers = owned(headers);
        let count = i32::try_from(headers.len()).unwrap();
        assert_eq!(self.call::<_, i32>("proxy_on_response_headers", (stream, count, 1))?, 0, "it goes on");
        Ok(self.host().response_headers.clone())
    }

    /// The stream is about to end.
    pub(crate) fn log(&mut self, stream: i32) -> Result<(), Error> {
        self.call("proxy_on_log", stream)
    }

    /// A context is gone.
    pub(crate) fn delete(&mut self, context: i32) -> Result<(), Error> {
        self.call("proxy_on_delete", context)
    }

    /// The oldest request of the filter's own is answered, with so many headers: none when it failed.
    pub(crate) fn answer_call(&mut self, plugin: i32, headers: i32) -> Result<(), Error> {
        if self.host().outstanding.is_empty() {
            return Ok(());
        }
        let token = self.host().outstanding.remove(0).cast_signed();
        self.call("proxy_on_http_call_response", (plugin, token, headers, 0, 0))
    }

    fn call<P: WasmParams, R: WasmResults>(&mut self, name: &str, parameters: P) -> Result<R, Error> {
        self.instance.get_typed_func::<P, R>(&self.store, name)?.call(&mut self.store, parameters)
    }
}

fn owned(headers: &[(&str, &[u8])]) -> Headers {
    headers.iter().map(|(name, value)| ((*name).to_owned(), value.to_vec())).collect()
}
