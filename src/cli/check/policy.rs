//! IAM policies: which member has which role.

use serde_json::Value;

use super::difference::Difference;
use super::link::Fault;
use super::part::{FromState, Part};
use super::parts::Context;
use super::state::{Source, State};
use crate::google::Api;

/// A role that a member needs on a resource.
pub(crate) struct Grant {
    pub(crate) link: &'static str,
    /// The resource of the policy, such as `topic pixel`.
    pub(crate) resource: String,
    pub(crate) policy: Source,
    pub(crate) member: Member,
    /// The roles that permit it. The first one is what the deployment grants.
    pub(crate) roles: &'static [&'static str],
    pub(crate) effect: &'static str,
    /// gcloud's group and the name of the resource, such as `pubsub topics NAME --project=PROJECT`: the command without
    /// add-iam-policy-binding.
    pub(crate) command: Command,
    /// What the member can do, for the report.
    pub(crate) found: String,
}

/// Who has the role.
pub(crate) enum Member {
    Known(String),
    /// The member depends on another resource.
    Of(Source, Box<FromState<String>>),
}

/// A gcloud command that changes a policy: its group, and the resource with its flags.
#[derive(Clone)]
pub(crate) struct Command {
    pub(crate) group: &'static str,
    pub(crate) resource: String,
}

impl Command {
    fn change(&self, action: &str, member: &str, role: &str) -> String {
        let member = super::shell::quoted(member);
        format!("gcloud {} {action}-iam-policy-binding {} --member={member} --role={role}", self.group, self.resource)
    }
}

impl Grant {
    /// The policy as a part: the member has one of the roles, on the resource or on the project.
    pub(crate) fn part(self, context: &Context) -> Part {
        let Self { link, resource, policy, member, roles, effect, command, found } = self;
        let project = project_policy(context);
        let mut part = Part::new(link, resource.clone(), policy).needs(project.clone()).found(found);
        let member: Box<FromState<String>> = match member {
            Member::Known(member) => Box::new(move |_| Ok(member.clone())),
            Member::Of(source, member) => {
                part = part.needs(source);
                member
            }
        };
        part.rule(move |policy, state| {
            let member = member(state)?;
            if has_role(policy, &member, roles) {
                return Ok(Vec::new());
            }
            let project_policy = state.get(&project)?;
            if project_policy.is_some_and(|policy| has_role(policy, &member, roles)) {
                return Ok(Vec::new());
            }
            let (problem, fix) = (format!("{member} does not have {}", roles[0]), command.change("add", &member, roles[0]));
            Ok(vec![Difference { resource: resource.clone(), problem, effect: effect.to_owned(), fix }])
        })
    }
}

/// The policy of the whole project.
pub(crate) fn project_policy(context: &Context) -> Source {
    Source::post(Api::Projects, format!("v1/projects/{}:getIamPolicy", context.names.project))
}

/// A rule: only `allowed` roles are granted to everyone.
pub(crate) fn not_public(
    resource: String,
    command: Command,
    allowed: &'static [&'static str],
    effect: &'static str,
) -> impl Fn(&Value, &State) -> Result<Vec<Difference>, Fault> {
    move |policy, _| {
        let difference = |(member, role): (&str, &str)| Difference {
            resource: resource.clone(),
            problem: format!("{member} has {role}"),
            effect: effect.to_owned(),
            fix: command.change("remove", member, role),
        };
        Ok(public(policy).into_iter().filter(|(_, role)| !allowed.contains(role)).map(difference).collect())
    }
}

/// `allUsers` and `allAuthenticatedUsers`, with each of their roles.
fn public(policy: &Value) -> Vec<(&str, &str)> {
    let bindings = policy["bindings"].as_array().into_iter().flatten();
    bindings
        .flat_map(|binding| {
            let role = binding["role"].as_str().unwrap_or("an unnamed role");
            binding["members"].as_array().into_iter().flatten().filter_map(move |member| Some((member.as_str()?, role)))
        })
        .filter(|(member, _)| matches!(*member, "allUsers" | "allAuthenticatedUsers"))
        .collect()
}

/// Whether a member has one of the roles. A binding with a condition does not count: it may not apply.
pub(crate) fn has_role(policy: &Value, member: &str, roles: &[&str]) -> bool {
    let bindings = policy["bindings"].as_array().into_iter().flatten();
    bindings
        .filter(|binding| binding["condition"].is_null() && binding["role"].as_str().is_some_and(|role| roles.contains(&role)))
        .flat_map(|binding| binding["members"].as_array().into_iter().flatten().filter_map(Value::as_str))
        .any(|other| other == member)
}
