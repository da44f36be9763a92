//! The operators. Each reads its attributes once, into a [`Kernel`] that works on tensors.
//!
//! `elementwise`, `layout`, `matrix` and `reduce` are of the standard set; `linear`, `trees` and `encode` of
//! `ai.onnx.ml`.

mod elementwise;
mod encode;
mod layout;
mod linear;
mod matrix;
mod reduce;
mod trees;

use crate::model::Node;
use crate::protobuf::Problem;
use crate::tensor::Tensor;

/// Computes a node's outputs; inputs that the model leaves out are `None`.
pub type Kernel = Box<dyn Fn(&[Option<&Tensor>]) -> Result<Vec<Tensor>, Problem>>;

type Prepare = fn(&Node) -> Result<Kernel, Problem>;

/// All operators.
const OPERATORS: &[(&[&str], Prepare)] = &[
    (elementwise::UNARY, elementwise::unary),
    (elementwise::BINARY, elementwise::binary),
    (elementwise::COMPARISONS, elementwise::comparison),
    (elementwise::LOGIC, elementwise::logic),
    (&["Clip"], elementwise::clip),
    (&["Where"], elementwise::choose),
    (&["IsNaN"], elementwise::is_nan),
    (&["Identity", "Dropout", "ai.onnx.ml.ZipMap"], layout::identity),
    (&["Constant"], layout::constant),
    (&["ConstantOfShape"], layout::constant_of_shape),
    (&["Cast"], layout::cast),
    (&["Shape"], layout::shape),
    (&["Reshape"], layout::reshape),
    (&["Flatten"], layout::flatten),
    (&["Squeeze"], layout::squeeze),
    (&["Unsqueeze"], layout::unsqueeze),
    (&["Transpose"], layout::transpose),
    (&["Concat"], layout::concat),
    (&["Gather"], layout::gather),
    (&["Slice"], layout::slice),
    (&["Split"], layout::split),
    (&["Expand"], layout::expand),
    (&["MatMul"], matrix::matmul),
    (&["Gemm"], matrix::gemm),
    (&["BatchNormalization"], matrix::batch_normalization),
    (&["Softmax", "LogSoftmax"], reduce::softmax),
    (&["ArgMax", "ArgMin"], reduce::arg),
    (reduce::REDUCTIONS, reduce::reduce),
    (&["ai.onnx.ml.LinearClassifier"], linear::classifier),
    (&["ai.onnx.ml.LinearRegressor"], linear::regressor),
    (&["ai.onnx.ml.Scaler"], linear::scaler),
    (&["ai.onnx.ml.Normalizer"], linear::normalizer),
    (&["ai.onnx.ml.TreeEnsembleClassifier"], trees::classifier),
    (&["ai.onnx.ml.TreeEnsembleRegressor"], trees::regressor),
    (&["ai.onnx.ml.ArrayFeatureExtractor"], encode::array_feature_extractor),
    (&["ai.onnx.ml.Imputer"], encode::imputer),
    (&["ai.onnx.ml.OneHotEncoder"], encode::one_hot),
    (&["ai.onnx.ml.LabelEncoder"], encode::label_encoder),
    (&["ai.onnx.ml.FeatureVectorizer"], encode::feature_vectorizer),
    (&["ai.onnx.ml.Binarizer"], encode::binarizer),
];

pub fn is_known(operator: &str) -> bool {
    OPERATORS.iter().any(|(names, _)| names.contains(&operator))
}

/// Errors: an attribute that is missing or wrong.
pub fn prepare(node: &Node) -> Result<Kernel, Problem> {
    let known = OPERATORS.iter().find(|(names, _)| names.contains(&node.operator.as_str()));
    let (_, prepare) = known.ok_or("the operator is not supported")?;
    prepare(node)
}

/// An input that the operator cannot do without.
fn required<'a>(inputs: &[Option<&'a Tensor>], place: usize) -> Result<&'a Tensor, Problem> {
    inputs.get(place).copied().flatten().ok_or_else(|| format!("its input {place} is missing"))
}

fn optional<'a>(inputs: &[Option<&'a Tensor>], place: usize) -> Option<&'a Tensor> {
    inputs.get(place).copied().flatten()
}

/// A list that older versions have as an attribute and newer ones as an input.
fn list(attribute: &Option<Vec<i64>>, inputs: &[Option<&Tensor>], place: usize) -> Result<Option<Vec<i64>>, Problem> {
    match (attribute, optional(inputs, place)) {
        (Some(list), _) => Ok(Some(list.clone())),
        (None, Some(tensor)) => Ok(Some(tensor.data.wholes()?.to_vec())),
        (None, None) => Ok(None),
    }
}

fn attribute_list(node: &Node, name: &str) -> Option<Vec<i64>> {
    node.has(name).then(|| node.wholes(name).to_vec())
}

/// `post_transform` of the operators of `ai.onnx.ml`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum PostTransform {
    Nothing,
    Logistic,
    Softmax,
}

impl PostTransform {
    fn of(node: &Node) -> Result<Self, Problem> {
        Ok(match node.text("post_transform").unwrap_or("NONE") {
            "NONE" => PostTransform::Nothing,
            "LOGISTIC" => PostTransform::Logistic,
            "SOFTMAX" => PostTransform::Softmax,
            other => return Err(format!("the post_transform `{other}` is not supported")),
        })
    }

    fn apply(self, scores: &mut [f64]) {
        match self {
            PostTransform::Nothing => {}
            PostTransform::Logistic => scores.iter_mut().for_each(|score| *score = 1.0 / (1.0 + (-*score).exp())),
            PostTransform::Softmax => {
                let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                scores.iter_mut().for_each(|score| *score = (*score - most).exp());
                let whole: f64 = scores.iter().sum();
                scores.iter_mut().for_each(|score| *score /= whole);
            }
        }
    }
}

/// The place of the highest score, of equals the first.
fn highest(scores: &[f64]) -> usize {
    (1..scores.len()).fold(0, |best, next| if scores[next] > scores[best] { next } else { best })
}
