//! Rights by hand and by chance.

use proptest::prelude::*;

use super::*;

fn rights(role: Role, scopes: &[&str]) -> Rights {
    Rights { role, scopes: scopes.iter().map(|scope| scope.parse().unwrap()).collect() }
}

fn may(rights: &Rights, permission: &str) -> bool {
    rights.may(permission.parse().unwrap())
}

#[test]
fn a_role_reaches_its_level_in_every_area() {
    for role in Role::ALL {
        for permission in Permission::all() {
            assert_eq!(Rights::of(role).may(permission), role >= permission.level.role(), "{role} {permission}");
        }
    }
}

#[test]
fn scopes_narrow_and_never_widen() {
    let operator = rights(Role::Operator, &["runs", "models:read"]);
    for permission in ["runs:read", "runs:operate", "models:read"] {
        assert!(may(&operator, permission), "{permission}");
    }
    for permission in ["runs:edit", "models:operate", "labels:read"] {
        assert!(!may(&operator, permission), "{permission}");
    }
    // More than the role has stays out of reach.
    assert!(!may(&rights(Role::Viewer, &["runs:administer"]), "runs:operate"));
}

#[test]
fn nobody_covers_more_than_they_hold() {
    let editor = Rights::of(Role::Editor);
    assert!(editor.covers(&Rights::of(Role::Operator)));
    assert!(editor.covers(&rights(Role::Admin, &["runs:edit"])));
    assert!(!editor.covers(&Rights::of(Role::Admin)));
    assert!(!rights(Role::Admin, &["runs"]).covers(&Rights::of(Role::Viewer)));
    let all: Vec<&str> = Area::ALL.iter().map(|area| area.as_str()).collect();
    assert!(!rights(Role::Admin, &all).covers(&Rights::of(Role::Viewer)), "every area is also those to come");
}

#[test]
fn texts_are_read_and_written() {
    for role in Role::ALL {
        assert_eq!(role.as_str().parse(), Ok(role));
    }
    for permission in Permission::all() {
        assert_eq!(permission.to_string().parse(), Ok(permission));
        let scope = Scope { area: permission.area, level: Some(permission.level) };
        assert_eq!(scope.to_string().parse(), Ok(scope));
    }
    for text in ["", "Admin", "root", "admin "] {
        assert!(text.parse::<Role>().is_err(), "{text}");
    }
    for text in ["", "runs:", ":read", "runs:write", "run", "runs:read:read", "*", "Runs", " runs"] {
        assert!(text.parse::<Scope>().is_err(), "{text}");
    }
    let text = r#"{"role":"operator","scopes":["runs","models:read"]}"#;
    let read: Rights = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), text);
    assert_eq!(serde_json::to_string(&Rights::of(Role::Viewer)).unwrap(), r#"{"role":"viewer"}"#);
    let message = "runs:write".parse::<Scope>().unwrap_err().to_string();
    assert!(message.starts_with("`write` is no level: expected one of `read`, `operate`"), "{message}");
}

fn any_rights() -> impl Strategy<Value = Rights> {
    let scope = (0..Area::ALL.len(), proptest::option::of(0..Level::ALL.len()))
        .prop_map(|(area, level)| Scope { area: Area::ALL[area], level: level.map(|level| Level::ALL[level]) });
    (0..Role::ALL.len(), proptest::collection::vec(scope, 0..5))
        .prop_map(|(role, scopes)| Rights { role: Role::ALL[role], scopes })
}

proptest! {
    #[test]
    fn covering_is_transitive_and_means_what_it_says(a in any_rights(), b in any_rights(), c in any_rights()) {
        prop_assert!(a.covers(&a));
        if a.covers(&b) {
            prop_assert!(Permission::all().all(|permission| a.may(permission) || !b.may(permission)));
            if b.covers(&c) {
                prop_assert!(a.covers(&c));
            }
        }
        prop_assert!(Rights::of(Role::Admin).covers(&a));
    }

    #[test]
    fn more_role_is_never_less_and_deeper_includes_shallower(held in any_rights(), more in any_rights()) {
        for permission in Permission::all().filter(|permission| held.may(*permission)) {
            for level in Level::ALL.into_iter().filter(|level| *level <= permission.level) {
                let shallower = Permission { level, ..permission };
                prop_assert!(held.may(shallower));
            }
            let raised = Rights { role: held.role.max(more.role), scopes: held.scopes.clone() };
            prop_assert!(raised.may(permission));
            if !held.scopes.is_empty() {
                let scopes = held.scopes.iter().chain(&more.scopes).copied().collect();
                let widened = Rights { role: held.role, scopes };
                prop_assert!(widened.may(permission));
            }
        }
    }
}
