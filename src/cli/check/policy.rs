//! IAM policies: who may do what.

use serde_json::Value;

use super::link::Fault;
use crate::cli::google::Look;

/// The policy of a resource, above that of its project.
pub(crate) struct Policies<'a> {
    resource: &'a Value,
    /// Not everyone may read it; then what it grants does not count.
    project: &'a Look,
}

impl<'a> Policies<'a> {
    /// `thing` is what the policy belongs to.
    pub(crate) fn new(resource: &'a Look, project: &'a Look, thing: &str) -> Result<Self, Fault> {
        Ok(Self { resource: resource.needed(thing)?, project })
    }

    /// Whether a member has one of the roles.
    pub(crate) fn grant(&self, member: &str, roles: &[&str]) -> bool {
        members(self.resource, roles).any(|other| other == member) || inherited(self.project, member, roles)
    }

    /// Those of the public that have any role on the resource, with the role.
    pub(crate) fn public(&self) -> Vec<(&'a str, &'a str)> {
        let bindings = self.resource["bindings"].as_array().into_iter().flatten();
        bindings
            .flat_map(|binding| {
                let role = binding["role"].as_str().unwrap_or_default();
                binding["members"].as_array().into_iter().flatten().filter_map(move |member| Some((member.as_str()?, role)))
            })
            .filter(|(member, _)| matches!(*member, "allUsers" | "allAuthenticatedUsers"))
            .collect()
    }
}

/// Whether a member has one of the roles on everything in the project.
pub(crate) fn inherited(project: &Look, member: &str, roles: &[&str]) -> bool {
    project.value().is_some_and(|policy| members(policy, roles).any(|other| other == member))
}

/// Who has one of the roles. A binding with a condition may not hold when it is needed.
fn members<'p>(policy: &'p Value, roles: &[&str]) -> impl Iterator<Item = &'p str> {
    let bindings = policy["bindings"].as_array().into_iter().flatten();
    bindings
        .filter(|binding| binding["condition"].is_null() && binding["role"].as_str().is_some_and(|role| roles.contains(&role)))
        .flat_map(|binding| binding["members"].as_array().into_iter().flatten().filter_map(Value::as_str))
}
