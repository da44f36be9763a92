//! The columns `contribution.*`.

use wasmlops_sdk::{Column, DataType, Error, Field, Result};

use crate::forest::goes_left;
use crate::model::Model;
use crate::shap::{Explained, Path};
use crate::tree::{Node, Rule};

/// What each output's columns are called: one for each feature, then the bias.
///
/// Errors: `invalid-config` where two columns would have one name.
pub fn names(classes: &[String], features: &[&str]) -> Result<Vec<String>> {
    let outputs: Vec<String> = match classes {
        [] | [_, _] => vec![String::new()],
        classes => classes.iter().map(|class| format!("{class}.")).collect(),
    };
    let of =
        |output: &String| features.iter().chain(&["bias"]).map(|name| format!("contribution.{output}{name}")).collect();
    let names: Vec<String> = outputs.iter().flat_map(|output| -> Vec<String> { of(output) }).collect();
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort_unstable();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        None => Ok(names),
        Some(pair) => {
            let message = format!("two columns of contributions would be called `{}`", pair[0]);
            let hint = "hint: rename the feature, or leave `contributions` out";
            Err(Error::invalid_config("contributions", format!("{message}\n{hint}")))
        }
    }
}

/// Explains the scores of rows.
pub struct Contributions {
    names: Vec<String>,
    features: usize,
    initial: Vec<f64>,
    trees: Vec<(Explained, Vec<Asked>)>,
}

/// What a node asks.
struct Asked {
    rule: Rule,
    place: usize,
    threshold: u8,
}

impl Contributions {
    /// `places` are those of features among the codes; `code` is the code of a feature's threshold.
    pub fn new(model: &Model, places: &[usize], code: impl Fn(u32, f64) -> u8) -> Result<Self> {
        let features: Vec<&str> = model.header.features.iter().map(|feature| feature.name.as_str()).collect();
        let asked = |node: &Node| {
            let threshold =
                if let Rule::AtMost { threshold, .. } = node.rule { code(node.feature, threshold) } else { 0 };
            Asked { rule: node.rule, place: places[node.feature as usize], threshold }
        };
        let trees = model.trees.iter().map(|tree| {
            let asked = tree.nodes.iter().map(asked).collect();
            Ok((Explained::new(tree.clone())?, asked))
        });
        let trees: Vec<_> = trees.collect::<Result<_>>()?;
        let mut initial = model.header.initial.clone();
        for (at, (tree, _)) in trees.iter().enumerate() {
            initial[at % model.outputs()] += tree.mean;
        }
        Ok(Self { names: names(&model.header.classes, &features)?, features: features.len(), initial, trees })
    }

    pub fn fields(&self) -> impl Iterator<Item = Field> {
        self.names.iter().map(|name| Field::new(name.clone(), DataType::F64, false))
    }

    pub fn of(&self, codes: &[u8], width: usize, rows: usize) -> Vec<Column> {
        let (outputs, features) = (self.initial.len(), self.features);
        let mut columns = vec![vec![0.0; rows]; self.names.len()];
        let (mut path, mut sums) = (Path::default(), vec![0.0; features]);
        for row in 0..rows {
            let codes = &codes[row * width..(row + 1) * width];
            for output in 0..outputs {
                sums.fill(0.0);
                for (tree, asked) in self.trees.iter().skip(output).step_by(outputs) {
                    let goes_left = |node: usize| {
                        let Asked { rule, place, threshold } = &asked[node];
                        goes_left(rule, *threshold, codes[*place])
                    };
                    tree.add(&goes_left, &mut path, &mut sums);
                }
                let first = output * (features + 1);
                sums.iter().enumerate().for_each(|(feature, &sum)| columns[first + feature][row] = sum);
                columns[first + features][row] = self.initial[output];
            }
        }
        columns.iter().map(|values| Column::from_f64_slice(values)).collect()
    }
}
