//! The types of values, as people call them.

use toml::de::DeValue;

/// The type that a key takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// One text.
    Text,
    /// A list of texts.
    Texts,
    /// A whole number.
    Integer,
    /// True or false.
    Flag,
    /// A table.
    Table,
    /// A list of tables.
    Tables,
}

impl Wanted {
    /// As it is asked for.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Texts => "a list of texts",
            Self::Integer => "a whole number",
            Self::Flag => "true or false",
            Self::Table => "a table",
            Self::Tables => "a list of tables",
        }
    }
}

/// A value's type as people call it.
pub fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
