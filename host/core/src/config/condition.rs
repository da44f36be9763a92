//! The conditions of monitors' rules: CEL over what a monitor found in a window. Here they are checked; they are decided
//! in [`crate::rules`].

use serde::{Deserialize, Serialize};

use crate::config::when::{self, Vocabulary, WhenProblem};

/// A condition whose syntax and names are right.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RuleCondition {
    text: String,
}

impl RuleCondition {
    pub(crate) fn parse(text: &str) -> Result<Self, Vec<WhenProblem>> {
        when::check(text, Vocabulary::Rule)?;
        Ok(Self { text: text.to_owned() })
    }

    pub fn text(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_a_rule_can_see() {
        for text in [
            "findings.exists(f, f.found)",
            "found == 1 && share < 0.5 && window.rows >= 200",
            "findings.filter(f, f.signal == 'data-drift' && f.value > 0.3).size() == 1",
            "window.end - window.start > 5 || version == 3",
            "true",
        ] {
            assert!(RuleCondition::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn refuses_what_cannot_work() {
        for text in ["", "findngs.size() > 0", "window.row > 1", "steps.gate.status == 'x'", "params.x == 1", "f.found"]
        {
            assert!(RuleCondition::parse(text).is_err(), "{text}");
        }
    }
}
