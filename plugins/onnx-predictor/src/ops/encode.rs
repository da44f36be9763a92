//! Operators of `ai.onnx.ml` that prepare features and name classes.

use std::collections::HashMap;
use std::rc::Rc;

use super::{Kernel, required};
use crate::model::Node;
use crate::protobuf::Problem;
use crate::tensor::{Data, Element, Tensor, elements};

/// Elements of the last axis.
pub fn array_feature_extractor(_: &Node) -> Result<Kernel, Problem> {
    Ok(Box::new(|inputs| {
        let (input, chosen) = (required(inputs, 0)?, required(inputs, 1)?.data.wholes()?);
        let Some((&size, outer)) = input.shape.split_last() else {
            return Err("a single number where a list is needed".to_owned());
        };
        let indexes: Option<Vec<usize>> =
            chosen.iter().map(|&index| usize::try_from(index).ok().filter(|&index| index < size)).collect();
        let indexes = indexes.ok_or("an index is out of range")?;
        // A list counts as one row.
        let shape = if outer.is_empty() { vec![1, indexes.len()] } else { [outer, &[indexes.len()]].concat() };
        let rows = outer.iter().product::<usize>();
        let mut places = Vec::with_capacity(elements(&shape)?);
        (0..rows).for_each(|row| places.extend(indexes.iter().map(|index| row * size + index)));
        Ok(vec![Tensor::new(shape, input.data.take(&places))?])
    }))
}

/// Puts a value in the place of those that are missing: NaN, or one that is named.
pub fn imputer(node: &Node) -> Result<Kernel, Problem> {
    let wholes = node.has("imputed_value_int64s");
    let (imputed, replaced): (Vec<f64>, f64) = if wholes {
        let values = node.wholes("imputed_value_int64s").iter().map(|&value| value as f64).collect();
        (values, node.whole("replaced_value_int64", 0) as f64)
    } else {
        let values = node.singles("imputed_value_floats").iter().map(|&value| f64::from(value)).collect();
        (values, f64::from(node.single("replaced_value_float", 0.0)))
    };
    Ok(Box::new(move |inputs| {
        let input = required(inputs, 0)?;
        let (_, features) = input.matrix()?;
        if imputed.len() != 1 && imputed.len() != features {
            return Err(format!("{} values for {features} features", imputed.len()));
        }
        let mut values = input.data.doubles()?;
        for row in values.chunks_exact_mut(features.max(1)) {
            for (feature, value) in row.iter_mut().enumerate() {
                if *value == replaced || (value.is_nan() && replaced.is_nan()) {
                    *value = imputed[feature.min(imputed.len() - 1)];
                }
            }
        }
        let element = match input.data {
            Data::Single(_) => Element::Single,
            Data::Double(_) => Element::Double,
            _ => Element::Whole,
        };
        Ok(vec![Tensor { shape: input.shape.clone(), data: Data::Double(values).cast(element)? }])
    }))
}

/// A new last axis with 1 at the value's category and 0 elsewhere.
pub fn one_hot(node: &Node) -> Result<Kernel, Problem> {
    let categories: Vec<String> = match node.texts("cats_strings") {
        [] => node.wholes("cats_int64s").iter().map(i64::to_string).collect(),
        texts => texts.to_vec(),
    };
    let zeros = node.whole("zeros", 1) != 0;
    let places: HashMap<String, usize> =
        categories.iter().enumerate().map(|(place, category)| (category.clone(), place)).collect();
    Ok(Box::new(move |inputs| {
        let input = required(inputs, 0)?;
        let shape = [input.shape.as_slice(), &[categories.len()]].concat();
        let mut values = vec![0.0_f32; elements(&shape)?];
        let keys = if input.data.is_float() { input.data.cast(Element::Whole)? } else { input.data.clone() };
        for (number, key) in keys.texts().iter().enumerate() {
            match places.get(key) {
                Some(place) => values[number * categories.len() + place] = 1.0,
                None if zeros => {}
                None => return Err(format!("`{}` is no category of training", crate::graph::shortened(key))),
            }
        }
        Ok(vec![Tensor { shape, data: Data::Single(values) }])
    }))
}

/// Keys as bits, so that NaN is found too.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Bits(u64),
    Text(Rc<str>),
}

