//! Topics: the kinds of data that a commit may change, so that others read again only what has changed.

use super::word_enum::word_enum;
use std::fmt;
use std::ops::{BitAnd, BitOr, BitOrAssign};

word_enum! {
    /// A kind of data in the store.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Topic {
        /// Documents, their contents, texts that wait for review, and the plans of their accounts.
        Documents = "documents",
        /// Jobs and their order, but not the leases of running jobs, which every heartbeat renews.
        Jobs = "jobs",
        Outcomes = "outcomes",
        /// Back-off of hosts.
        Hosts = "hosts",
        Pauses = "pauses",
        /// Registered workers, but not their heartbeats.
        Workers = "workers",
        /// Sources, their reads and proposals.
        Sources = "sources",
    }
}

/// A set of topics.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct TopicSet(u8);

impl TopicSet {
    /// No topic.
    pub const NONE: Self = Self(0);
    /// Every topic: something has changed, and nothing is known about it.
    pub const ALL: Self = Self::of(&Topic::ALL);

    /// Returns the set of `topics`.
    pub const fn of(topics: &[Topic]) -> Self {
        let mut set = 0;
        let mut index = 0;
        while index < topics.len() {
            set |= 1 << topics[index] as u8;
            index += 1;
        }
        Self(set)
    }

    /// Returns true if the set has no topic.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns true if `topic` is in the set.
    pub const fn contains(self, topic: Topic) -> bool {
        self.intersects(Self::of(&[topic]))
    }

    /// Returns true if at least one topic is in both sets.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Returns the topics of the set, in the order of their declaration.
    pub fn iter(self) -> impl Iterator<Item = Topic> {
        Topic::ALL.into_iter().filter(move |topic| self.contains(*topic))
    }

    /// Reads a set from the words of a message. Other words are skipped, and a message without a known topic stands
    /// for all of them, so that versions can differ.
    pub fn from_words<'w>(words: impl IntoIterator<Item = &'w str>) -> Self {
        let known: Self = words.into_iter().filter_map(Topic::parse).collect();
        if known.is_empty() { Self::ALL } else { known }
    }
}

impl FromIterator<Topic> for TopicSet {
    fn from_iter<I: IntoIterator<Item = Topic>>(topics: I) -> Self {
        topics.into_iter().fold(Self::NONE, |set, topic| set | Self::of(&[topic]))
    }
}

impl BitOr for TopicSet {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for TopicSet {
    fn bitor_assign(&mut self, other: Self) {
        *self = *self | other;
    }
}

impl BitAnd for TopicSet {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// Formats the words of the topics with a space before each, as they follow other words in a message.
impl fmt::Display for TopicSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().try_for_each(|topic| write!(f, " {}", topic.word()))
    }
}

impl fmt::Debug for TopicSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_read_back_from_its_words() {
        for topic in Topic::ALL {
            let set = TopicSet::of(&[topic, Topic::Pauses]);
            assert_eq!(TopicSet::from_words(set.to_string().split(' ')), set);
            assert!(set.contains(topic) && set.intersects(TopicSet::ALL) && !set.is_empty());
        }
        assert_eq!(TopicSet::of(&[Topic::Jobs, Topic::Documents]).to_string(), " documents jobs");
        assert_eq!(TopicSet::from_words(["a", "later_topic", "jobs"]), TopicSet::of(&[Topic::Jobs]));
        assert_eq!(TopicSet::from_words(["a", "later_topic"]), TopicSet::ALL);
        assert_eq!(TopicSet::ALL.iter().count(), Topic::ALL.len());
        assert!(TopicSet::NONE.is_empty() && !TopicSet::NONE.intersects(TopicSet::ALL));
    }
}
