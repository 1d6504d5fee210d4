//! The description of one resource: how to read it, the value of each of its members, what another value causes, and
//! how to fix it.

use serde_json::{Value, json};

use super::difference::{Difference, Member, compare, is_default};
use super::link::{Fault, absent};
use super::state::{Source, State};

/// A resource of the deployment.
pub(crate) struct Part {
    /// The line of the report that it belongs to. Parts with the same line stand next to each other.
    pub(crate) link: &'static str,
    /// Kind and name, such as `subscription pixel-push`.
    pub(crate) resource: String,
    pub(crate) source: Source,
    /// Other resources that its checks read.
    pub(crate) needs: Vec<Source>,
    absence: Absence,
    /// The command that fixes a member, unless the check has another one.
    update: String,
    checks: Vec<Check>,
    /// Describes the resource if it is right.
    found: String,
}

/// What it means that the resource does not exist.
enum Absence {
    Broken {
        effect: String,
        fix: String,
    },
    /// Another part reports it.
    Unknown,
    /// It must not exist.
    Right {
        effect: String,
        fix: String,
    },
}

/// The check of one member, or of what a member cannot express.
struct Check {
    rule: Rule,
    effect: String,
    /// Empty: the part's `update`.
    fix: String,
}

/// The differences of a part, by the resource and the others.
type CustomRule = dyn Fn(&Value, &State) -> Result<Vec<Difference>, Fault>;
/// A value that depends on other resources.
pub(crate) type FromState<T> = dyn Fn(&State) -> Result<T, Fault>;

enum Rule {
    /// The member at a JSON pointer.
    Member(String, Expected),
    Custom(Box<CustomRule>),
}

/// The value of a member.
pub(crate) enum Expected {
    /// This value. Of an object, these members.
    Is(Value),
    /// This text, without regard to blanks around it.
    Text(String),
    /// The default of its type, or no value.
    Unset,
    /// The resource at this path, in whichever form the API names it.
    Resource(String),
    /// A value that depends on another resource.
    From(Box<FromState<Value>>),
    /// A value that fulfills a condition. The text describes it.
    Where(String, Box<dyn Fn(&Value) -> bool>),
}

/// What is known about a part.
pub(crate) struct Verdict {
    pub(crate) found: String,
    pub(crate) differences: Vec<Difference>,
    pub(crate) unknown: Vec<Fault>,
}

pub(crate) fn is(value: impl Into<Value>) -> Expected {
    Expected::Is(value.into())
}

/// A value that fulfills a condition, which the text describes.
pub(crate) fn condition(text: impl Into<String>, is_right: impl Fn(&Value) -> bool + 'static) -> Expected {
    Expected::Where(text.into(), Box::new(is_right))
}

/// This text, which is also the default.
pub(crate) fn is_or_unset(expected: &'static str) -> Expected {
    condition(expected, move |found| found.is_null() || found == expected)
}

impl Part {
    pub(crate) fn new(link: &'static str, resource: impl Into<String>, source: Source) -> Self {
        let resource = resource.into();
        let (found, absence) = (resource.clone(), Absence::Unknown);
        Self { link, resource, source, needs: Vec::new(), absence, update: String::new(), checks: Vec::new(), found }
    }

    /// It has to exist: `fix` creates it.
    pub(crate) fn required(self, effect: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { absence: Absence::Broken { effect: effect.into(), fix: fix.into() }, ..self }
    }

    /// It must not exist: `fix` deletes it.
    pub(crate) fn unwanted(self, effect: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { absence: Absence::Right { effect: effect.into(), fix: fix.into() }, ..self }
    }

    /// Its checks read that resource, too.
    pub(crate) fn needs(mut self, source: Source) -> Self {
        self.needs.push(source);
        self
    }

    /// The command that sets all members.
    pub(crate) fn update(self, command: impl Into<String>) -> Self {
        Self { update: command.into(), ..self }
    }

    /// Describes the resource if it is right.
    pub(crate) fn found(self, text: impl Into<String>) -> Self {
        Self { found: text.into(), ..self }
    }

    pub(crate) fn member(self, pointer: impl Into<String>, expected: Expected, effect: impl Into<String>) -> Self {
        self.member_fixed_by(pointer, expected, effect, "")
    }

