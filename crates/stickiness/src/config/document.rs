//! Reads the document as a whole: its six keys, and what they must not say together.
//!
//! AWS has no such document. The names of its parts are those of AWS's API: target groups, rules, stickiness.

use std::mem;
use std::rc::Rc;

use super::context::Context;
use super::cookie::CookieBlock;
use super::error::{ConfigError, near_miss, quote};
use super::name_clashes;
use super::reader::{Read, Reader, block};
use super::resolved::{Config, EVERY_OTHER, Mechanism, Parsed, Policies, TargetGroups};
use super::rule::RuleBlock;
use super::shared_cookies;
use super::target_group::{PolicyBlock, TargetGroupBlock};
use crate::by_name::in_order;
use crate::policy::{CookieOptions, Policy, Stickiness};
use crate::trust::key_ring::KeyRing;
use crate::trust::key_text;
use crate::trust::scope::Scope;

/// The keys of the document under which target groups or policies stand by name. A name is no attribute: a target group
/// may be called `web.example.com`.
pub(super) const BY_NAME: &[&str] = &["target_groups", "policies"];

/// The key of the document under which the rules stand.
pub(super) const RULES: &str = "rules";

/// A configuration as it is written.
#[derive(Default)]
pub(super) struct Document {
    target_groups: Option<Blocks>,
    policies: Option<Blocks>,
    rules: Vec<RuleBlock>,
    keys: Option<Vec<KeyBlock>>,
    upstream: UpstreamBlock,
    cookie: CookieBlock,
}

/// Target groups or policies with their names, as they stand in the document.
#[derive(Default)]
struct Blocks(Vec<(String, TargetGroupBlock)>);

/// A key of the ring: `keys[0]`.
#[derive(Default)]
struct KeyBlock {
    id: String,
    secret: String,
}

/// The side of the targets: `upstream`.
#[derive(Default)]
struct UpstreamBlock {
    mechanism: Mechanism,
    only_target_group: Option<String>,
}

block!(Document {
    "target_groups" => target_groups by read_target_groups,
    "policies" => policies by read_policies,
    "rules" => rules,
    "keys" => keys,
    "upstream" => upstream,
    "cookie" => cookie
});

block!(KeyBlock { "id" => id, "secret" => secret; required: "id", "secret" });

block!(UpstreamBlock { "mechanism" => mechanism, "only_target_group" => only_target_group });

impl Document {
    /// Decides everything that can be decided before a request comes, and checks what no key can check alone.
    pub(super) fn resolve(self) -> Result<Parsed, ConfigError> {
        let mut warnings = Vec::new();
        let key_ring = self.keys.map(resolve_keys).transpose()?;
        let without_options = CookieOptions::default();
        let cookie = self.cookie.resolve(&mut Context::new(&without_options, &mut warnings).below("cookie"))?;
        let mut context = Context::new(&cookie, &mut warnings);
        let target_groups = resolve_target_groups(self.target_groups, &mut context)?;
        let policies = match self.policies {
            Some(blocks) => Some(blocks.resolve(true, &mut context.below("policies"))?),
            None => None,
        };
        let mechanism = self.upstream.mechanism;
        let only_target_group = self.upstream.only_target_group;
        if let Some(only) = &only_target_group {
            let place = context.below("upstream");
            check_only_target_group(only, &self.rules, &target_groups, policies.as_ref())
                .map_err(|error| error.under("only_target_group").at(place.place))?;
            warn_of_others(only, &target_groups, place);
        }
        let mut rules = Vec::with_capacity(self.rules.len());
        let mut context = context.below(RULES);
        for (index, block) in self.rules.into_iter().enumerate() {
            rules.push(Rc::new(block.resolve(&target_groups, &mut context.below(index))?));
        }
        let config = Config { target_groups, policies, rules, mechanism, only_target_group };
        name_clashes::check(&config)?;
        warnings.extend(shared_cookies::warnings(&config));
        Ok(Parsed { config, key_ring, warnings })
    }
}

