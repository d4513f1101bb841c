//! Chatwoot's own settings of automatic syncs, read from the table `installation_configs` by Chatwoot's exact parsing
//! rules (assets/docs/chatwoot.md, "Settings it reads"). A value that cannot be parsed has the meaning that Chatwoot
//! gives it; nothing here returns an error.

use crate::domain::id::AccountId;
use crate::domain::plan::{AccountPlan, Cadence, PlanName};
use crate::domain::schedule::PassLimits;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::time::Duration;

/// Name of the setting with the hours between two syncs, per plan.
pub const INTERVALS: &str = "CAPTAIN_DOCUMENT_AUTO_SYNC_INTERVALS";
/// Name of the setting with the maximum number of documents that one pass enqueues for one account.
pub const PER_ACCOUNT: &str = "CAPTAIN_DOCUMENT_AUTO_SYNC_PER_ACCOUNT_BATCH_LIMIT";
/// Name of the setting with the maximum number of documents that one pass enqueues in all.
pub const TOTAL: &str = "CAPTAIN_DOCUMENT_AUTO_SYNC_GLOBAL_BATCH_LIMIT";
/// Name of the setting with the pricing plan of a self-hosted installation.
pub const PRICING_PLAN: &str = "INSTALLATION_PRICING_PLAN";
/// Name of the setting with the kind of deployment: `cloud` on Chatwoot's own servers.
pub const DEPLOYMENT: &str = "DEPLOYMENT_ENV";
/// Names of all settings that are read.
pub const NAMES: [&str; 5] = [INTERVALS, PER_ACCOUNT, TOTAL, PRICING_PLAN, DEPLOYMENT];
/// Bit of `accounts.feature_flags` that enables automatic syncs.
pub const FEATURE_BIT: i64 = 1 << 51;

/// Chatwoot's settings of automatic syncs, parsed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChatwootSettings {
    intervals: BTreeMap<String, Cadence>,
    per_account: Option<u32>,
    total: Option<u32>,
    self_hosted_enterprise: bool,
}

impl ChatwootSettings {
    /// Parses rows of `installation_configs`: a name and its `serialized_value`, as JSON text.
    pub fn read<'a>(rows: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let values: BTreeMap<&str, Value> =
            rows.into_iter().map(|(name, serialized)| (name, stored_value(serialized))).collect();
        let word = |name: &str| values.get(name).and_then(Value::as_str).unwrap_or_default();
        Self {
            intervals: values.get(INTERVALS).map(intervals).unwrap_or_default(),
            per_account: values.get(PER_ACCOUNT).and_then(limit),
            total: values.get(TOTAL).and_then(limit),
            self_hosted_enterprise: word(PRICING_PLAN) == "enterprise" && word(DEPLOYMENT) != "cloud",
        }
    }

    /// Returns the limits of a pass. The two limits on documents are Chatwoot's settings or its defaults; the queue
    /// depth, which Chatwoot does not limit, is this program's default.
    pub fn limits(&self) -> PassLimits {
        let otherwise = PassLimits::default();
        PassLimits {
            per_account: self.per_account.unwrap_or(otherwise.per_account),
            total: self.total.unwrap_or(otherwise.total),
            ..otherwise
        }
    }

    /// Returns the plan of an account. `plan_name` is from the account's `custom_attributes`; without a name, a
    /// self-hosted enterprise installation uses `enterprise`. `feature` is the account's feature bit.
    pub fn of(&self, account: AccountId, plan_name: Option<&str>, feature: bool) -> AccountPlan {
        let name = plan_name.and_then(PlanName::new);
        let name = name.or_else(|| if self.self_hosted_enterprise { PlanName::new("enterprise") } else { None });
        let cadence = name.as_ref().and_then(|name| self.intervals.get(name.as_str())).copied();
        AccountPlan { account, name, cadence, at: None, between: None, weight: None, max_running: None, feature }
    }
}

/// Parses a limit as Ruby's `to_s.to_i` does; `None` if it is not positive.
fn limit(value: &Value) -> Option<u32> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let number = leading_integer(&text);
    if number > 0 { Some(u32::try_from(number).unwrap_or(u32::MAX)) } else { None }
}

/// Parses like Ruby's `String#to_i`: white space, a sign, digits with single underscores between them; the rest is
/// ignored.
fn leading_integer(text: &str) -> i64 {
    let text = text.trim_start();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut number = 0_i64;
    let mut after_digit = false;
    for c in digits.chars() {
        match c.to_digit(10) {
            Some(digit) => {
                number = number.saturating_mul(10).saturating_add(i64::from(digit));
                after_digit = true;
            }
            None if c == '_' && after_digit => after_digit = false,
            None => break,
        }
    }
    if negative { -number } else { number }
}

