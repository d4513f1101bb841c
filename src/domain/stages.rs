//! Durations of the stages of an attempt, packed into one number.

use super::word_enum::word_enum;
use serde::de::Error as _;
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::time::Duration;

word_enum! {
    /// Stage of an attempt.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Stage {
        /// Look-up of the host's name.
        Name = "name",
        /// Connection to the host, without TLS.
        Connect = "connect",
        /// TLS handshake.
        Tls = "tls",
        /// From the open connection, or from the request on a reused one, to the head of the response.
        FirstByte = "first_byte",
        /// From the head of the response to the end of its body.
        Body = "body",
        /// Conversion to text, including the wait for a slot.
        Convert = "convert",
    }
}

/// Bits of one stage. The first code stands for a stage that did not take place, the others for a duration.
const BITS: u32 = 10;
const MAX_CODE: u64 = (1 << BITS) - 1;
/// Bits of a duration after its first one: 32 steps for each doubling, so a duration is exact up to 64 microseconds and
/// within 1.6 % above.
const STEP_BITS: u32 = 5;
const STEPS: u64 = 1 << STEP_BITS;

/// Durations of the stages of an attempt. A stage that takes place several times, as in redirects, counts with the sum.
///
/// The number has ten bits for each stage, those of [`Stage::Name`] lowest, so six stages need 60 bits. It is stored
/// (`outcomes.stages`), so the packing must not change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stages(u64);

impl Stages {
    /// Returns the number; `None` if no stage took place.
    pub fn packed(self) -> Option<i64> {
        i64::try_from(self.0).ok().filter(|packed| *packed > 0)
    }

    /// Returns the stages of a number; `None` for one that no stages have.
    pub fn unpack(packed: i64) -> Option<Self> {
        let packed = u64::try_from(packed).ok()?;
        (packed > 0 && packed >> (BITS * Stage::ALL.len() as u32) == 0).then_some(Self(packed))
    }

    /// Sets the duration of a stage, which is rounded.
    pub fn set(&mut self, stage: Stage, duration: Duration) {
        let shift = BITS * stage as u32;
        self.0 = (self.0 & !(MAX_CODE << shift)) | (encode(duration) << shift);
    }

    /// Returns the duration of a stage; `None` if it did not take place.
    pub fn get(self, stage: Stage) -> Option<Duration> {
        decode((self.0 >> (BITS * stage as u32)) & MAX_CODE)
    }

    /// Returns the stages that took place, in order.
    pub fn iter(self) -> impl Iterator<Item = (Stage, Duration)> {
        Stage::ALL.into_iter().filter_map(move |stage| Some((stage, self.get(stage)?)))
    }
}

/// Returns the code of a duration, 1 or higher.
fn encode(duration: Duration) -> u64 {
    let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    if micros < STEPS {
        return micros + 1;
    }
    let shift = |micros: u64| micros.ilog2() - STEP_BITS;
    // Half a step more, so that cutting rounds.
    let rounded = micros.saturating_add((1 << shift(micros)) / 2);
    let shift = shift(rounded);
    let code = u64::from(shift) * STEPS + (rounded >> shift) + 1;
    code.min(MAX_CODE)
}

/// Returns the duration of a code; `None` for the code of a stage that did not take place.
fn decode(code: u64) -> Option<Duration> {
    let code = code.checked_sub(1)?;
    let micros = match code / STEPS {
        0 => code,
        doublings => (STEPS + code % STEPS) << (doublings - 1),
    };
    Some(Duration::from_micros(micros))
}

/// As an object: each stage that took place, with its duration in milliseconds.
impl Serialize for Stages {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (stage, duration) in self.iter() {
            map.serialize_entry(stage.word(), &(duration.as_micros() as f64 / 1e3))?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Stages {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut stages = Self::default();
        for (word, ms) in BTreeMap::<String, f64>::deserialize(deserializer)? {
            let stage = Stage::parse(&word).ok_or_else(|| D::Error::custom(format_args!("unknown stage: {word}")))?;
            let duration = Duration::try_from_secs_f64((ms * 1e3).round() / 1e6).map_err(D::Error::custom)?;
            stages.set(stage, duration);
        }
        Ok(stages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn duration() -> impl Strategy<Value = Option<Duration>> {
        // Each order of magnitude is as likely.
        prop::option::of(
            (0_u32..35, 0.0..2.0)
                .prop_map(|(bits, part)| Duration::from_micros(((1_u64 << bits) as f64 * part) as u64)),
        )
    }

    proptest! {
        #[test]
        fn stages_come_back_within_their_precision(durations in prop::collection::vec(duration(), 6)) {
            let mut stages = Stages::default();
            for (stage, duration) in Stage::ALL.into_iter().zip(&durations) {
                duration.iter().for_each(|duration| stages.set(stage, *duration));
            }
            let read = stages.packed().map_or(Some(Stages::default()), Stages::unpack);
            prop_assert_eq!(read, Some(stages));
            for (stage, duration) in Stage::ALL.into_iter().zip(durations) {
                let known = stages.get(stage);
                prop_assert_eq!(known.is_some(), duration.is_some());
                let (Some(known), Some(duration)) = (known, duration) else { continue };
                let difference = known.abs_diff(duration);
                prop_assert!(difference <= duration.mul_f64(0.016), "{known:?} of {duration:?}");
                prop_assert!(duration >= Duration::from_micros(64) || known == duration);
            }
            // What was rounded once is not rounded again, also in JSON.
            let json = serde_json::to_string(&stages).expect("JSON");
            prop_assert_eq!(serde_json::from_str::<Stages>(&json).expect("read"), stages);
        }

        #[test]
        fn any_number_is_refused_or_packed_as_it_was(packed: i64) {
            prop_assert!(Stages::unpack(packed).is_none_or(|stages| stages.packed() == Some(packed)));
        }
    }

    #[test]
    fn the_packing_stays_as_it_is_stored() {
        let mut stages = Stages::default();
        assert_eq!((stages.packed(), Stages::unpack(0), Stages::unpack(-1)), (None, None, None));
        stages.set(Stage::Name, Duration::ZERO);
        assert_eq!(stages.packed(), Some(1));
        stages.set(Stage::Connect, Duration::from_micros(63));
        assert_eq!(stages.packed(), Some(1 + (64 << 10)));
        stages.set(Stage::Convert, Duration::MAX);
        assert_eq!(stages.packed(), Some(1 + (64 << 10) + (1_023 << 50)));
        assert_eq!(stages.iter().count(), 3);
    }
}