/// Checks that a target group that every request is said to go to can be sticky.
fn check_only_target_group(
    name: &str,
    rules: &[RuleBlock],
    target_groups: &TargetGroups,
    policies: Option<&Policies>,
) -> Result<(), ConfigError> {
    if name.is_empty() || name == EVERY_OTHER {
        return Err(ConfigError::new(format!("{name:?} is not a name")));
    }
    if !rules.is_empty() {
        return Err(ConfigError::new("is not allowed with rules, which have several target groups"));
    }
    let TargetGroups { named, every_other, .. } = target_groups;
    let a_route_may_choose = policies.is_some_and(|policies| policies.iter().any(|(_, policy)| policy.is_some()));
    match named.get(name).map_or(every_other, |policy| policy) {
        Some(_) => Ok(()),
        None if a_route_may_choose && (named.get(name).is_some() || named.iter().next().is_none()) => Ok(()),
        None if named.get(name).is_some() => Err(ConfigError::is_not(
            &quote(name),
            "sticky: target_groups turns its stickiness off, so nothing would be sticky",
        )),
        None => {
            let names: Vec<&str> = named.iter().map(|(name, _)| name).collect();
            let what = format!("one of target_groups, so nothing would be sticky{}", near_miss(name, &names));
            Err(ConfigError::is_not(&quote(name), &what))
        }
    }
}

/// Warns of target groups that no request goes to.
fn warn_of_others(only: &str, target_groups: &TargetGroups, mut upstream: Context<'_>) {
    let other = target_groups.named.iter().map(|(name, _)| name).find(|name| *name != only);
    if let Some(other) = other {
        let why = format!("every request is said to go to {}, so that {} has no effect", quote(only), quote(other));
        upstream.warn("only_target_group", &why);
    }
}

/// Without any target group, every one is sticky. With some, the others are not, unless `*` says so.
fn resolve_target_groups(blocks: Option<Blocks>, context: &mut Context<'_>) -> Result<TargetGroups, ConfigError> {
    // A template that renders no target group where it should render some makes all of them sticky.
    if blocks.as_ref().is_some_and(|blocks| blocks.0.is_empty()) {
        let why = "there is none, so every cluster is sticky; leave it out or write \"*\": {} if that is meant";
        context.warn("target_groups", why);
    }
    let blocks = blocks.unwrap_or_default();
    if blocks.0.is_empty() {
        let every_other = Policy::new(Stickiness::default(), context.inherited.clone());
        let every_other = Some(Rc::new(every_other));
        return Ok(TargetGroups { named: Policies::default(), every_other, has_every_other: true });
    }
    let mut named = blocks.resolve(false, &mut context.below("target_groups"))?;
    let every_other = named.remove(EVERY_OTHER);
    let has_every_other = every_other.is_some();
    Ok(TargetGroups { named, every_other: every_other.flatten(), has_every_other })
}

impl Blocks {
    /// The policies of routes, if `of_routes`, or of target groups. They are resolved in the order of their names, so that of several
    /// errors the same one is told every time.
    fn resolve(mut self, of_routes: bool, context: &mut Context<'_>) -> Result<Policies, ConfigError> {
        let mut policies = Policies::default();
        let names: Vec<&str> = self.0.iter().map(|(name, _)| name.as_str()).collect();
        for place in in_order(&names) {
            let Some((name, mut block)) = self.0.get_mut(place).map(mem::take) else { continue };
            if name.is_empty() || (of_routes && name == EVERY_OTHER) {
                return Err(ConfigError::new(format!("{name:?} is not a name")).at(context.place));
            }
            let scope = block.scope.take().or_else(|| of_routes.then(|| name.clone())).unwrap_or_default();
            let policy = block.resolve(&mut context.below(name.as_str()))?;
            policies.push(name, policy.map(|policy| Rc::new(policy.in_scope(Scope::new(&scope)))));
        }
        Ok(policies)
    }
}

fn read_target_groups(value: Reader<'_>) -> Result<Blocks, ConfigError> {
    read_by_name(value, TargetGroupBlock::read)
}

fn read_policies(value: Reader<'_>) -> Result<Blocks, ConfigError> {
    read_by_name(value, |policy| PolicyBlock::read(policy).map(|PolicyBlock(block)| block))
}

fn read_by_name(
    value: Reader<'_>,
    read: fn(Reader<'_>) -> Result<TargetGroupBlock, ConfigError>,
) -> Result<Blocks, ConfigError> {
    let mut blocks = Vec::new();
    value.entries(&mut |name, value| {
        blocks.push((name.to_owned(), read(value)?));
        Ok(())
    })?;
    Ok(Blocks(blocks))
}

fn resolve_keys(blocks: Vec<KeyBlock>) -> Result<KeyRing, ConfigError> {
    let mut keys = Vec::with_capacity(blocks.len());
    for (index, block) in blocks.into_iter().enumerate() {
        let key = key_text::parse_secret(&block.secret)
            .map_err(|error| ConfigError::new(error.to_string()).under("secret").under(index).under("keys"))?;
        keys.push((block.id, key));
    }
    key_text::ring(keys).map_err(|error| ConfigError::new(error.to_string()).under("keys"))
}
