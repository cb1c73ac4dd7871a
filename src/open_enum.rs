use std::{fmt, marker::PhantomData};

use serde::de;

/// A value that this version of the crate does not know, kept as the provider spelled it.
///
/// Only this crate can make one, so a new variant in a later version breaks no `match` of yours:
/// compare by `as_str()` when you need such a value today.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnknownValue(Box<str>);

impl UnknownValue {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The provider's spelling.
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

/// Reads a string into what can be made of a `&str`, without a copy of it in between.
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

/// Defines an open enum: the known values, and `Unknown` for what a provider adds later.
///
/// `as_str()` gives the provider's spelling. Reading ignores ASCII case, because providers do not keep to
/// their own. Known values sort as they are declared, before unknown ones.
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
            /// The documented spelling, or what came if it is not documented.
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
        /// A test's own.
        pub enum Colour {
            /// Red.
            Red = "RED",
            /// Green.
            Green = "green",
        }
    }

    #[test]
    fn known_values_are_read_in_any_case_and_unknown_ones_are_kept() {
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
