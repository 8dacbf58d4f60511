//! Label sets: names and values that tell the series of a metric apart.

use std::borrow::Cow;

/// The labels of one series.
///
/// Arrays and slices of pairs are label sets, and `()` is the empty one. A struct becomes one by [`label_set!`](crate::label_set), or by
/// hand:
///
/// ```
/// use bartizan_metrics::LabelSet;
///
/// struct Query<'a> {
///     table: &'a str,
/// }
///
/// impl LabelSet for Query<'_> {
///     fn each(&self, label: &mut dyn FnMut(&str, &str)) {
///         label("table", self.table);
///     }
/// }
/// ```
///
/// Give a metric the same names every time, in the same order. An empty value is the same as no label to Prometheus.
pub trait LabelSet {
    /// Hands over each name and its value.
    fn each(&self, label: &mut dyn FnMut(&str, &str));
}

/// What can be the value of a label: text, numbers, `bool`, `Option` of them (`None` is empty), and your own enums.
///
/// ```
/// use bartizan_metrics::LabelValue;
/// use std::borrow::Cow;
///
/// enum Tier {
///     Free,
///     Paid,
/// }
///
/// impl LabelValue for Tier {
///     fn label_value(&self) -> Cow<'_, str> {
///         Cow::Borrowed(match self {
///             Tier::Free => "free",
///             Tier::Paid => "paid",
///         })
///     }
/// }
/// ```
pub trait LabelValue {
    /// The value as text.
    fn label_value(&self) -> Cow<'_, str>;
}

/// Makes a struct a [`LabelSet`] of the fields that are named.
///
/// ```
/// use bartizan_metrics::label_set;
///
/// struct Job {
///     queue: &'static str,
///     priority: u8,
/// }
/// label_set!(impl Job { queue, priority });
///
/// struct Query<'a> {
///     table: &'a str,
/// }
/// label_set!(impl Query<'_> { table });
/// ```
#[macro_export]
macro_rules! label_set {
    (impl $set:ty { $($field:ident),+ $(,)? }) => {
        impl $crate::LabelSet for $set {
            fn each(&self, label: &mut dyn FnMut(&str, &str)) {
                $(label(stringify!($field), &$crate::LabelValue::label_value(&self.$field));)+
            }
        }
    };
}

impl LabelSet for () {
    fn each(&self, _: &mut dyn FnMut(&str, &str)) {}
}

impl<S: LabelSet + ?Sized> LabelSet for &S {
    fn each(&self, label: &mut dyn FnMut(&str, &str)) {
        (**self).each(label);
    }
}

impl<N: AsRef<str>, V: LabelValue> LabelSet for [(N, V)] {
    fn each(&self, label: &mut dyn FnMut(&str, &str)) {
        for (name, value) in self {
            label(name.as_ref(), &value.label_value());
        }
    }
}

impl<N: AsRef<str>, V: LabelValue, const COUNT: usize> LabelSet for [(N, V); COUNT] {
    fn each(&self, label: &mut dyn FnMut(&str, &str)) {
        self.as_slice().each(label);
    }
}

impl LabelValue for str {
    fn label_value(&self) -> Cow<'_, str> {
        self.into()
    }
}

impl LabelValue for String {
    fn label_value(&self) -> Cow<'_, str> {
        self.into()
    }
}

impl LabelValue for Cow<'_, str> {
    fn label_value(&self) -> Cow<'_, str> {
        Cow::Borrowed(self)
    }
}

impl LabelValue for bool {
    fn label_value(&self) -> Cow<'_, str> {
        Cow::Borrowed(if *self { "true" } else { "false" })
    }
}

impl<V: LabelValue + ?Sized> LabelValue for &V {
    fn label_value(&self) -> Cow<'_, str> {
        (**self).label_value()
    }
}

impl<V: LabelValue> LabelValue for Option<V> {
    fn label_value(&self) -> Cow<'_, str> {
        self.as_ref().map_or(Cow::Borrowed(""), V::label_value)
    }
}

macro_rules! numbers {
    ($($number:ty)+) => {$(
        impl LabelValue for $number {
            fn label_value(&self) -> Cow<'_, str> {
                self.to_string().into()
            }
        }
    )+};
}

numbers!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize);