/// Parses the hours per plan; the keys of the result are plan names in lower case. Only whole numbers above zero count:
/// `"168"`, 1.5, false and null disable a plan. Returns an empty map if `value` is not a JSON object.
fn intervals(value: &Value) -> BTreeMap<String, Cadence> {
    let parsed = match value {
        Value::String(text) => serde_json::from_str(text).unwrap_or(Value::Null),
        other => other.clone(),
    };
    let Value::Object(map) = parsed else { return BTreeMap::new() };
    let cadence = |hours: &Value| {
        let hours = hours.as_u64().filter(|hours| *hours > 0)?;
        Cadence::new(Duration::from_secs(hours.saturating_mul(3_600)))
    };
    map.iter().filter_map(|(plan, hours)| Some((plan.to_lowercase(), cadence(hours)?))).collect()
}

/// Returns the value under the key `value` of a `serialized_value`; null if there is none. The column is jsonb:
/// depending on its version, Rails writes a JSON string with YAML in it or a plain object.
pub(super) fn stored_value(serialized: &str) -> Value {
    match serde_json::from_str(serialized) {
        Ok(Value::String(yaml)) => yaml_value(&yaml),
        Ok(Value::Object(mut object)) => object.remove("value").unwrap_or(Value::Null),
        Ok(_) => Value::Null,
        // Text that is not JSON is YAML, as older installations store it.
        Err(_) => yaml_value(serialized),
    }
}

/// Returns the value under the key `value` of a YAML mapping that Rails wrote: a scalar, a block of text, JSON, or a
/// mapping of scalars. Returns null if the key is missing or its value cannot be read.
fn yaml_value(yaml: &str) -> Value {
    let mut lines = yaml.lines().skip_while(|line| !line.starts_with("value:"));
    let Some(first) = lines.next() else { return Value::Null };
    let rest = without_tag(first["value:".len()..].trim());
    let indented: Vec<&str> = lines.take_while(|line| line.starts_with(' ') || line.trim().is_empty()).collect();
    if rest.starts_with(['|', '>']) {
        let text: Vec<&str> = indented.iter().map(|line| line.trim()).collect();
        return Value::String(text.join(if rest.starts_with('|') { "\n" } else { " " }).trim_end().to_owned());
    }
    if !rest.is_empty() {
        // A long text continues on the following lines.
        let whole = indented.iter().fold(rest.to_owned(), |text, line| format!("{text} {}", line.trim()));
        return scalar(whole.trim());
    }
    let depth = |line: &str| line.len() - line.trim_start().len();
    let Some(outer) = indented.iter().find(|line| !line.trim().is_empty()).map(|line| depth(line)) else {
        return Value::Null;
    };
    let mut map = Map::new();
    for line in indented.into_iter().filter(|line| !line.trim().is_empty()) {
        if depth(line) > outer {
            // A more deeply indented line belongs to the key before it, which is then not a plain value.
            if let Some((_, last)) = map.iter_mut().next_back() {
                *last = Value::Object(Map::new());
            }
            continue;
        }
        let Some((key, value)) = line.trim().split_once(':') else { return Value::Null };
        let key = match scalar(key) {
            Value::String(key) => key.trim_start_matches(':').to_owned(),
            other => other.to_string(),
        };
        map.insert(key, scalar(without_tag(value.trim())));
    }
    Value::Object(map)
}

/// Returns `text` without the YAML tag at its start, such as `!ruby/hash:ActiveSupport::HashWithIndifferentAccess`.
fn without_tag(text: &str) -> &str {
    match text.strip_prefix('!') {
        Some(tagged) => tagged.split_once(' ').map_or("", |(_, rest)| rest.trim()),
        None => text,
    }
}

