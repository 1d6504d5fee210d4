//! IAM policies: which member has which role.

use serde_json::Value;

use super::link::Fault;
use super::resource::Resource;

/// The policy of a resource together with that of its project.
pub(crate) struct Policies<'a> {
    resource: &'a Value,
    /// If the caller cannot read it, its grants do not count.
    project: &'a Resource,
}

impl<'a> Policies<'a> {
    /// `thing` names the resource.
    pub(crate) fn new(resource: &'a Resource, project: &'a Resource, thing: &str) -> Result<Self, Fault> {
        Ok(Self { resource: resource.needed(thing)?, project })
    }

    /// Whether a member has one of the roles.
    pub(crate) fn grant(&self, member: &str, roles: &[&str]) -> bool {
        members(self.resource, roles).any(|other| other == member) || inherited(self.project, member, roles)
    }

    /// `allUsers` and `allAuthenticatedUsers`, with each role that they have on the resource.
    pub(crate) fn public(&self) -> Vec<(&'a str, &'a str)> {
        let bindings = self.resource["bindings"].as_array().into_iter().flatten();
        bindings
            .flat_map(|binding| {
                let role = binding["role"].as_str().unwrap_or("an unnamed role");
                binding["members"].as_array().into_iter().flatten().filter_map(move |member| Some((member.as_str()?, role)))
            })
            .filter(|(member, _)| matches!(*member, "allUsers" | "allAuthenticatedUsers"))
            .collect()
    }
}

/// Whether a member has one of the roles on the whole project.
pub(crate) fn inherited(project: &Resource, member: &str, roles: &[&str]) -> bool {
    project.value().is_some_and(|policy| members(policy, roles).any(|other| other == member))
}

/// The members with one of the roles. A binding with a condition does not count: it may not apply.
fn members<'p>(policy: &'p Value, roles: &[&str]) -> impl Iterator<Item = &'p str> {
    let bindings = policy["bindings"].as_array().into_iter().flatten();
    bindings
        .filter(|binding| binding["condition"].is_null() && binding["role"].as_str().is_some_and(|role| roles.contains(&role)))
        .flat_map(|binding| binding["members"].as_array().into_iter().flatten().filter_map(Value::as_str))
}
