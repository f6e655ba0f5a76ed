//! Parameters, neutral between engines. A null carries its type, which `PostgreSQL` wants to know.

use naru_kernel::{Id, IdKind, Timestamp, Zone};

/// One bound parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// BIGINT.
    Integer(Option<i64>),
    /// BOOLEAN.
    Bool(Option<bool>),
    /// DOUBLE PRECISION.
    Real(Option<f64>),
    /// TEXT.
    Text(Option<String>),
    /// BYTEA.
    Bytes(Option<Vec<u8>>),
}

macro_rules! from_scalar {
    ($($type:ty => $variant:ident),+ $(,)?) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Self { Self::$variant(Some(value.into())) }
        }
        impl From<Option<$type>> for Value {
            fn from(value: Option<$type>) -> Self { Self::$variant(value.map(Into::into)) }
        }
    )+};
}

from_scalar! {
    i64 => Integer, i32 => Integer, u32 => Integer, bool => Bool, f64 => Real,
    String => Text, &str => Text, Vec<u8> => Bytes, &[u8] => Bytes,
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(Some(text.clone()))
    }
}

impl From<Timestamp> for Value {
    fn from(at: Timestamp) -> Self {
        Self::Integer(Some(at.as_micros()))
    }
}

impl From<Option<Timestamp>> for Value {
    fn from(at: Option<Timestamp>) -> Self {
        Self::Integer(at.map(Timestamp::as_micros))
    }
}

impl<K: IdKind> From<Id<K>> for Value {
    fn from(id: Id<K>) -> Self {
        Self::Text(Some(id.to_string()))
    }
}

impl<K: IdKind> From<Option<Id<K>>> for Value {
    fn from(id: Option<Id<K>>) -> Self {
        Self::Text(id.map(|id| id.to_string()))
    }
}

impl From<&Zone> for Value {
    fn from(zone: &Zone) -> Self {
        Self::Text(Some(zone.as_str().to_owned()))
    }
}
