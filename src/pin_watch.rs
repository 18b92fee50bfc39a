//! Warns where Envoy does not obey pins.
//!
//! There are two signs of it:
//!
//! - `stateful_session` has not seen a pin (see [`answering_target`](crate::answering_target)). One request is proof.
//! - A target that was passed over is alive: for one request its pin names a target and another one answers, and soon after it
//!   the target that was passed over answers a request whose pin names another. In an aggregate cluster this is so all the
//!   time, because Envoy chooses the host in the clusters below it, where it does not look at the pin
//!   (<https://github.com/envoyproxy/envoy/issues/37845>). It is so too in a cluster without the policy `override_host`, if the
//!   filter relies on that. A dead, draining or removed target answers nobody, so a failover or a
//!   deployment does not look like this, however many sessions move. A target that flaps or restarts may do it once in a while.
//!   So each time is weighed against the pins that held meanwhile.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::warn_once::warn_once;

/// The weight of a target that was passed over and is alive, in pins that held. With targets chosen by chance, some pins hold by
/// chance: two for each such target, when there are two targets, and one when there are many.
const WEIGHT: u32 = 4;

/// The weight at which a target group is said not to keep its pins.
const TOO_MUCH: u32 = 40;

/// The most target groups that are watched. Only those in which a session has moved are.
const MAX_GROUPS: usize = 64;

/// The signs that a plugin has seen in one worker.
#[derive(Default)]
pub(crate) struct PinWatch {
    has_warned_of_unseen: Cell<bool>,
    groups: RefCell<Vec<Watched>>,
    /// The sum of the weights of all groups. It is mostly 0, and then a pin that holds costs nothing.
    weight: Cell<u32>,
}

struct Watched {
    target_group: Rc<str>,
    /// The target that the last session that moved should have reached.
    passed_over: Rc<str>,
    weight: u32,
    has_warned: bool,
}

impl PinWatch {
    /// Another target than the pin has answered, and `stateful_session` has not seen the pin.
    pub(crate) fn was_unseen(&self, target_group: &str) {
        if !self.has_warned_of_unseen.replace(true) {
            warn_once(&format!(
                "stateful_session has not seen the pin of a request to the target group {target_group:?}, and another target \
                 answered: it is missing, is disabled on the route, reads another header than x-sticky-session-host, or \
                 stands before sticky_sessions in http_filters; place it after sticky_sessions for every route of a sticky \
                 target group"
            ));
        }
    }

    /// The target of the pin was chosen.
    pub(crate) fn held(&self, target_group: &str) {
        if self.weight.get() == 0 {
            return;
        }
        if let Some(watched) = find(&mut self.groups.borrow_mut(), target_group) {
            let less = watched.weight.min(1);
            watched.weight = watched.weight.saturating_sub(less);
            self.weight.set(self.weight.get().saturating_sub(less));
        }
    }

    /// Another target than the pin has answered, though Envoy was told the pin.
    ///
    /// A request that was sent more than once is no sign: its pin may have answered first, with an error after which the route has sent
    /// it to another target. `is_retried` is called only for what would be a sign.
    pub(crate) fn was_passed_over(
        &self,
        target_group: &Rc<str>,
        pin: &Rc<str>,
        answered: &str,
        is_retried: impl FnOnce() -> bool,
    ) {
        let mut groups = self.groups.borrow_mut();
        let Some(watched) = find(&mut groups, target_group) else {
            if groups.len() < MAX_GROUPS {
                let (target_group, passed_over) = (Rc::clone(target_group), Rc::clone(pin));
                groups.push(Watched { target_group, passed_over, weight: 0, has_warned: false });
            }
            return;
        };
        let is_alive = *watched.passed_over == *answered;
        watched.passed_over = Rc::clone(pin);
        if !is_alive || watched.has_warned || is_retried() {
            return;
        }
        watched.weight = watched.weight.saturating_add(WEIGHT);
        self.weight.set(self.weight.get().saturating_add(WEIGHT));
        if watched.weight >= TOO_MUCH {
            self.weight.set(self.weight.get().saturating_sub(watched.weight));
            watched.weight = 0;
            watched.has_warned = true;
            warn_once(&format!(
                "the target group {target_group:?} does not keep its sessions: Envoy passes over targets that are alive; an aggregate \
                 cluster does so, and with override_host a cluster without that load-balancing policy; see docs/deployment.md"
            ));
        }
    }
}

fn find<'a>(groups: &'a mut [Watched], target_group: &str) -> Option<&'a mut Watched> {
    groups.iter_mut().find(|watched| *watched.target_group == *target_group)
}
