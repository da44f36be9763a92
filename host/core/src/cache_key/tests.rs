//! The key is complete: whatever changes changes it, and is named; if nothing changes, neither does the key.

use proptest::prelude::*;
use serde_json::{Value, json};
use wasmlops_package::Digest;

use super::{Change, KeyParts};

fn digest() -> impl Strategy<Value = Digest> {
    // Few different ones, so that equal and swapped inputs come up.
    (0..4_u8).prop_map(|content| Digest::blake3(&[content]))
}

fn config() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-2..2_i64).prop_map(Value::from),
        prop::sample::select(vec!["", "a", "a.b", "0"]).prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(prop::sample::select(vec!["a", "b", "seed"]), inner, 0..3)
                .prop_map(|map| map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    });
    prop::collection::btree_map(prop::sample::select(vec!["a", "b", "seed"]), value, 0..3)
        .prop_map(|map| map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

prop_compose! {
    fn parts()(
        component in digest(),
        function in prop::sample::select(vec!["processor", "transform", "transform/apply"]),
        config in config(),
        inputs in prop::collection::btree_map(prop::sample::select(vec!["table", "train", "state"]), digest(), 0..3),
        turned in any::<bool>(),
        files in prop::collection::btree_map(prop::sample::select(vec!["a.csv", "b/c.csv"]), digest(), 0..3),
        seed in 0..2_u8,
        profile in prop::sample::select(vec!["default", "strict"]),
    ) -> KeyParts {
        let mut inputs: Vec<_> = inputs.into_iter().map(|(name, digest)| (name.to_owned(), digest)).collect();
        if turned {
            inputs.reverse();
        }
        KeyParts {
            plugin: "some 0.1.0".to_owned(),
            component,
            function: function.to_owned(),
            config,
            inputs,
            files: files.into_iter().map(|(path, digest)| (path.to_owned(), digest)).collect(),
            seed: seed.to_string(),
            profile: profile.to_owned(),
        }
    }
}

proptest! {
    #[test]
    fn the_key_changes_exactly_when_a_change_is_named(before in parts(), now in parts()) {
        let changes = now.changes_since(&before);
        prop_assert_eq!(now.key() == before.key(), changes.is_empty(), "{:?}", changes);
        prop_assert_eq!(now.key() == before.key(), now == before);
    }

    #[test]
    fn nothing_changed_is_the_same_key(parts in parts()) {
        let text = serde_json::to_string(&parts).unwrap();
        let again: KeyParts = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(again.key(), parts.key());
        prop_assert_eq!(again.changes_since(&parts), vec![]);
    }

    #[test]
    fn one_change_is_named_alone(parts in parts(), which in 0..4_u8) {
        let mut now = parts.clone();
        let other = Digest::blake3(b"another");
        let expected = match which {
            0 => {
                now.component = other;
                let described = |parts: &KeyParts| format!("{} ({})", parts.plugin, parts.component.short());
                Change::Plugin { from: described(&parts), to: described(&now) }
            }
            1 => {
                now.config = json!({ "only": 1, "seed": 7 });
                let before = KeyParts { config: json!({ "only": 1, "seed": 8 }), ..parts.clone() };
                let from_to = (Some("8".to_owned()), Some("7".to_owned()));
                let change = Change::Config { key: "seed".to_owned(), from: from_to.0, to: from_to.1 };
                prop_assert_eq!(now.changes_since(&before), vec![change]);
                return Ok(());
            }
            2 => {
                now.files.insert("new.csv".to_owned(), other);
                Change::File { path: "new.csv".to_owned() }
            }
            _ => {
                now.seed = "another".to_owned();
                Change::Seed
            }
        };
        prop_assert_eq!(now.changes_since(&parts), vec![expected]);
    }
}
