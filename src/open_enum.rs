use std::{fmt, marker::PhantomData};

use serde::de;

/// A value that this version of the crate does not know, in the provider's spelling.
///
/// Only this crate can create one, so that a later version can add a variant for it without breaking a
/// `match`. To match such a value today, compare its `as_str()`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnknownValue(Box<str>);

impl UnknownValue {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// Returns the provider's spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn into_string(self) -> String {
        self.0.into()
    }
}

impl fmt::Debug for UnknownValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Deserialises a string into a type that converts from `&str`, without a copy in between.
pub(crate) struct Text<T>(PhantomData<T>);

impl<T> Text<T> {
    pub(crate) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T: for<'a> From<&'a str>> de::Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        Ok(text.into())
    }
}

/// Defines an open enum: the known values, and `Unknown` for values that a provider adds later.
///
/// `as_str()` returns the provider's spelling. Parsing ignores ASCII case, since providers vary theirs. Known
/// values sort in the order of their declaration, before unknown ones.
macro_rules! open_enum {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident { $( $(#[$vmeta:meta])* $variant:ident = $text:literal ),+ $(,)? }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        $vis enum $name {
            $( $(#[$vmeta])* $variant, )+
            /// A value that this version does not know.
            Unknown($crate::UnknownValue),
        }

        impl $name {
            /// Returns the documented spelling, or the text received if it is not documented.
            pub fn as_str(&self) -> &str {
                match self {
                    $( Self::$variant => $text, )+
                    Self::Unknown(value) => value.as_str(),
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                $( if text.eq_ignore_ascii_case($text) { return Self::$variant; } )+
                Self::Unknown($crate::UnknownValue::new(text))
            }
        }

        impl From<$name> for std::borrow::Cow<'static, str> {
            fn from(value: $name) -> Self {
                match value {
                    $( $name::$variant => Self::Borrowed($text), )+
                    $name::Unknown(value) => Self::Owned(value.into_string()),
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::convert::Infallible;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Ok(text.into())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str($crate::open_enum::Text::new())
            }
        }
    };
}
pub(crate) use open_enum;

#[cfg(test)]
mod tests {
    open_enum! {
        /// An enum for the tests.
        pub enum Colour {
            /// Red.
            Red = "RED",
            /// Green.
            Green = "green",
        }
    }

    #[test]
    fn parses_any_case_and_keeps_unknown_values() {
        let read = |json: &str| serde_json::from_str::<Colour>(json).unwrap();
        assert_eq!(read(r#""red""#), Colour::Red);
        assert_eq!(read(r#""GREEN""#), Colour::Green);
        assert!(matches!(read(r#""b\u006cue""#), Colour::Unknown(_)));
        assert_eq!(read(r#""b\u006cue""#).as_str(), "blue");
        for text in ["RED", "green", "Blue"] {
            assert_eq!(serde_json::to_string(&Colour::from(text)).unwrap(), format!("\"{text}\""));
            assert_eq!(text.parse(), Ok(Colour::from(text)));
            assert_eq!(std::borrow::Cow::from(Colour::from(text)), text);
        }
        assert!(Colour::Red < Colour::Green && Colour::Green < Colour::from("Blue"));
    }
}
