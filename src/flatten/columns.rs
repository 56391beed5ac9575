//! Builders of columns.
//!
//! What lives here: one [`Builder`] a column and its memory. What this file must not know: what
//! the values mean.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::{
    ArrayBuilder, BooleanBuilder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder,
};

use super::coerce::{self, Fit};
use crate::model::Timestamp;
use crate::model::json::{Noted, Value};
use crate::schema::{DataType, Json};

/// Bytes a timestamp or an integer takes.
const NUMBER: usize = 8;
/// Bytes that a column of texts begins with at most.
const MOST_AHEAD: usize = 1 << 20;
/// Bytes an offset of a text takes.
const OFFSET: usize = 4;
const MICROS_A_SECOND: i64 = 1_000_000;
const MICROS_A_DAY: i64 = 86_400 * MICROS_A_SECOND;

/// Builds one column. Most columns of an event hold nothing: they catch up when a value comes, or at the batch's end.
#[derive(Debug)]
pub(super) struct Builder {
    /// Rows that are appended.
    length: usize,
    values: Values,
    day: Day,
}

#[derive(Debug)]
enum Values {
    Text(StringBuilder),
    Time(TimestampMicrosecondBuilder),
    Integer(Int64Builder),
    Boolean(BooleanBuilder),
}

impl Builder {
    pub(super) fn new(data_type: DataType) -> Self {
        let values = match data_type {
            DataType::Utf8 => Values::Text(StringBuilder::new()),
            DataType::Timestamp => Values::Time(TimestampMicrosecondBuilder::new().with_timezone("UTC")),
            DataType::Int64 => Values::Integer(Int64Builder::new()),
            DataType::Boolean => Values::Boolean(BooleanBuilder::new()),
        };
        Self { length: 0, values, day: Day::default() }
    }

    /// Appends nulls before this row, which is appended next.
    #[inline]
    fn reach(&mut self, row: usize) {
        if self.length < row {
            self.nulls(row - self.length);
        }
        self.length += 1;
    }

    fn nulls(&mut self, count: usize) {
        self.length += count;
        match &mut self.values {
            Values::Text(builder) => builder.append_nulls(count),
            Values::Time(builder) => builder.append_nulls(count),
            Values::Integer(builder) => builder.append_nulls(count),
            Values::Boolean(builder) => builder.append_nulls(count),
        }
    }

    /// Appends a text; nothing in a column of another type, which the plan rules out.
    #[inline]
    pub(super) fn text(&mut self, row: usize, value: &str) {
        if matches!(self.values, Values::Text(_)) {
            self.reach(row);
        }
        if let Values::Text(builder) = &mut self.values {
            builder.append_value(value);
        }
    }

    /// Appends a value of the column's type as the coercion table has it; says how well it fits.
    pub(super) fn coerced(&mut self, row: usize, value: &Value<'_>, json: Option<Json>) -> Fit {
        self.reach(row);
        match &mut self.values {
            Values::Text(builder) => {
                let (text, fit) = coerce::text(value, json);
                builder.append_option(text.as_deref());
                fit
            }
            Values::Time(builder) => {
                let (micros, fit) = coerce::timestamp(value);
                builder.append_option(micros);
                fit
            }
            Values::Integer(builder) => {
                let (number, fit) = coerce::integer(value);
                builder.append_option(number);
                fit
            }
            Values::Boolean(builder) => {
                let (truth, fit) = coerce::boolean(value);
                builder.append_option(truth);
                fit
            }
        }
    }

