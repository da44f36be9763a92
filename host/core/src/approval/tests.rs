//! Forms and what is answered to them.

use serde_json::json;

use super::*;

fn request() -> Request {
    let config = json!({
        "message": "Roll out?", "role": "editor", "expires": "24h",
        "form": {
            "ticket": { "type": "string" },
            "share": { "type": "number", "minimum": 0, "maximum": 1, "default": 0.1 },
            "region": { "type": "string", "enum": ["eu", "us"], "required": false },
            "notify": true,
        },
    });
    Request::of(&config).unwrap()
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[test]
fn what_is_not_said_has_a_default() {
    let request = Request::of(&json!({ "message": "Sure?" })).unwrap();
    assert_eq!((request.role, request.expires, request.form.len()), (Role::Operator, EXPIRES, 0));
    let request = self::request();
    assert_eq!((request.role, request.expires), (Role::Editor, Duration::from_secs(86_400)));
}

#[test]
fn an_input_that_fits_is_kept_with_the_defaults() {
    let input = request().check(&object(json!({ "ticket": "T-1", "region": null }))).unwrap();
    assert_eq!(Value::Object(input), json!({ "ticket": "T-1", "share": 0.1, "notify": true }));
}

#[test]
fn every_wrong_field_is_told_at_once() {
    let given = object(json!({ "share": 2, "region": "mars", "notifi": false }));
    let wrong = request().check(&given).unwrap_err();
    let told: Vec<&str> = wrong.0.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(
        told,
        [
            "the approval has no field `notifi`",
            "field `ticket` has no value",
            "field `share` must be at most `1`, not the number `2`",
            "field `region` must be one of `eu` and `us`, not text `mars`",
        ]
    );
    assert_eq!(wrong.0[0].hint.as_deref(), Some("did you mean `notify`?"));
}
