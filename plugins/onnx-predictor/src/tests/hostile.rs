//! Files that are damaged or made to harm: each gives a typed error or a model that predicts, and never a panic.

use wasmlops_sdk::ErrorCode;
use wasmlops_sdk::foreign::join;
use wasmlops_sdk::testing::predict;

use super::differential::Data;
use super::encode::{Graph, Node, field, file, singles, whole, wholes};
use super::{header, refused, small, table};
use crate::OnnxPredictor;

#[test]
fn wrong_graphs_say_what_is_wrong() {
    let with = |nodes: Vec<Node>, constants: Vec<Vec<u8>>| {
        file(&Graph { nodes, constants, inputs: vec![("x", 1, vec![0, 2])], outputs: vec!["y"] })
    };
    let identity = || Node::new("Identity", &["x"], &["y"]);
    let huge = [i64::MAX, i64::MAX];
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("no graph", whole(1, 8), "holds no ONNX graph"),
        ("no nodes", with(vec![], vec![]), "nothing gives the output `y`"),
        (
            "unknown operators",
            with(vec![Node::new("Loop", &["x"], &["z"]), Node::new("com.microsoft.Attention", &["z"], &["y"])], vec![]),
            "operators that are not supported: `Loop`, `com.microsoft.Attention`",
        ),
        (
            "a value from nowhere",
            small(vec![Node::new("Relu", &["z"], &["y"])]),
            "needs `z`, which nothing before it gives",
        ),
        (
            "a cycle",
            small(vec![Node::new("Relu", &["z"], &["y"]), Node::new("Relu", &["y"], &["z"])]),
            "needs `z`, which nothing before it gives",
        ),
        ("a value twice", small(vec![identity(), identity()]), "`y` is given twice"),
        ("no input", small(vec![Node::new("Relu", &[], &["y"])]), "its input 0 is missing"),
        (
            "a missing output",
            small(vec![Node::new("Softmax", &["x"], &["y", "z"]), Node::new("Relu", &["z"], &["w"])]),
            "was not computed",
        ),
        (
            "a shape that does not fit",
            with(vec![Node::new("Reshape", &["x", "s"], &["y"])], vec![wholes("s", &[2], &[7, 7])]),
            "do not fill a tensor of [7, 7]",
        ),
        (
            "a huge shape",
            with(vec![Node::new("ConstantOfShape", &["s"], &["y"])], vec![wholes("s", &[2], &huge)]),
            "is too large",
        ),
        (
            "a huge expansion",
            with(vec![Node::new("Expand", &["x", "s"], &["y"])], vec![wholes("s", &[3], &[1 << 40, 1, 1])]),
            "is too large",
        ),
        (
            "huge sizes beside a size of 0",
            with(
                vec![Node::new("ConstantOfShape", &["s"], &["z"]), Node::new("Softmax", &["z"], &["y"])],
                vec![wholes("s", &[4], &[0, 1 << 30, 1 << 30, 1 << 30])],
            ),
            "is too large",
        ),
        (
            "a size below 0",
            with(vec![Node::new("Expand", &["x", "s"], &["y"])], vec![wholes("s", &[1], &[-7])]),
            "a size of -7",
        ),
        (
            "growing sums",
            with(
                (0..40)
                    .map(|n| {
                        let (from, to) = (format!("v{n}"), format!("v{}", n + 1));
                        let from = if n == 0 { "x" } else { &from };
                        Node::new("Concat", &[from, from], &[if n == 39 { "y" } else { &to }]).whole("axis", 1)
                    })
                    .collect(),
                vec![],
            ),
            "is too large",
        ),
        ("huge sizes of a constant", with(vec![identity()], vec![wholes("s", &huge, &[1])]), "is too large"),
        ("a constant without data", with(vec![identity()], vec![wholes("s", &[1000], &[1])]), "do not fill"),
        (
            "a constant of odd bytes",
            with(vec![identity()], vec![[whole(2, 1), field(9, &[0; 7])].concat()]),
            "7 bytes are no whole number",
        ),
        (
            "a constant elsewhere",
            with(vec![identity()], vec![[field(13, b"x"), whole(2, 1)].concat()]),
            "lies in another file",
        ),
        ("half floats", with(vec![identity()], vec![whole(2, 10)]), "16-bit floats"),
        (
            "a product that does not fit",
            with(vec![Node::new("MatMul", &["x", "w"], &["y"])], vec![singles("w", &[3, 1], &[1.0; 3])]),
            "cannot be multiplied",
        ),
        (
            "addends that do not fit",
            with(vec![Node::new("Add", &["x", "w"], &["y"])], vec![singles("w", &[3], &[1.0; 3])]),
            "do not go together",
        ),
        (
            "types that do not fit",
            with(vec![Node::new("Add", &["x", "w"], &["y"])], vec![wholes("w", &[1], &[1])]),
            "float and whole numbers do not go together",
        ),
        (
            "an index out of range",
            with(vec![Node::new("Gather", &["x", "i"], &["y"]).whole("axis", 1)], vec![wholes("i", &[1], &[2])]),
            "an index is out of range",
        ),
        (
            "another index out of range",
            with(
                vec![Node::new("ai.onnx.ml.ArrayFeatureExtractor", &["x", "i"], &["y"])],
                vec![wholes("i", &[1], &[-1])],
            ),
            "an index is out of range",
        ),
        (
            "an axis out of range",
            small(vec![Node::new("Softmax", &["x"], &["y"]).whole("axis", i64::MIN)]),
            "there is no axis",
        ),
        (
            "a wrong order",
            small(vec![Node::new("Transpose", &["x"], &["y"]).wholes("perm", &[0, 0])]),
            "no order of 2 axes",
        ),
        (
            "a step of 0",
            with(
                vec![Node::new("Slice", &["x", "z", "e", "e", "z"], &["y"])],
                vec![wholes("z", &[1], &[0]), wholes("e", &[1], &[1])],
            ),
            "a step of 0",
        ),
        (
            "a scaler of other features",
            small(vec![Node::new("ai.onnx.ml.Scaler", &["x"], &["y"]).singles("scale", &[1.0; 3])]),
            "0 offsets and 3 scales",
        ),
        (
            "weights of other features",
            small(vec![Node::new("ai.onnx.ml.LinearRegressor", &["x"], &["y"]).singles("coefficients", &[1.0; 3])]),
            "3 coefficients for 2 features",
        ),
        (
            "a classifier without classes",
            small(vec![Node::new("ai.onnx.ml.TreeEnsembleClassifier", &["x"], &["l", "y"])]),
            "names no classes",
        ),
        (
            "an encoder of uneven lists",
            small(vec![Node::new("ai.onnx.ml.LabelEncoder", &["x"], &["y"]).wholes("keys_int64s", &[1])]),
            "1 keys and 0 values",
        ),
        (
            "no text to cast to numbers",
            small(vec![Node::new("Cast", &["x"], &["y"]).whole("to", 99)]),
            "elements of type 99",
        ),
        (
            "text as input",
            file(&Graph {
                nodes: vec![identity()],
                constants: vec![],
                inputs: vec![("x", 8, vec![0, 2])],
                outputs: vec!["y"],
            }),
            "takes text",
        ),
        (
            "too many rows at once",
            file(&Graph {
                nodes: vec![identity()],
                constants: vec![],
                inputs: vec![("x", 1, vec![1 << 40, 2])],
                outputs: vec!["y"],
            }),
            "rows at once",
        ),
        ("no rows", with(vec![Node::new("ReduceSum", &["x"], &["y"])], vec![]), "has the shape [1, 1] for 512 rows"),
        ("no numbers", small(vec![Node::new("Shape", &["x"], &["y"])]), "gives no numbers"),
    ];
    assert!(cases.len() > 30);
    for (what, file, problem) in cases {
        let error = refused(&header(2), &file, &table(2));
        assert_eq!(error.field.as_deref(), Some("model"), "{what}");
        assert!(error.message.contains(problem), "{what}: {}", error.message);
    }
}

