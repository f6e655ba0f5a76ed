//! SCIM 2.0 (RFC 7643, RFC 7644) without a network or a table: filters and paths are read with strict limits, filters are
//! judged and patches applied on JSON. What a directory sends is bytes from outside, so everything here is bounded and
//! nothing panics.
#![warn(missing_docs)]

mod evaluate;
mod filter;
mod patch;
mod path;

pub use filter::{FILTER_BYTES_MAX, FILTER_DEPTH_MAX, Filter, Operator};
pub use patch::{OPERATIONS_MAX, patch};
pub use path::{AttributePath, PatchPath};

/// Why something is not taken; the words are RFC 7644's (section 3.12, table 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The filter does not parse, is too long or too deep.
    #[error("the filter cannot be used: {0}")]
    Filter(&'static str),
    /// The path of an operation does not parse.
    #[error("the path cannot be used: {0}")]
    Path(&'static str),
    /// The body has not the shape it should.
    #[error("the body cannot be used: {0}")]
    Syntax(&'static str),
    /// A value does not fit.
    #[error("the value cannot be used: {0}")]
    Value(&'static str),
    /// The path leads to nothing.
    #[error("the path leads to nothing")]
    NoTarget,
    /// The attribute cannot be changed.
    #[error("this attribute cannot be changed")]
    Mutability,
}

impl Refusal {
    /// The `scimType` of the error.
    #[must_use]
    pub const fn scim_type(self) -> &'static str {
        match self {
            Self::Filter(_) => "invalidFilter",
            Self::Path(_) => "invalidPath",
            Self::Syntax(_) => "invalidSyntax",
            Self::Value(_) => "invalidValue",
            Self::NoTarget => "noTarget",
            Self::Mutability => "mutability",
        }
    }
}
