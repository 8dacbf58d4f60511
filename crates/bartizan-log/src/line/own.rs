//! The fields of our own events: their names are known to be plain and to come once, so they are written as they are.

/// A field of an event of our own.
#[derive(Debug)]
pub(crate) struct OwnField {
    pub(super) name: &'static str,
    /// What stands before its value in a JSON line.
    pub(super) key: &'static str,
    pub(crate) kind: Kind,
}

/// What the text of such a field may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Nothing that JSON would escape.
    Plain,
    Text,
    /// JSON that is written as such.
    Json,
}

impl OwnField {
    pub(crate) const fn new(name: &'static str, key: &'static str, kind: Kind) -> Self {
        Self { name, key, kind }
    }
}

/// Makes a table of [`OwnField`]s: `own_fields! { pub(crate) TABLE { name: text, .. } }`.
macro_rules! own_fields {
    ($(#[$doc:meta])* $visibility:vis $table:ident { $($name:ident: $kind:ident,)* }) => {
        $(#[$doc])*
        $visibility static $table: &[$crate::line::OwnField] = &[
            $($crate::line::OwnField::new(
                stringify!($name),
                concat!(",\"", stringify!($name), "\":"),
                own_fields!(@$kind),
            ),)*
        ];
    };
    (@plain) => { $crate::line::Kind::Plain };
    (@text) => { $crate::line::Kind::Text };
    (@json) => { $crate::line::Kind::Json };
}

pub(crate) use own_fields;