/// A stump, with some of its lists replaced.
fn stump(change: impl Fn(&str) -> Option<Vec<i64>>) -> Vec<u8> {
    let mut node = Node::new("ai.onnx.ml.TreeEnsembleRegressor", &["x"], &["y"])
        .texts("nodes_modes", &["BRANCH_LEQ", "LEAF", "LEAF"])
        .singles("nodes_values", &[0.5, 0.0, 0.0])
        .singles("target_weights", &[1.0, 2.0]);
    for (name, values) in [
        ("nodes_featureids", [0, 0, 0].as_slice()),
        ("nodes_treeids", &[0, 0, 0]),
        ("nodes_nodeids", &[0, 1, 2]),
        ("nodes_truenodeids", &[1, 0, 0]),
        ("nodes_falsenodeids", &[2, 0, 0]),
        ("target_treeids", &[0, 0]),
        ("target_nodeids", &[1, 2]),
        ("target_ids", &[0, 0]),
    ] {
        node = node.wholes(name, &change(name).unwrap_or(values.to_vec()));
    }
    small(vec![node])
}

#[test]
fn wrong_trees_say_what_is_wrong() {
    predict::<OnnxPredictor>(&join(&header(2), &stump(|_| None)), &table(2)).unwrap();
    for (list, values, problem) in [
        ("nodes_truenodeids", vec![0, 0, 0], "tree 0, node 0: several ways lead to it"),
        ("nodes_truenodeids", vec![2, 0, 0], "tree 0, node 2: several ways lead to it"),
        ("nodes_truenodeids", vec![9, 0, 0], "tree 0, node 0: its child does not exist"),
        ("nodes_truenodeids", vec![1, 0], "not equally long"),
        ("nodes_featureids", vec![-1, 0, 0], "its feature is below 0"),
        ("nodes_featureids", vec![2, 0, 0], "ask for feature 2, and there are 2"),
        ("nodes_nodeids", vec![0, 1, 1], "tree 0 has node 1 twice"),
        ("nodes_treeids", vec![0, 0, 1], "weight 1 is for a node or target that does not exist"),
        ("nodes_treeids", vec![0, 1, 0], "weight 0 is for a node or target that does not exist"),
        ("target_ids", vec![0, 1], "weight 1 is for a node or target that does not exist"),
        ("target_nodeids", vec![1, 3], "weight 1 is for a node or target that does not exist"),
        ("target_treeids", vec![0], "the lists of its leaves are not equally long"),
    ] {
        let file = stump(|name| (name == list).then(|| values.clone()));
        let error = refused(&header(2), &file, &table(2));
        assert!(error.message.contains(problem), "{list}: {}", error.message);
    }
}

