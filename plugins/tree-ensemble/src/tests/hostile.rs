//! Files that are damaged or made to harm: each gives a typed error or a model that predicts, and never a panic.

use wasmlops_sdk::foreign::{Format, join};
use wasmlops_sdk::testing::predict;
use wasmlops_sdk::{Error, ErrorCode};

use super::differential::Data;
use super::{header, table};
use crate::TreeEnsemble;

fn problem(format: Format, columns: usize, file: &[u8]) -> Error {
    let error = predict::<TreeEnsemble>(&join(&header(format, columns), file), &table(columns)).unwrap_err();
    assert_eq!((error.code, error.field.as_deref()), (ErrorCode::InvalidInput, Some("model")), "{}", error.message);
    error
}

const XGBOOST: &str = r#"{"learner": {"attributes": {}, "learner_model_param": {"base_score": "5E-1", "num_class": "0",
"num_feature": "2"}, "objective": {"name": "reg:squarederror"}, "gradient_booster": {"name": "gbtree", "model": {
"gbtree_model_param": {"num_trees": "1"}, "tree_info": [0], "trees": [{"tree_param": {"num_nodes": "3"},
"left_children": [1, -1, -1], "right_children": [2, -1, -1], "split_indices": [0, 0, 0],
"split_conditions": [0.25, 1.0, 2.0], "default_left": [true, false, false]}]}}}, "version": [1, 3, 0]}"#;

const LIGHTGBM: &str = "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=1\n\
objective=regression\n\nTree=0\nnum_leaves=2\nnum_cat=1\nsplit_feature=0\nthreshold=0\ndecision_type=1\nleft_child=-1\n\
right_child=-2\nleaf_value=1 2\ncat_boundaries=0 1\ncat_threshold=4\n\nend of trees\n";

#[test]
fn the_small_files_are_fine() {
    for (format, file) in [(Format::Xgboost, XGBOOST), (Format::Lightgbm, LIGHTGBM)] {
        predict::<TreeEnsemble>(&join(&header(format, 2), file.as_bytes()), &table(2)).unwrap();
    }
}

#[test]
fn wrong_xgboost_files_say_what_is_wrong() {
    for (part, instead, problems) in [
        ("{\"learner\"", "[\"learner\"", "no XGBoost model"),
        ("\"learner\"", "\"student\"", "`learner` is missing"),
        ("\"num_feature\": \"2\"", "\"num_feature\": \"1\"", "names 2 columns, and the model has 1"),
        ("\"num_feature\": \"2\"", "\"num_feature\": \"99999999999\"", "`num_feature` is 99999999999"),
        ("\"num_feature\": \"2\"", "\"num_feature\": 2", "`num_feature` is no text"),
        ("\"num_class\": \"0\"", "\"num_class\": \"4000000000\"", "at most 1000"),
        ("\"num_class\": \"0\"", "\"num_class\": \"3\"", "does not go with a `num_class` of 3"),
        ("5E-1", "half", "`base_score` is `half`"),
        ("5E-1", "inf", "`base_score` is `inf`"),
        ("reg:squarederror", "rank:magic", "objective `rank:magic` is not supported"),
        ("\"gbtree\"", "\"gblinear\"", "booster `gblinear` is not supported"),
        ("\"tree_info\": [0]", "\"tree_info\": []", "`tree_info` has 0 entries"),
        ("\"tree_info\": [0]", "\"tree_info\": [7]", "tree 0 is of class 7"),
        ("\"attributes\": {}", "\"attributes\": {\"best_iteration\": \"18446744073709551615\"}", "`best_iteration`"),
        ("\"left_children\": [1, -1, -1]", "\"left_children\": [0, -1, -1]", "several ways lead to node 0"),
        ("\"left_children\": [1, -1, -1]", "\"left_children\": [2, -1, -1]", "several ways lead to node 2"),
        ("\"left_children\": [1, -1, -1]", "\"left_children\": [3, -1, -1]", "leads to node 3, and there are 3"),
        ("\"left_children\": [1, -1, -1]", "\"left_children\": [1, 1, -1]", "node 1: a child is no node's number"),
        ("\"left_children\": [1, -1, -1]", "\"left_children\": [1.5, -1, -1]", "node 0: a child is no node's number"),
        ("\"left_children\": [1, -1, -1]", "\"left_children\": [1, -1]", "not equally long"),
        ("\"left_children\": [1, -1, -1]", "\"left_children\": []", "not equally long"),
        ("\"split_indices\": [0, 0, 0]", "\"split_indices\": [2, 0, 0]", "asks for feature 2, and there are 2"),
        ("\"split_indices\": [0, 0, 0]", "\"split_indices\": [\"a\"]", "`split_indices` is no list of numbers"),
        ("[0.25, 1.0, 2.0]", "[NaN, 1.0, 2.0]", "node 0: its threshold is no number"),
        ("[0.25, 1.0, 2.0]", "[0.25, 1e99, 2.0]", "node 1: its value is `inf`"),
        ("\"tree_param\": {", "\"tree_param\": {\"size_leaf_vector\": \"3\", ", "several targets"),
        ("\"default_left\"", "\"split_type\": [1, 0, 0], \"default_left\"", "node 0: it has no categories"),
        (
            "\"default_left\"",
            "\"split_type\": [1, 0, 0], \"categories\": [1], \"categories_nodes\": [0], \"categories_segments\": [0],\
             \"categories_sizes\": [9], \"default_left\"",
            "outside the list of categories",
        ),
        (
            "\"default_left\"",
            "\"split_type\": [1, 0, 0], \"categories\": [4e9], \"categories_nodes\": [0], \"categories_segments\": [0],\
             \"categories_sizes\": [1], \"default_left\"",
            "categories is out of range",
        ),
        ("\"version\"", "\"version", "wrong at byte"),
    ] {
        assert!(XGBOOST.contains(part), "{part}");
        let error = problem(Format::Xgboost, 2, XGBOOST.replacen(part, instead, 1).as_bytes());
        assert!(error.message.contains(problems), "{instead}: {}", error.message);
    }
}