    /// The same for a member, of which a plain string is looked at no further where the column is one of strings, and a
    /// time no further than to its date where that is known.
    #[inline]
    pub(super) fn member(&mut self, row: usize, noted: &Noted<'_>, member: usize, json: Option<Json>) -> Fit {
        if let Some(text) = noted.plain_string(member) {
            if matches!(self.values, Values::Text(_)) && json == Some(Json::String) {
                self.text(row, text);
                return Fit::Exact;
            }
            if matches!(self.values, Values::Time(_))
                && let Some(micros) = self.day.time(text)
            {
                self.reach(row);
                if let Values::Time(builder) = &mut self.values {
                    builder.append_value(micros);
                }
                return Fit::Exact;
            }
        }
        noted.value(member).map_or(Fit::Null, |value| self.coerced(row, &value, json))
    }

    /// Bytes of so many rows.
    pub(super) fn bytes(&self, rows: usize) -> usize {
        match &self.values {
            Values::Text(builder) => builder.values_slice().len() + rows * OFFSET + rows / 8,
            Values::Time(_) | Values::Integer(_) => rows * NUMBER + rows / 8,
            Values::Boolean(_) => rows / 4,
        }
    }

    /// The column, which holds as many rows.
    pub(super) fn finish(&mut self, rows: usize) -> ArrayRef {
        self.nulls(rows.saturating_sub(self.length));
        self.length = 0;
        match &mut self.values {
            Values::Text(builder) => {
                // The next batch will be about as large.
                let (rows, bytes) = (builder.len(), builder.values_slice().len());
                let next = StringBuilder::with_capacity(rows, (bytes + bytes / 8).min(MOST_AHEAD));
                Arc::new(std::mem::replace(builder, next).finish())
            }
            Values::Time(builder) => Arc::new(builder.finish()),
            Values::Integer(builder) => Arc::new(builder.finish()),
            Values::Boolean(builder) => Arc::new(builder.finish()),
        }
    }
}

/// The date that was read last, since most times that follow each other are of one day.
#[derive(Debug, Default)]
struct Day {
    /// As it is spelled; none at first.
    date: Option<[u8; 10]>,
    /// Its midnight.
    micros: i64,
}

impl Day {
    /// A time that is spelled as the API documents it, without a fraction; `None` for any other text.
    fn time(&mut self, text: &str) -> Option<i64> {
        let (date, rest) = text.as_bytes().split_first_chunk::<10>()?;
        let &[b'T', h1, h2, b':', m1, m2, b':', s1, s2] = rest else { return None };
        if self.date != Some(*date) {
            let read = Timestamp::parse(text).filter(|read| read.canonical)?;
            self.micros = read.at.micros() - read.at.micros().rem_euclid(MICROS_A_DAY);
            self.date = Some(*date);
        }
        let two = |tens: u8, ones: u8| {
            let digits = tens.is_ascii_digit() && ones.is_ascii_digit();
            digits.then(|| i64::from(tens) * 10 + i64::from(ones) - 11 * i64::from(b'0'))
        };
        let (hours, minutes, seconds) = (two(h1, h2)?, two(m1, m2)?, two(s1, s2)?);
        let valid = hours < 24 && minutes < 60 && seconds < 60;
        valid.then(|| self.micros + (hours * 3_600 + minutes * 60 + seconds) * MICROS_A_SECOND)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_time_is_read_as_it_is_without_the_day_before(
            times in prop::collection::vec((0_i64..3, 0_i64..MICROS_A_DAY, any::<bool>()), 1..8),
            place in any::<prop::sample::Index>(),
            byte in prop::sample::select(b"0123456789T:.-Z ".to_vec()),
        ) {
            let mut day = Day::default();
            for (number, within, whole) in times {
                let within = if whole { within - within % MICROS_A_SECOND } else { within };
                let text = Timestamp::from_micros((number - 1) * MICROS_A_DAY + within).to_string();
                let mut other = text.clone().into_bytes();
                other[place.index(text.len())] = byte;
                for text in [text.clone(), String::from_utf8(other).unwrap(), text] {
                    let expected = Timestamp::parse(&text).filter(|read| read.canonical && text.len() == 19);
                    prop_assert_eq!(day.time(&text), expected.map(|read| read.at.micros()), "{}", text);
                }
            }
        }
    }
}