    pub(crate) fn member_fixed_by(
        mut self,
        pointer: impl Into<String>,
        expected: Expected,
        effect: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        self.checks.push(Check { rule: Rule::Member(pointer.into(), expected), effect: effect.into(), fix: fix.into() });
        self
    }

    pub(crate) fn rule(mut self, rule: impl Fn(&Value, &State) -> Result<Vec<Difference>, Fault> + 'static) -> Self {
        self.checks.push(Check { rule: Rule::Custom(Box::new(rule)), effect: String::new(), fix: String::new() });
        self
    }

    /// A difference of this part.
    fn difference(&self, problem: impl Into<String>, effect: impl Into<String>, fix: impl Into<String>) -> Difference {
        Difference { resource: self.resource.clone(), problem: problem.into(), effect: effect.into(), fix: fix.into() }
    }

    /// Compares the project's resource with the description.
    pub(crate) fn compare(&self, state: &State) -> Verdict {
        let mut verdict = Verdict { found: self.found.clone(), differences: Vec::new(), unknown: Vec::new() };
        match (state.get(&self.source), &self.absence) {
            (Err(fault), _) => verdict.unknown.push(fault),
            (Ok(Some(_)), Absence::Right { effect, fix }) => verdict.differences.push(self.difference("it exists", effect, fix)),
            (Ok(Some(value)), _) => self.compare_members(value, state, &mut verdict),
            (Ok(None), Absence::Broken { effect, fix }) => verdict.differences.push(self.difference("it does not exist", effect, fix)),
            (Ok(None), Absence::Unknown) => verdict.unknown.push(Fault::unknown(absent(&self.resource))),
            (Ok(None), Absence::Right { .. }) => {}
        }
        verdict
    }

    fn compare_members(&self, resource: &Value, state: &State, verdict: &mut Verdict) {
        for check in &self.checks {
            match check.rule.differences(resource, state) {
                Ok(Found::Differences(differences)) => verdict.differences.extend(differences),
                Ok(Found::Members(members)) => {
                    let fix = if check.fix.is_empty() { &self.update } else { &check.fix };
                    verdict.differences.extend(members.iter().map(|member| self.difference(member.problem(), &check.effect, fix)));
                }
                Err(fault) => verdict.unknown.push(fault),
            }
        }
    }
}

enum Found {
    Members(Vec<Member>),
    Differences(Vec<Difference>),
}

impl Rule {
    fn differences(&self, resource: &Value, state: &State) -> Result<Found, Fault> {
        match self {
            Self::Member(pointer, expected) => {
                let found = resource.pointer(pointer).unwrap_or(&Value::Null);
                Ok(Found::Members(expected.differences(&path(pointer), found, state)?))
            }
            Self::Custom(rule) => rule(resource, state).map(Found::Differences),
        }
    }
}

impl Expected {
    fn differences(&self, path: &str, found: &Value, state: &State) -> Result<Vec<Member>, Fault> {
        let differs = |is_right: bool, expected: Value| {
            if is_right { Vec::new() } else { vec![Member { path: path.to_owned(), found: found.clone(), expected }] }
        };
        Ok(match self {
            Self::Is(expected) => compare(path, found, expected),
            Self::Text(expected) => differs(found.as_str().is_some_and(|found| found.trim() == expected), json!(expected)),
            Self::Unset => differs(is_default(found), Value::Null),
            Self::Resource(expected) => differs(found.as_str().is_some_and(|found| is_resource(found, expected)), json!(expected)),
            Self::From(expected) => compare(path, found, &expected(state)?),
            Self::Where(description, is_right) => differs(is_right(found), json!(description)),
        })
    }
}

/// Whether a URL or a path names the resource. APIs write `https://www.googleapis.com/compute/v1/projects/…`,
/// `https://compute.googleapis.com/compute/v1/projects/…` and `projects/…`.
pub(crate) fn is_resource(found: &str, expected: &str) -> bool {
    found.strip_suffix(expected).is_some_and(|before| before.is_empty() || before.ends_with('/'))
}

/// A JSON pointer as a path with dots.
fn path(pointer: &str) -> String {
    pointer.trim_start_matches('/').split('/').map(|name| name.replace("~1", "/")).collect::<Vec<_>>().join(".")
}
