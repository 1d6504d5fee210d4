//! The name of a pull subscription.

use std::str::FromStr;

use super::service::check_project;

/// A valid name, with its project or without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionName {
    project: Option<String>,
    id: String,
}

impl SubscriptionName {
    /// `projects/PROJECT/subscriptions/NAME`. `project` is used if the name has none.
    pub fn full(&self, project: &str) -> String {
        format!("projects/{}/subscriptions/{}", self.project.as_deref().unwrap_or(project), self.id)
    }
}

/// <https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names>
impl FromStr for SubscriptionName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (project, id) = match text.strip_prefix("projects/").map(|rest| rest.split_once("/subscriptions/")) {
            None => (None, text),
            Some(Some((project, id))) if !project.is_empty() => (Some(check_project(project.to_owned())?), id),
            Some(_) => return Err(format!("{text:?} is not a full name: use projects/PROJECT/subscriptions/NAME")),
        };
        let is_legal = |c: char| c.is_ascii_alphanumeric() || "-_.~+%".contains(c);
        let is_valid = (3..=255).contains(&id.len())
            && id.starts_with(|c: char| c.is_ascii_alphabetic())
            && id.chars().all(is_legal)
            && !id.starts_with("goog");
        if !is_valid {
            return Err(format!(
                "{id:?} is not the name of a subscription: use 3 to 255 letters, digits and - _ . ~ + %, beginning with a letter, \
                 and not with goog"
            ));
        }
        Ok(Self { project, id: id.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_a_project_gets_one() {
        for (text, full) in [
            ("pixel-pull", "projects/mine/subscriptions/pixel-pull"),
            (" a.b_c~d+e%f ", "projects/mine/subscriptions/a.b_c~d+e%f"),
            ("projects/example.com:other/subscriptions/pull", "projects/example.com:other/subscriptions/pull"),
        ] {
            assert_eq!(text.parse::<SubscriptionName>().unwrap().full("mine"), full);
        }
    }

    #[test]
    fn an_invalid_name_is_an_error() {
        for text in [
            "",
            "ab",
            "1st",
            "googly",
            "a b c",
            "pull/",
            "projects/p",
            "projects//subscriptions/pull",
            "projects/p/topics/pull",
            "projects/p/subscriptions/",
            "größe",
        ] {
            assert!(text.parse::<SubscriptionName>().is_err(), "{text:?}");
        }
    }
}
