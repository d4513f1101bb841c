//! Reads single values: texts, flags, numbers, durations, sizes and lists.

use crate::domain::duration;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;
use toml::de::DeValue;

/// Message about an invalid value, worded to follow the key's name: `must be …`.
pub(super) type InvalidValue = String;

/// Describes an invalid value for a message.
pub(super) fn describe(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("\"{text}\""),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(flag) => flag.to_string(),
        other => format!("a {}", other.type_str()),
    }
}

pub(super) fn text<'a>(value: &'a DeValue<'_>) -> Result<&'a str, InvalidValue> {
    value.as_str().ok_or_else(|| format!("must be a text in quotes, not {}", describe(value)))
}

pub(super) fn flag(value: &DeValue<'_>) -> Result<bool, InvalidValue> {
    value.as_bool().ok_or_else(|| format!("must be true or false, not {}", describe(value)))
}

pub(super) fn list<T>(
    value: &DeValue<'_>,
    read: impl Fn(&DeValue<'_>) -> Result<T, InvalidValue>,
) -> Result<Vec<T>, InvalidValue> {
    let list = value.as_array().ok_or_else(|| format!("must be a list in [ ], not {}", describe(value)))?;
    list.iter().map(|value| read(value.get_ref())).collect()
}

/// Reads a whole number within the given range.
pub(super) fn whole<T: TryFrom<i64>>(value: &DeValue<'_>, within: RangeInclusive<i64>) -> Result<T, InvalidValue> {
    let number = value.as_integer().and_then(|n| i64::from_str_radix(n.as_str(), n.radix()).ok());
    let accepted = number.filter(|number| within.contains(number)).and_then(|number| T::try_from(number).ok());
    accepted.ok_or_else(|| {
        format!("must be a whole number from {} to {}, not {}", within.start(), within.end(), describe(value))
    })
}

/// Reads a duration within the given range: `"30s"`, `"2m"`, `"1 week"`.
pub(super) fn duration(value: &DeValue<'_>, within: RangeInclusive<Duration>) -> Result<Duration, InvalidValue> {
    let read = value.as_str().and_then(duration::parse);
    match read {
        Some(span) if within.contains(&span) => Ok(span),
        Some(_) => out_of_range(duration::exact(*within.start()), duration::exact(*within.end()), value),
        None => Err(format!("must be a span of time such as \"30s\", \"2m\" or \"1 week\", not {}", describe(value))),
    }
}

/// Reads a size in bytes within the given range, from a number or a text such as `"40 MB"`. As in Chatwoot, a kilobyte
/// has 1,024 bytes.
pub(super) fn size(value: &DeValue<'_>, within: RangeInclusive<u64>) -> Result<u64, InvalidValue> {
    let read = match value {
        DeValue::String(text) => parse_size(text),
        DeValue::Integer(_) => whole::<u64>(value, 0..=i64::MAX).ok(),
        _ => None,
    };
    match read {
        Some(bytes) if within.contains(&bytes) => Ok(bytes),
        Some(_) => out_of_range(format!("{} bytes", within.start()), format!("{} bytes", within.end()), value),
        None => Err(format!("must be a number of bytes or a size such as \"40 MB\", not {}", describe(value))),
    }
}

fn out_of_range<T>(least: impl Display, most: impl Display, value: &DeValue<'_>) -> Result<T, InvalidValue> {
    Err(format!("must be from {least} to {most}, not {}", describe(value)))
}

fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    let unit: u64 = match text[digits..].trim_start().to_ascii_lowercase().as_str() {
        "" | "b" | "bytes" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(unit)
}
