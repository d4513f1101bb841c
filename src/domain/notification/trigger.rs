//! Triggers: what a sink is notified of, by filters on outcomes and by conditions.

use super::condition::Condition;
use crate::domain::filter::{Filter, Subject};
use crate::domain::outcome::Outcome;

/// Alternatives, each a filter on outcomes or a condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trigger {
    filters: Vec<Filter>,
    conditions: Vec<Condition>,
}

impl Trigger {
    /// Reads the alternatives; a blank one is every outcome. The error names the text that is wrong.
    pub fn parse<'a>(alternatives: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut trigger = Self::default();
        for text in alternatives {
            if Condition::is_written(text) {
                trigger.conditions.extend(Condition::parse(text)?);
            } else {
                let filter = Filter::parse_for(text, Subject::Outcomes).map_err(|error| error.to_string())?;
                trigger.filters.push(filter);
            }
        }
        Ok(trigger)
    }

    /// Reads the form in which the store keeps a trigger; `None` for other texts, such as one of a newer program.
    pub fn from_stored(text: &str) -> Option<Self> {
        let alternatives: Vec<String> = serde_json::from_str(text).ok()?;
        Self::parse(alternatives.iter().map(String::as_str)).ok()
    }

    /// Returns the form in which the store keeps the trigger: a JSON array.
    pub fn to_stored(&self) -> String {
        serde_json::Value::from(self.alternatives()).to_string()
    }

    /// Returns the alternatives in their canonical form.
    pub fn alternatives(&self) -> Vec<String> {
        let filters = self.filters.iter().map(ToString::to_string);
        filters.chain(self.conditions.iter().map(ToString::to_string)).collect()
    }

    /// Returns true if a filter selects the outcome.
    pub fn matches(&self, outcome: &Outcome) -> bool {
        self.filters.iter().any(|filter| filter.matches_outcome(outcome, outcome.at))
    }

    /// Returns the conditions among the alternatives.
    pub fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// Returns true if there is no alternative.
    pub fn is_empty(&self) -> bool {
        self.filters.is_empty() && self.conditions.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trigger_is_stored_and_read_back() {
        let texts = ["content:changed host:a.test", "result:failed", "when:cooling,waiting>2h", "", "\"a b\""];
        let trigger = Trigger::parse(texts).expect("it is valid");
        assert_eq!(trigger.conditions().len(), 2);
        assert_eq!(Trigger::from_stored(&trigger.to_stored()), Some(trigger));
        assert_eq!(Trigger::from_stored("[\"later:word\"]"), None);
        assert_eq!(Trigger::from_stored("no json"), None);
    }

    #[test]
    fn fields_of_documents_are_refused() {
        for text in ["status:failed", "when:hot", "result:failled"] {
            assert!(Trigger::parse([text]).is_err(), "{text}");
        }
    }
}
