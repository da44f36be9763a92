//! Registering, finding, and what people add.

use super::*;

#[tokio::test]
async fn versions_count_from_one_and_a_content_has_one() {
    let mut db = memory().await;
    with_versions(&mut db, 2).await;
    let again = register(&mut db, content("m", "weights 1")).await.unwrap();
    assert_eq!(again, Registered { version: 1, created: false });
    let other = register(&mut db, content("n", "weights 1")).await.unwrap();
    assert_eq!(other, Registered { version: 1, created: true });

    let names: Vec<String> = models(&mut db, "demo").await.unwrap().into_iter().map(|model| model.name).collect();
    assert_eq!(names, ["m", "n"]);
    assert!(models(&mut db, "elsewhere").await.unwrap().is_empty());
    assert_eq!(model(&mut db, "demo", "m").await.unwrap().unwrap().last_version, 2);
    let all = versions(&mut db, "m").await.unwrap();
    assert_eq!(all.iter().map(|row| row.version).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(all[1].run.as_deref(), Some("run-1"));
    let of_weights = versions_of_model(&mut db, &Digest::blake3(b"weights 1")).await.unwrap();
    assert_eq!(of_weights.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["m", "n"]);
}

#[tokio::test]
async fn selectors_stand_for_versions() {
    let mut db = memory().await;
    with_versions(&mut db, 2).await;
    set_alias(&mut db, wish(Some(2), Expected::Any)).await.unwrap();
    for (selector, number) in [
        (Selector::Version(1), Some(1)),
        (Selector::Version(3), None),
        (Selector::Alias("champion".to_owned()), Some(2)),
        (Selector::Alias("challenger".to_owned()), None),
    ] {
        let found = resolve(&mut db, "m", &selector).await.unwrap();
        assert_eq!(found.map(|row| row.version), number, "{selector}");
    }
    assert!(resolve(&mut db, "nobody", &Selector::Version(1)).await.unwrap().is_none());
}

#[tokio::test]
async fn versions_and_their_numbers_never_change() {
    let mut db = memory().await;
    with_versions(&mut db, 3).await;
    set_alias(&mut db, wish(Some(2), Expected::Any)).await.unwrap();
    let approve = SetApproval {
        name: "m".to_owned(),
        version: 1,
        state: Approval::Approved,
        reason: None,
        actor: "ann".to_owned(),
        time: NOON,
    };
    set_approval(&mut db, approve).await.unwrap();
    for sql in [
        "UPDATE model_versions SET digest = 'x' WHERE version = 1",
        "DELETE FROM model_versions WHERE version = 3",
        "INSERT INTO model_versions (model, version, digest, model_digest, evidence, actor, created)
         VALUES ('m', 2, 'x', 'x', '[]', 'x', 0)",
        "UPDATE alias_moves SET to_version = 1",
        "DELETE FROM alias_moves",
        "UPDATE approvals SET state = 'rejected'",
        "DELETE FROM approvals",
    ] {
        let error = sqlx::query(sql).execute(&mut db).await.unwrap_err().to_string();
        assert!(error.contains("never") || error.contains("strictly"), "{sql}: {error}");
    }
}

#[tokio::test]
async fn tags_and_notes_belong_to_models_and_versions() {
    let mut db = memory().await;
    with_versions(&mut db, 2).await;
    let (whole, second) = (Subject::Model("m".to_owned()), Subject::Version("m".to_owned(), 2));
    set_tag(&mut db, &whole, "team", Some("risk")).await.unwrap();
    set_tag(&mut db, &second, "stage", Some("try")).await.unwrap();
    set_tag(&mut db, &second, "stage", Some("use")).await.unwrap();
    set_tag(&mut db, &second, "gone", Some("soon")).await.unwrap();
    set_tag(&mut db, &second, "gone", None).await.unwrap();
    assert_eq!(tags(&mut db, &whole).await.unwrap(), Tags::from([("team".to_owned(), "risk".to_owned())]));
    assert_eq!(tags(&mut db, &second).await.unwrap(), Tags::from([("stage".to_owned(), "use".to_owned())]));
    assert!(matches!(set_tag(&mut db, &second, "", Some("x")).await, Err(CatalogError::BadName { .. })));

    let text = Note { text: "For adults only.".to_owned(), actor: "ann".to_owned(), time: NOON };
    set_note(&mut db, &second, &text).await.unwrap();
    assert_eq!(note(&mut db, &second).await.unwrap(), Some(text.clone()));
    assert_eq!(note(&mut db, &whole).await.unwrap(), None);
    let nowhere = Subject::Version("m".to_owned(), 3);
    assert!(matches!(set_note(&mut db, &nowhere, &text).await, Err(CatalogError::UnknownVersion { version: 3, .. })));
    let nobody = Subject::Model("nobody".to_owned());
    assert!(matches!(set_note(&mut db, &nobody, &text).await, Err(CatalogError::UnknownModel(_))));
}

#[tokio::test]
async fn refuses_names_that_no_reference_can_hold() {
    let mut db = memory().await;
    let error = register(&mut db, content("a/b", "weights")).await.unwrap_err();
    assert_eq!(error.code(), "invalid-name");
    assert!(models(&mut db, "demo").await.unwrap().is_empty());
}
