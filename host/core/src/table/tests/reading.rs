//! Ranges, columns and matrices.

use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_range_of_any_columns_reads_as_pushed(
        (schema, rows) in columns(),
        offset in 0..70_u64,
        limit in prop_oneof![0..70_u64, Just(u64::MAX)],
        picks in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
    ) {
        let table = Table::from_ipc(table(&schema, &rows, &[], &Layout::default()).to_ipc().unwrap()).unwrap();
        let picks: Vec<u32> = picks.iter().map(|pick| pick.index(schema.fields.len()) as u32).collect();
        let batch = table.read(&picks, offset, limit).unwrap();
        let fields: Vec<_> = picks.iter().map(|&pick| schema.fields[pick as usize].clone()).collect();
        let start = (offset as usize).min(rows.len());
        let end = start + limit.min((rows.len() - start) as u64) as usize;
        let expected: Vec<Vec<Cell>> = rows[start..end]
            .iter()
            .map(|row| picks.iter().map(|&pick| row[pick as usize].clone()).collect())
            .collect();
        prop_assert_eq!(batch.num_rows as usize, expected.len());
        prop_assert_eq!(cells::cells(&fields, &batch), expected);
    }

    #[test]
    fn matrices_hold_the_numbers((schema, rows) in columns(), offset in 0..70_u64, limit in 0..70_u64) {
        let table = table(&schema, &rows, &[], &Layout::default());
        let numeric: Vec<u32> = (0..schema.fields.len() as u32)
            .filter(|&index| number(&cells::example(schema.fields[index as usize].data_type)).is_some())
            .collect();
        let start = (offset as usize).min(rows.len());
        let end = (start + limit as usize).min(rows.len());
        let numbers: Vec<f64> = rows[start..end]
            .iter()
            .flat_map(|row| numeric.iter().map(|&index| number(&row[index as usize]).unwrap()))
            .collect();
        let nan = |value: f64| if value.is_nan() { f64::from_bits(NAN_F64) } else { value };
        let wide: Vec<u8> = numbers.iter().flat_map(|value| nan(*value).to_le_bytes()).collect();
        prop_assert_eq!(table.matrix(&numeric, offset, limit, Element::F64).unwrap(), wide);

        let floats = table.matrix(&numeric, offset, limit, Element::F32).unwrap();
        let floats: Vec<f32> = floats.chunks(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect();
        prop_assert_eq!(floats.len(), numbers.len());
        for (float, number) in floats.iter().zip(&numbers) {
            let both_nan = float.to_bits() == NAN_F32 && number.is_nan();
            // Large integers are rounded once here and twice in the expectation.
            let close = (*number as f32 - float).abs() <= float.abs() * 1e-6;
            prop_assert!(both_nan || close || *float == *number as f32, "{} {}", float, number);
        }
    }
}

/// What a matrix makes of a cell; `None` for texts.
fn number(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Null => Some(f64::NAN),
        Cell::Bool(value) => Some(f64::from(u8::from(*value))),
        Cell::S64(value) => Some(*value as f64),
        Cell::F64(value) => Some(*value),
        Cell::F32(value) => Some(f64::from(*value)),
        Cell::Text(_) | Cell::Bytes(_) => None,
    }
}

#[test]
fn reads_stay_within_the_cap_and_give_at_least_a_row() {
    let long = |length: usize| Cell::Text("x".repeat(length));
    let rows = [1 << 20, 1 << 20, 100, 5 << 20, 10].map(long);
    let table = one_column(DataType::Utf8, &rows);
    let counts: Vec<u64> = [0, 1, 2, 3, 4, 5].map(|offset| table.read(&[0], offset, 100).unwrap().num_rows).to_vec();
    assert_eq!(counts, [1, 2, 1, 1, 1, 0]);

    let many = one_column(DataType::F64, &vec![Cell::F64(1.0); 300_000]);
    let batch = many.read(&[0], 10, u64::MAX).unwrap();
    assert!((250_000..=262_144).contains(&batch.num_rows), "{}", batch.num_rows);
    assert_eq!(many.matrix(&[0], 0, u64::MAX, Element::F64).unwrap().len(), READ_BYTES);
    assert_eq!(many.read(&[], 10, u64::MAX).unwrap().num_rows, 299_990);
}

#[test]
fn matrices_cross_chunks() {
    let schema = Schema::new(vec![field("a", DataType::S64), field("b", DataType::Bool)]).unwrap();
    let cell = |row: usize| match row % 5 {
        0 => vec![Cell::Null, Cell::Bool(true)],
        _ => vec![Cell::S64(row as i64), Cell::Null],
    };
    let rows: Vec<_> = (0..CHUNK_ROWS + 5_000).map(cell).collect();
    let table = table(&schema, &rows, &[], &Layout::default());
    let offset = CHUNK_ROWS - 2_500;
    let matrix = table.matrix(&[1, 0, 1], offset as u64, 5_000, Element::F32).unwrap();
    let floats: Vec<f32> = matrix.chunks(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect();
    assert_eq!(floats.len(), 15_000);
    for (row, values) in floats.chunks(3).enumerate() {
        let row = row + offset;
        match row % 5 {
            0 => assert!(values[0] == 1.0 && values[1].is_nan() && values[2] == 1.0),
            _ => assert!(values[0].is_nan() && values[1] == row as f32),
        }
    }
}

#[test]
fn columns_that_are_not_there_or_hold_no_numbers_are_refused() {
    let table = one_column(DataType::Categorical, &[Cell::Text("a".into())]);
    assert_eq!(table.read(&[1], 0, 1).unwrap_err(), TableError::NoSuchColumn { index: 1, count: 1 });
    let refused = table.matrix(&[0], 0, 1, Element::F64).unwrap_err();
    assert_eq!(refused, TableError::NotNumeric { column: "x".into(), data_type: DataType::Categorical });
}
