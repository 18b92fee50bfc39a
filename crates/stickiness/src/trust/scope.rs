//! The scope of a binding: the policy, or the part of the operator's routes, that it was given under.

use std::rc::Rc;

/// The scope of a binding, by the name that the operator gave it. A binding of one scope pins nothing in another.
///
/// Most bindings have the scope of their target group itself, which has the empty name and needs no memory.
///
/// ```
/// use stickiness::trust::scope::Scope;
///
/// assert_eq!(Scope::new("admin").name(), "admin");
/// assert_eq!(Scope::new(""), Scope::default());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope(Option<Rc<str>>);

impl Scope {
    /// The scope with this name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self((!name.is_empty()).then(|| name.into()))
    }

    /// Its name; empty for that of the target group itself.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }
}