/// Parses a YAML scalar of the kinds that settings use. Text that starts with a brace or a double quote is parsed as
/// JSON, and is null if it is not JSON.
fn scalar(text: &str) -> Value {
    let text = text.trim();
    if let Some(inner) = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
        return Value::String(inner.replace("''", "'"));
    }
    if text.starts_with('"') {
        return serde_json::from_str(text).unwrap_or(Value::Null);
    }
    if text.starts_with('{') {
        return serde_json::from_str(text).unwrap_or(Value::Null);
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "false" => Value::Bool(text == "true"),
        _ => match serde_json::from_str::<Value>(text) {
            Ok(number @ Value::Number(_)) => number,
            _ => Value::String(text.to_owned()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEAD: &str = "--- !ruby/hash:ActiveSupport::HashWithIndifferentAccess\n";

    fn stored(yaml: &str) -> String {
        Value::String(format!("{HEAD}{yaml}")).to_string()
    }

    fn hours(yaml: &str, plan: &str) -> Option<u64> {
        let stored = stored(yaml);
        let installation = ChatwootSettings::read([(INTERVALS, stored.as_str())]);
        installation.of(AccountId(1), Some(plan), true).cadence.map(|cadence| cadence.interval().as_secs() / 3_600)
    }

    #[test]
    fn i1_without_a_setting_there_is_no_interval() {
        let none = ChatwootSettings::read([]);
        assert_eq!(none.of(AccountId(1), Some("business"), true).cadence, None);
        for yaml in ["value: \n", "value: ''\n", "value:\n", "other: 1\n", ""] {
            assert_eq!(hours(yaml, "business"), None, "{yaml:?}");
        }
    }

    #[test]
    fn i2_business_48_is_two_days() {
        for yaml in [
            "value: '{\"business\": 48}'\n",
            "value: \"{\\\"business\\\": 48}\"\n",
            "value: {\"business\": 48}\n",
            "value:\n  business: 48\n  enterprise: 24\n",
            "value: !ruby/hash:ActiveSupport::HashWithIndifferentAccess\n  enterprise: 24\n  business: 48\nlocked: true\n",
            "value: |-\n  {\n    \"business\": 48\n  }\nlocked: false\n",
            "locked: true\nvalue: '{\"enterprise\": 24,\n  \"business\": 48}'\n",
        ] {
            assert_eq!(hours(yaml, "business"), Some(48), "{yaml:?}");
        }
        let object = r#"{"value": {"business": 48}}"#;
        let installation = ChatwootSettings::read([(INTERVALS, object)]);
        let cadence = installation.of(AccountId(1), Some("business"), true).cadence;
        assert_eq!(cadence.map(|cadence| cadence.to_string()).as_deref(), Some("every 2 days"));
    }

    #[test]
    fn i3_the_case_of_a_plans_name_does_not_count() {
        assert_eq!(hours("value: '{\"BUSINESS\": 48}'\n", "Business"), Some(48));
        assert_eq!(hours("value:\n  Business: 48\n", " business "), Some(48));
    }

    #[test]
    fn i4_a_paid_self_hosted_installation_is_enterprise_without_a_name() {
        let (intervals, paid, cloud) =
            (stored("value: '{\"enterprise\": 24}'\n"), stored("value: enterprise\n"), stored("value: cloud\n"));
        let of = |rows: &[(&str, &str)], plan| {
            let installation = ChatwootSettings::read(rows.iter().copied());
            installation.of(AccountId(1), plan, true).cadence.is_some()
        };
        let here = [(INTERVALS, intervals.as_str()), (PRICING_PLAN, &paid)];
        assert!(of(&here, None) && of(&here, Some(" ")));
        assert!(!of(&here, Some("startups")), "a name of its own counts");
        assert!(!of(&here[..1], None), "nothing is paid for");
        assert!(!of(&[here[0], here[1], (DEPLOYMENT, &cloud)], None), "not self-hosted");
    }

    #[test]
    fn i5_null_switches_a_plan_off() {
        assert_eq!(hours("value: '{\"business\": null}'\n", "business"), None);
        assert_eq!(hours("value:\n  business:\n  enterprise: 24\n", "business"), None);
    }

    #[test]
    fn i6_what_is_not_json_switches_all_off() {
        for yaml in ["value: '{business: 48'\n", "value: 'every week'\n", "value: '[48]'\n", "value: 48\n"] {
            assert_eq!(hours(yaml, "business"), None, "{yaml:?}");
        }
    }

    #[test]
    fn i7_only_whole_numbers_above_zero_count() {
        for value in ["false", "true", "{}", "\"168\"", "1.5", "48.0", "0", "-1", "[]"] {
            assert_eq!(hours(&format!("value: '{{\"business\": {value}}}'\n"), "business"), None, "{value}");
        }
        for value in ["'168'", "\"168\"", "false", "1.5", "\n    hours: 168"] {
            assert_eq!(hours(&format!("value:\n  business: {value}\n"), "business"), None, "{value}");
        }
    }

    #[test]
    fn s18_limits_are_read_as_ruby_reads_them() {
        for (value, limit) in [
            ("25", 25),
            ("'25'", 25),
            ("50abc", 50),
            ("' 7 documents'", 7),
            ("'1_000'", 1_000),
            ("'1__0'", 1),
            ("12.9", 12),
            ("0", 50),
            ("-5", 50),
            ("garbage", 50),
            ("''", 50),
            ("true", 50),
            ("99999999999", u32::MAX),
        ] {
            let stored = stored(&format!("value: {value}\n"));
            let limits = ChatwootSettings::read([(PER_ACCOUNT, stored.as_str())]).limits();
            assert_eq!((limits.per_account, limits.total), (limit, 1_000), "{value}");
        }
        let total = stored("value: 0\n");
        assert_eq!(ChatwootSettings::read([(TOTAL, total.as_str())]).limits().total, 1_000);
    }

    proptest! {
        #[test]
        fn no_setting_is_too_strange_to_be_read(text in ".{0,200}", plan in ".{0,20}") {
            for serialized in [text.clone(), Value::String(text.clone()).to_string(), stored(&format!("value: {text}"))] {
                let rows = [(INTERVALS, serialized.as_str()), (PER_ACCOUNT, serialized.as_str())];
                let installation = ChatwootSettings::read(rows);
                prop_assert!(installation.limits().per_account > 0);
                installation.of(AccountId(1), Some(&plan), true);
            }
        }
    }
}
