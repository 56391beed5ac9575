//! Numbers by what each differs from the one before.
//!
//! What lives here: [`Deltas`], the encoding `DELTA_BINARY_PACKED` in blocks of four parts, as long as the library makes them.
//! What this file must not know: pages, columns, what the numbers are.

use super::hybrid::{by_bits, varint, width};

/// Parts of a block.
const PARTS: usize = 4;

/// Numbers of one page.
#[derive(Debug)]
pub(super) struct Deltas {
    /// Numbers are of 32 bits: differences that leave them wrap around.
    narrow: bool,
    total: u64,
    first: i64,
    last: i64,
    /// Differences of the block that is not yet whole.
    block: Vec<i64>,
    /// Whole blocks.
    out: Vec<u8>,
}

impl Deltas {
    /// Of numbers of 32 or 64 bits.
    pub(super) fn new(narrow: bool) -> Self {
        Self { narrow, total: 0, first: 0, last: 0, block: Vec::new(), out: Vec::new() }
    }

    /// Numbers of a block.
    fn length(&self) -> usize {
        if self.narrow { 128 } else { 256 }
    }

    pub(super) fn add(&mut self, number: i64) {
        self.total += 1;
        if self.total == 1 {
            self.first = number;
        } else {
            self.block.push(self.less(number, self.last));
            if self.block.len() == self.length() {
                self.end_block();
            }
        }
        self.last = number;
    }

    fn less(&self, number: i64, other: i64) -> i64 {
        let difference = number.wrapping_sub(other);
        if self.narrow { i64::from(difference as i32) } else { difference }
    }

    /// Bytes of whole blocks, as the library counts them.
    pub(super) fn size(&self) -> usize {
        self.out.len()
    }

    fn end_block(&mut self) {
        let Some(least) = self.block.iter().min().copied() else { return };
        let part = self.length() / PARTS;
        zigzag(least, &mut self.out);
        let widths = self.out.len();
        self.out.extend_from_slice(&[0; PARTS]);
        for (place, some) in (widths..).zip(self.block.chunks(part)) {
            let most = some.iter().max().copied().unwrap_or(least);
            let rest = |number: i64| {
                let rest = number.wrapping_sub(least);
                if self.narrow { u64::from(rest as u32) } else { rest as u64 }
            };
            let width = width(rest(most));
            if let Some(byte) = self.out.get_mut(place) {
                *byte = width as u8;
            }
            let end = self.out.len() + part * width as usize / 8;
            if width > 0 {
                by_bits(some.iter().map(|number| rest(*number)), width, &mut self.out);
            }
            self.out.resize(end, 0);
        }
        self.block.clear();
    }

    /// Appends all numbers; none is left.
    pub(super) fn take(&mut self, out: &mut Vec<u8>) {
        self.end_block();
        varint(self.length() as u64, out);
        varint(PARTS as u64, out);
        varint(self.total, out);
        zigzag(self.first, out);
        out.append(&mut self.out);
        self.total = 0;
        self.first = 0;
        self.last = 0;
    }
}

/// Appends a number whose sign is in its lowest bit.
fn zigzag(number: i64, out: &mut Vec<u8>) {
    varint((number << 1 ^ number >> 63) as u64, out);
}

#[cfg(test)]
mod tests {
    use ::parquet::basic::{Encoding, Type};
    use ::parquet::data_type::{DataType, Int32Type, Int64Type};
    use ::parquet::file::properties::WriterProperties;
    use ::parquet::file::reader::{FileReader, SerializedFileReader};
    use ::parquet::file::writer::SerializedFileWriter;
    use ::parquet::schema::types::{ColumnPath, Type as SchemaType};
    use bytes::Bytes;
    use proptest::prelude::*;
    use std::sync::Arc;

    use super::*;

    /// The values of a column's one page, by the library.
    fn page<T: DataType>(kind: Type, numbers: &[T::T]) -> Vec<u8> {
        let field = SchemaType::primitive_type_builder("a", kind)
            .with_repetition(::parquet::basic::Repetition::REQUIRED)
            .build()
            .unwrap();
        let schema =
            SchemaType::group_type_builder("all").with_fields(vec![Arc::new(field)]).build().unwrap();
        let properties = WriterProperties::builder()
            .set_dictionary_enabled(false)
            .set_column_encoding(ColumnPath::from("a"), Encoding::DELTA_BINARY_PACKED)
            .build();
        let mut out = Vec::new();
        let mut file = SerializedFileWriter::new(&mut out, Arc::new(schema), Arc::new(properties)).unwrap();
        let mut group = file.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<T>().write_batch(numbers, None, None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
        file.close().unwrap();
        let reader = SerializedFileReader::new(Bytes::from(out)).unwrap();
        let group = reader.get_row_group(0).unwrap();
        let page = group.get_column_page_reader(0).unwrap().next().unwrap().unwrap();
        page.buffer().to_vec()
    }

    fn ours(narrow: bool, numbers: impl Iterator<Item = i64>) -> Vec<u8> {
        let (mut deltas, mut out) = (Deltas::new(narrow), Vec::new());
        numbers.for_each(|number| deltas.add(number));
        deltas.take(&mut out);
        out
    }

    proptest! {
        #[test]
        fn numbers_take_the_bytes_that_the_library_gives_them(
            near in proptest::collection::vec(-300_i32..300, 1..700),
            any in proptest::collection::vec(any::<i64>(), 0..600),
            scale in 0_u32..40,
        ) {
            let wide: Vec<i64> =
                near.iter().map(|number| i64::from(*number) << scale).chain(any.iter().copied()).collect();
            prop_assert_eq!(ours(false, wide.iter().copied()), page::<Int64Type>(Type::INT64, &wide));
            let narrow: Vec<i32> = near.into_iter().chain(any.into_iter().map(|number| number as i32)).collect();
            let own = ours(true, narrow.iter().copied().map(i64::from));
            prop_assert_eq!(own, page::<Int32Type>(Type::INT32, &narrow));
        }
    }
}