fn keys(data: &Data) -> Result<Vec<Key>, Problem> {
    match data {
        Data::Text(texts) => Ok(texts.iter().cloned().map(Key::Text).collect()),
        // `+ 0.0` makes one zero of both, and all NaN are one.
        numbers => {
            let bits = |value: f64| if value.is_nan() { f64::NAN.to_bits() } else { (value + 0.0).to_bits() };
            Ok(numbers.doubles()?.into_iter().map(|value| Key::Bits(bits(value))).collect())
        }
    }
}

/// A value for each key; another for all that are no keys.
pub fn label_encoder(node: &Node) -> Result<Kernel, Problem> {
    if node.has("classes_strings") {
        return Err("version 1 is not supported\nhint: export for a newer `ai.onnx.ml`".to_owned());
    }
    let of = |part: &str| {
        let texts =
            || Data::Text(node.texts(&format!("{part}_strings")).iter().map(|text| Rc::from(text.as_str())).collect());
        match node.tensor(&format!("{part}_tensor")) {
            Some(tensor) => tensor.data.clone(),
            None if node.has(&format!("{part}_strings")) => texts(),
            None if node.has(&format!("{part}_int64s")) => Data::Whole(node.wholes(&format!("{part}_int64s")).to_vec()),
            None => Data::Single(node.singles(&format!("{part}_floats")).to_vec()),
        }
    };
    let (known, values) = (keys(&of("keys"))?, of("values"));
    if known.len() != values.len() {
        return Err(format!("{} keys and {} values", known.len(), values.len()));
    }
    let otherwise = match (&values, node.tensor("default_tensor")) {
        (_, Some(tensor)) => tensor.data.clone(),
        (Data::Text(_), None) => Data::Text(vec![Rc::from(node.text("default_string").unwrap_or("_Unused"))]),
        (Data::Whole(_), None) => Data::Whole(vec![node.whole("default_int64", -1)]),
        (_, None) => Data::Single(vec![node.single("default_float", -0.0)]),
    };
    let (count, mut all) = (values.len(), values);
    all.extend(otherwise.take(&[0][..otherwise.len().min(1)]))?;
    let places: HashMap<Key, usize> = known.into_iter().enumerate().map(|(place, key)| (key, place)).collect();
    if all.len() != count + 1 {
        return Err("its default has no value".to_owned());
    }
    Ok(Box::new(move |inputs| {
        let input = required(inputs, 0)?;
        let place = |key: &Key| places.get(key).copied().unwrap_or(count);
        let chosen: Vec<usize> = keys(&input.data)?.iter().map(place).collect();
        Ok(vec![Tensor { shape: input.shape.clone(), data: all.take(&chosen) }])
    }))
}

/// The columns of all inputs side by side, as floats.
pub fn feature_vectorizer(_: &Node) -> Result<Kernel, Problem> {
    Ok(Box::new(|inputs| {
        let mut parts = Vec::new();
        for place in 0..inputs.len() {
            let input = required(inputs, place)?;
            let (rows, columns) = input.matrix()?;
            parts.push((rows, columns, input.data.singles()?));
        }
        let rows = parts.first().map_or(0, |part| part.0);
        if parts.iter().any(|part| part.0 != rows) {
            return Err("its inputs have different numbers of rows".to_owned());
        }
        let columns = parts.iter().map(|part| part.1).sum();
        let mut values = Vec::with_capacity(elements(&[rows, columns])?);
        for row in 0..rows {
            parts
                .iter()
                .for_each(|(_, columns, part)| values.extend_from_slice(&part[row * columns..(row + 1) * columns]));
        }
        Ok(vec![Tensor::new(vec![rows, columns], Data::Single(values))?])
    }))
}

/// 1 above the threshold, else 0.
pub fn binarizer(node: &Node) -> Result<Kernel, Problem> {
    let threshold = f64::from(node.single("threshold", 0.0));
    Ok(Box::new(move |inputs| {
        let input = required(inputs, 0)?;
        let truths: Vec<bool> = input.data.doubles()?.into_iter().map(|value| value > threshold).collect();
        Ok(vec![Tensor { shape: input.shape.clone(), data: Data::Truth(truths).cast(Element::Single)? }])
    }))
}