/// Either a typed error or a model that predicts.
fn survives(columns: usize, file: &[u8], what: &str) -> bool {
    match predict::<OnnxPredictor>(&join(&header(columns), file), &table(columns)) {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.code, ErrorCode::InvalidInput, "{what}: {}", error.message);
            false
        }
    }
}

const DAMAGED: [&str; 9] = [
    "logistic_multi_zipmap",
    "forest_opset_1",
    "mlp_binary",
    "naive_bayes",
    "scalers",
    "columns_pipeline",
    "one_vs_rest",
    "logistic_binary_tensor_double",
    "torch_softmax",
];

#[test]
fn truncated_files_are_refused() {
    let data = Data::read();
    for name in DAMAGED {
        let (_, file) = data.parts(data.case(name));
        // Behind the graph stand only the versions of the operators.
        let end = file.len() - 40;
        for part in 0..200 {
            let length = end * part / 200;
            assert!(!survives(5, &file[..length], &format!("{name} cut at {length}")), "{name} cut at {length}");
        }
    }
}

#[test]
fn mutated_files_never_panic() {
    let data = Data::read();
    // xorshift64: the same mutations each time.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for name in DAMAGED {
        let (_, file) = data.parts(data.case(name));
        for round in 0..300 {
            let mut mutated = file.clone();
            for _ in 0..1 + random(3) {
                let at = random(mutated.len());
                match random(4) {
                    0 => mutated[at] ^= 1 << random(8),
                    1 => mutated[at] = [0, 1, 2, 5, 0x7f, 0x80, 0xff][random(7)],
                    2 => mutated.insert(at, random(256) as u8),
                    _ => drop(mutated.remove(at)),
                }
            }
            survives(5, &mutated, &format!("{name}, mutation {round}"));
        }
    }
}
