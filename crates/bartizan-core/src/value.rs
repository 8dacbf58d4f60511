//! Values that an application binds to a request.

use std::borrow::Cow;

/// The value of a bound field: what a log line can carry as a JSON scalar.
///
/// ```
/// use bartizan_core::Value;
///
/// assert_eq!(Value::from("acme"), Value::Str("acme".into()));
/// assert_eq!(Value::from(7_i32), Value::I64(7));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A boolean.
    Bool(bool),
    /// A signed integer.
    I64(i64),
    /// An unsigned integer.
    U64(u64),
    /// A number; what is not finite is written as `null`.
    F64(f64),
    /// Text, cut at [`Value::MAX_TEXT`] bytes when it is bound.
    Str(Cow<'static, str>),
}

impl Value {
    /// Text longer than this many bytes is cut, on a character's boundary.
    pub const MAX_TEXT: usize = 1024;

    /// Within its bound, and whether it had to be cut for it.
    pub(crate) fn bounded(self) -> (Self, bool) {
        match self {
            Self::Str(text) if text.len() > Self::MAX_TEXT => {
                let end = text.floor_char_boundary(Self::MAX_TEXT);
                (Self::Str(Cow::Owned(text.get(..end).unwrap_or_default().to_owned())), true)
            }
            other => (other, false),
        }
    }
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Str(Cow::Borrowed(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Str(Cow::Owned(text))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

macro_rules! from_number {
    ($($from:ty => $variant:ident($as:ty)),* $(,)?) => {$(
        impl From<$from> for Value {
            fn from(number: $from) -> Self {
                Self::$variant(<$as>::from(number))
            }
        }
    )*};
}

from_number! {
    i8 => I64(i64), i16 => I64(i64), i32 => I64(i64), i64 => I64(i64),
    u8 => U64(u64), u16 => U64(u64), u32 => U64(u64), u64 => U64(u64),
    f32 => F64(f64), f64 => F64(f64),
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::U64(number as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_on_a_characters_boundary() {
        for (text, len) in [("ä".repeat(1000), 1024), (format!("x{}", "ä".repeat(1000)), 1023)] {
            let (Value::Str(text), true) = Value::from(text).bounded() else { unreachable!() };
            assert_eq!(text.len(), len);
        }
        assert_eq!(Value::from("short").bounded(), (Value::from("short"), false));
    }
}
