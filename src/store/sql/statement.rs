//! Statements: text that is the same for both databases (see `dialect` for its markers) and the values that are bound
//! to it.

use std::borrow::Cow;

/// A bound value, never written into the text. A missing value (NULL) has a type, too, because PostgreSQL requires one.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::store) enum Value {
    /// A number, or a time in microseconds since 1970, UTC.
    Int(Option<i64>),
    Text(Option<String>),
    Flag(Option<bool>),
    Bytes(Option<Vec<u8>>),
    /// Several numbers: an array on PostgreSQL, JSON on SQLite; `SELECT each(?)` reads them.
    Ints(Vec<i64>),
}

/// A type that can be bound to a statement.
pub(in crate::store) trait IntoValue {
    /// Converts to a bound value.
    fn into_value(self) -> Value;
    /// Returns the missing value (NULL) of this type; for a list, the empty list.
    fn missing() -> Value;
}

macro_rules! into_value {
    ($kind:ident: $($of:ty => $convert:expr),* $(,)?) => {$(
        impl IntoValue for $of {
            fn into_value(self) -> Value {
                let convert: fn(Self) -> _ = $convert;
                Value::$kind(Some(convert(self)))
            }
            fn missing() -> Value {
                Value::$kind(None)
            }
        }
    )*};
}
into_value!(Int: i64 => |n| n, u32 => i64::from, u16 => i64::from);
into_value!(Text: String => |text| text, &str => str::to_owned, &String => String::clone);

impl<T: IntoValue> IntoValue for Option<T> {
    fn into_value(self) -> Value {
        self.map_or_else(T::missing, T::into_value)
    }
    fn missing() -> Value {
        T::missing()
    }
}

impl IntoValue for &Option<String> {
    fn into_value(self) -> Value {
        Value::Text(self.clone())
    }
    fn missing() -> Value {
        Value::Text(None)
    }
}

impl IntoValue for bool {
    fn into_value(self) -> Value {
        Value::Flag(Some(self))
    }
    fn missing() -> Value {
        Value::Flag(None)
    }
}

impl IntoValue for Vec<u8> {
    fn into_value(self) -> Value {
        Value::Bytes(Some(self))
    }
    fn missing() -> Value {
        Value::Bytes(None)
    }
}

impl IntoValue for Vec<i64> {
    fn into_value(self) -> Value {
        Value::Ints(self)
    }
    fn missing() -> Value {
        Value::Ints(Vec::new())
    }
}

impl IntoValue for Value {
    fn into_value(self) -> Value {
        self
    }
    fn missing() -> Value {
        Value::Text(None)
    }
}

/// A statement with its bound values.
#[derive(Clone, Debug)]
pub(in crate::store) struct Statement {
    pub(in crate::store) text: Cow<'static, str>,
    pub(in crate::store) values: Vec<Value>,
}

/// Creates a statement of fixed text, without values.
pub(in crate::store) fn query(text: &'static str) -> Statement {
    Statement { text: Cow::Borrowed(text), values: Vec::new() }
}

impl Statement {
    /// Binds the next value.
    pub(in crate::store) fn bind(mut self, value: impl IntoValue) -> Self {
        self.values.push(value.into_value());
        self
    }
}

/// A builder of a statement. Its pieces of text are constants; everything that comes from outside is bound.
#[derive(Clone, Debug, Default)]
pub(in crate::store) struct Sql {
    text: String,
    values: Vec<Value>,
}

impl Sql {
    /// Creates a statement that starts with `text`.
    pub(in crate::store) fn new(text: &'static str) -> Self {
        Self { text: text.to_owned(), values: Vec::new() }
    }

    /// Appends fixed text.
    pub(in crate::store) fn push(&mut self, text: &'static str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Appends a numbered placeholder and binds `value` to it.
    pub(in crate::store) fn bind(&mut self, value: impl IntoValue) -> &mut Self {
        self.values.push(value.into_value());
        self.text.push('?');
        self.text.push_str(&self.values.len().to_string());
        self
    }

    /// Binds `value` without appending a placeholder: the text can refer to the value by its number, any number of
    /// times.
    pub(in crate::store) fn add_value(&mut self, value: impl IntoValue) -> &mut Self {
        self.values.push(value.into_value());
        self
    }

    /// Appends `(?, ?, …)` with bound values; for an empty list `(NULL)`, which matches nothing after `IN`.
    pub(in crate::store) fn bind_list<V: IntoValue>(&mut self, values: impl IntoIterator<Item = V>) -> &mut Self {
        self.push("(");
        let mut first = true;
        for value in values {
            if !first {
                self.push(", ");
            }
            first = false;
            self.bind(value);
        }
        if first {
            self.push("NULL");
        }
        self.push(")")
    }

    /// Returns the number of bound values.
    pub(in crate::store) fn values(&self) -> usize {
        self.values.len()
    }

    /// Returns the finished statement.
    pub(in crate::store) fn query(self) -> Statement {
        Statement { text: Cow::Owned(self.text), values: self.values }
    }

    #[cfg(test)]
    pub(in crate::store) fn text(&self) -> &str {
        &self.text
    }
}
