//! A pool of demos, which saves most tests the start of an Envoy and two instances.
//!
//! Two tests never use a demo at the same time, so their counters do not mix. The pool ends with the last test that has a demo of it.
//! It is not kept for later tests, because nothing would end its processes and remove their files.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};

use local_demo::Demo;
use local_envoy::Result;

struct Pool {
    idle: Vec<Demo>,
    /// The number of tests that have a demo of the pool.
    lent: usize,
}

static POOL: Mutex<Pool> = Mutex::new(Pool { idle: Vec::new(), lent: 0 });

/// A demo that a test has for itself.
pub(crate) struct Lent {
    demo: Option<Demo>,
    of_pool: bool,
    reuse: bool,
}

impl Lent {
    /// A demo of the pool. If all of them are in use, `start` makes another one.
    pub(crate) fn from_pool(start: impl FnOnce() -> Result<Demo>) -> Result<Self> {
        let idle = {
            let mut pool = pool();
            pool.lent += 1;
            pool.idle.pop()
        };
        // The drop of `lent` counts it as given back, also if the start fails.
        let mut lent = Self { demo: idle, of_pool: true, reuse: false };
        if lent.demo.is_none() {
            lent.demo = Some(start()?);
        }
        Ok(lent)
    }

    /// A demo that does not belong to the pool.
    pub(crate) fn alone(demo: Demo) -> Self {
        Self { demo: Some(demo), of_pool: false, reuse: false }
    }

    pub(crate) fn is_of_pool(&self) -> bool {
        self.of_pool
    }

    /// Allows other tests to use the demo after this one.
    pub(crate) fn reuse(&mut self) {
        self.reuse = true;
    }
}

impl Deref for Lent {
    type Target = Demo;

    fn deref(&self) -> &Demo {
        self.demo.as_ref().unwrap()
    }
}

impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut Demo {
        self.demo.as_mut().unwrap()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if !self.of_pool {
            return;
        }
        let ended = {
            let mut pool = pool();
            pool.lent -= 1;
            pool.idle.extend(self.demo.take_if(|_| self.reuse));
            if pool.lent == 0 { std::mem::take(&mut pool.idle) } else { Vec::new() }
        };
        // Their processes end here, without the lock.
        drop(ended);
    }
}

fn pool() -> MutexGuard<'static, Pool> {
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}
