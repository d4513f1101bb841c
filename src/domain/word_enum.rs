//! Macros for enums whose variants each have one word in the store, in filters, in the settings and in JSON.

/// Defines an enum from one list of variants and words, and derives `ALL`, `word()` and `parse()` from that list, so
/// that they always agree. A variant without a word does not compile, so no variant can be written to the store and
/// then be refused as corrupt when it is read back.
macro_rules! word_enum {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $($(#[$variant_meta:meta])* $variant:ident = $word:literal),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        $vis enum $name {
            $($(#[$variant_meta])* $variant),+
        }

        impl $name {
            /// Every variant, in the order of its declaration.
            $vis const ALL: [Self; [$($word),+].len()] = [$(Self::$variant),+];

            /// Returns the word that stands for this variant.
            $vis const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }

            /// Returns the first variant with this word; `None` if no variant has it.
            $vis fn parse(word: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|variant| variant.word() == word)
            }
        }
    };
}

/// Implements `Serialize` and `Deserialize` of a [`word_enum!`] by the words of its variants, so that JSON cannot use
/// other spellings.
macro_rules! serde_by_word {
    ($($name:ident),+ $(,)?) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.word())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word: std::borrow::Cow<'de, str> = serde::Deserialize::deserialize(deserializer)?;
                let unknown = || serde::de::Error::custom(format_args!("unknown {}: {word}", stringify!($name)));
                Self::parse(&word).ok_or_else(unknown)
            }
        }
    )+};
}

/// Defines an enum with a constant `ALL` of its variants, in the order of their declaration.
macro_rules! variant_list {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $($(#[$variant_meta:meta])* $variant:ident),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        $vis enum $name {
            $($(#[$variant_meta])* $variant),+
        }

        impl $name {
            /// Every variant, in the order of its declaration.
            $vis const ALL: [Self; [$(stringify!($variant)),+].len()] = [$(Self::$variant),+];
        }
    };
}

pub(crate) use {serde_by_word, variant_list, word_enum};

#[cfg(test)]
mod tests {
    word_enum! {
        /// Two colours.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        enum Colour {
            /// First colour.
            Red = "red",
            /// Second colour.
            DarkBlue = "dark_blue",
        }
    }
    serde_by_word!(Colour);

    variant_list! {
        /// Two sides.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        enum Side {
            Left,
            Right,
        }
    }

    #[test]
    fn a_word_is_read_back_as_its_variant_and_no_other_word_is() {
        assert_eq!(Colour::ALL, [Colour::Red, Colour::DarkBlue]);
        for colour in Colour::ALL {
            assert_eq!(Colour::parse(colour.word()), Some(colour));
            let json = serde_json::to_string(&colour).ok();
            assert_eq!(json.as_deref().and_then(|json| serde_json::from_str(json).ok()), Some(colour));
        }
        for other in ["blue", "Red", ""] {
            assert_eq!(Colour::parse(other), None);
        }
        assert!(serde_json::from_str::<Colour>("\"blue\"").is_err());
        assert_eq!(Side::ALL, [Side::Left, Side::Right]);
    }
}
