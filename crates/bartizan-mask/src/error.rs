//! Why a masker cannot be built.

use crate::builder::MAX_CENSOR_BYTES;
use crate::json::MAX_SEGMENTS;
use crate::names::MAX_NAME_BYTES;

/// Why a [`MaskerBuilder`](crate::MaskerBuilder) cannot be built.
///
/// ```
/// use bartizan_mask::{MaskError, Masker};
///
/// let error = Masker::builder().name("--").build().unwrap_err();
/// assert_eq!(error, MaskError::EmptyName { name: "--".into() });
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MaskError {
    /// A sensitive or allowed name has no letter and no digit.
    #[error("mask name {name:?} has no letter or digit: give the name of a field, such as \"iban\"")]
    EmptyName {
        /// The name as given.
        name: String,
    },
    /// A sensitive or allowed name is longer than 128 bytes.
    #[error("a mask name has {bytes} bytes: give the name of a field, of at most {MAX_NAME_BYTES}")]
    LongName {
        /// Its length in bytes.
        bytes: usize,
    },
    /// The censor is empty or longer than 64 bytes.
    #[error("the mask censor has {bytes} bytes: give 1 to {MAX_CENSOR_BYTES}, such as \"[REDACTED]\"")]
    CensorLength {
        /// Its length in bytes.
        bytes: usize,
    },
    /// A path is not written as paths are, or all of them have too many segments.
    #[error(
        "{path:?} is no path that can be masked: write it like \"user.cards[*].number\" or \"**.pin\", and all \
         paths in at most {MAX_SEGMENTS} segments"
    )]
    Path {
        /// The path as given.
        path: String,
    },
    /// A pattern is no regular expression, or too large.
    #[error(
        "the pattern {pattern:?} cannot be used: write it in the syntax of the regex crate, and keep repetitions small"
    )]
    Pattern {
        /// The pattern as given.
        pattern: String,
    },
    /// There are more than 254 different actions.
    #[error("the masker has more than 254 different actions: use the same texts for several names")]
    Actions,
    /// The key of the pseudonyms cannot be used.
    #[error(
        "the pseudonym key {id:?} cannot be used: give an id of 1 to 32 letters, digits, \"-\", \"_\" or \".\", and a \
         key that is not empty, to a masker that has one"
    )]
    PseudonymKey {
        /// The id as given.
        id: String,
    },
    /// The censor holds a character that would break a header, JSON or a query.
    #[error(
        "the mask censor holds {found:?}: give visible ASCII characters without \
         quotation mark, backslash, ampersand, semicolon, number sign or percent sign"
    )]
    CensorCharacter {
        /// The first such character.
        found: char,
    },
}