#[test]
fn wrong_lightgbm_files_say_what_is_wrong() {
    for (part, instead, problems) in [
        ("tree\n", "forest\n", "its first line is not `tree`"),
        ("end of trees", "", "ends before `end of trees`"),
        ("num_tree_per_iteration=1", "num_tree_per_iteration=0", "`num_tree_per_iteration` is 0"),
        ("num_tree_per_iteration=1", "num_tree_per_iteration=99999999999999999999", "line 4: `num_tree_per_iteration`"),
        ("max_feature_idx=1", "max_feature_idx=18446744073709551615", "`max_feature_idx`"),
        ("max_feature_idx=1\n", "", "`max_feature_idx` is missing"),
        ("objective=regression", "objective=custom", "objective `custom` is not supported"),
        ("objective=regression", "objective=multiclass num_class:3", "does not go with 1 trees"),
        ("objective=regression", "objective=binary sigmoid:x", "objective is `binary sigmoid:x`"),
        ("version=v4", "version=v4\nversion=v4", "line 3: `version` comes twice"),
        ("num_leaves=2", "num_leaves=0", "`num_leaves` is 0"),
        ("num_leaves=2", "num_leaves=4294967296", "`num_leaves` is 4294967296"),
        ("leaf_value=1 2", "leaf_value=1 nan", "its value is `NaN`"),
        ("leaf_value=1 2", "leaf_value=1 two", "number 2 of `leaf_value` cannot be read"),
        ("left_child=-1", "left_child=0", "several ways lead to node 0"),
        ("left_child=-1", "left_child=-2", "several ways lead to node 2"),
        ("left_child=-1", "left_child=-3", "its child -3 does not exist"),
        ("left_child=-1", "left_child=9223372036854775807", "its child 9223372036854775807 does not exist"),
        ("left_child=-1", "left_child=", "not equally long"),
        ("split_feature=0", "split_feature=9", "asks for feature 9, and there are 2"),
        ("decision_type=1", "decision_type=12", "`decision_type` is 12"),
        ("\nthreshold=0", "\nthreshold=1", "set of categories 1 does not exist"),
        ("\nthreshold=0", "\nthreshold=nan", "set of categories NaN does not exist"),
        ("cat_boundaries=0 1", "cat_boundaries=1 0", "set of categories 0 does not exist"),
        ("cat_boundaries=0 1", "cat_boundaries=0 5", "set of categories 0 does not exist"),
        ("cat_threshold=4", "cat_threshold=4294967296", "number 1 of `cat_threshold`"),
        ("cat_threshold=4", "is_linear=1", "linear trees are not supported"),
    ] {
        assert!(LIGHTGBM.contains(part), "{part}");
        let error = problem(Format::Lightgbm, 2, LIGHTGBM.replacen(part, instead, 1).as_bytes());
        assert!(error.message.contains(problems), "{instead}: {}", error.message);
    }
    problem(Format::Lightgbm, 2, b"tree\n\xff\xfe");
    problem(Format::Lightgbm, 2, b"");
}

/// Either a typed error or a model that predicts.
fn survives(format: Format, columns: usize, file: &[u8], what: &str) -> bool {
    match predict::<TreeEnsemble>(&join(&header(format, columns), file), &table(columns)) {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.code, ErrorCode::InvalidInput, "{what}: {}", error.message);
            false
        }
    }
}

const DAMAGED: [&str; 6] =
    ["xgb_categories", "xgb_categories_ubj", "xgb_dart", "lgb_categories", "lgb_multiclass", "lgb_constant"];

#[test]
fn truncated_files_are_refused() {
    let data = Data::read();
    for name in DAMAGED {
        let (header, file) = data.parts(data.case(name));
        for part in 0..200 {
            let length = file.len() * part / 200;
            let read = survives(header.format, 7, &file[..length], &format!("{name} cut at {length}"));
            // LightGBM writes its parameters behind the trees.
            let whole =
                header.format == Format::Lightgbm && file[..length].windows(13).any(|text| text == b"\nend of trees");
            assert!(!read || whole, "{name} cut at {length}");
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
        let (header, file) = data.parts(data.case(name));
        for round in 0..150 {
            let mut mutated = file.clone();
            for _ in 0..1 + random(4) {
                let at = random(mutated.len());
                match random(5) {
                    0 => mutated[at] ^= 1 << random(8),
                    1 => mutated[at] = b"0123456789-.,[]{}\"$#\xffLl"[random(23)],
                    2 => drop(mutated.splice(at..(at + random(40)).min(file.len() - 8).max(at), [])),
                    3 => mutated.insert(at, b"9-0"[random(3)]),
                    _ => {
                        let from = random(mutated.len());
                        let part = mutated[from..(from + 20).min(mutated.len())].to_vec();
                        mutated.splice(at..at, part);
                    }
                }
            }
            survives(header.format, 7, &mutated, &format!("{name}, mutation {round}"));
        }
    }
}
