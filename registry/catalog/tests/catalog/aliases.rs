//! Moves of aliases: evidence, approval, force, history, going back.

use super::*;

#[tokio::test]
async fn history_answers_what_was_live_who_moved_it_and_why() {
    let mut db = memory().await;
    with_versions(&mut db, 3).await;
    let at = |to, time, actor: &str| SetAlias { time, actor: actor.to_owned(), ..wish(Some(to), Expected::Any) };
    set_alias(&mut db, at(1, NOON, "cli:ann")).await.unwrap();
    set_alias(&mut db, at(2, NOON + 10, "cli:bob")).await.unwrap();
    // A clock that was set back does not put a move before the one that it follows.
    let late = set_alias(&mut db, at(3, NOON + 5, "cli:cyd")).await.unwrap();
    assert_eq!(late.last.time, NOON + 10);

    assert_eq!(alias_at(&mut db, "m", "champion", NOON - 1).await.unwrap(), None);
    let first = alias_at(&mut db, "m", "champion", NOON + 9).await.unwrap().unwrap();
    assert_eq!((first.to, first.from, first.actor.as_str()), (Some(1), None, "cli:ann"));
    assert_eq!(first.evidence, [Digest::blake3(b"report")]);
    let last = alias_at(&mut db, "m", "champion", NOON + 10).await.unwrap().unwrap();
    assert_eq!((last.to, last.from, last.actor.as_str()), (Some(3), Some(2), "cli:cyd"));
    let seqs: Vec<u64> = alias_history(&mut db, "m", None).await.unwrap().iter().map(|made| made.seq).collect();
    assert_eq!(seqs, [1, 2, 3]);
}

#[tokio::test]
async fn moves_only_from_what_is_expected() {
    let mut db = memory().await;
    with_versions(&mut db, 2).await;
    let error = set_alias(&mut db, wish(Some(1), Expected::Is(Some(2)))).await.unwrap_err();
    assert_eq!(error.to_string(), "alias `champion` of `m` names no version, not version 2 as expected");
    set_alias(&mut db, wish(Some(1), Expected::Is(None))).await.unwrap();
    let error = set_alias(&mut db, wish(Some(2), Expected::Is(None))).await.unwrap_err();
    assert!(matches!(error, CatalogError::Moved { expected: None, actual: Some(1), .. }), "{error}");
    assert!(set_alias(&mut db, wish(Some(2), Expected::Is(Some(1)))).await.unwrap().changed);
    // Again: nothing changes, and nothing is written.
    assert!(!set_alias(&mut db, wish(Some(2), Expected::Is(Some(2)))).await.unwrap().changed);
    assert_eq!(alias_history(&mut db, "m", Some("champion")).await.unwrap().len(), 2);
    // Taken away, and then gone.
    set_alias(&mut db, wish(None, Expected::Any)).await.unwrap();
    assert!(aliases(&mut db, "m").await.unwrap().is_empty());
    assert!(resolve(&mut db, "m", &Selector::Alias("champion".to_owned())).await.unwrap().is_none());
}

#[tokio::test]
async fn without_evidence_only_by_force_and_with_a_reason() {
    let mut db = memory().await;
    with_versions(&mut db, 1).await;
    register(&mut db, NewVersion { evidence: Vec::new(), ..content("m", "unjudged") }).await.unwrap();
    let to = wish(Some(2), Expected::Any);
    let error = set_alias(&mut db, to.clone()).await.unwrap_err();
    assert!(matches!(error, CatalogError::NoEvidence { version: 2, .. }), "{error}");
    for reason in [None, Some("  ".to_owned())] {
        let error = set_alias(&mut db, SetAlias { forced: true, reason, ..to.clone() }).await.unwrap_err();
        assert!(matches!(error, CatalogError::NoReason), "{error}");
    }
    let reason = Some("the gate is broken".to_owned());
    let made = set_alias(&mut db, SetAlias { forced: true, reason: reason.clone(), ..to }).await.unwrap().last;
    assert!(made.forced && made.evidence.is_empty());
    assert_eq!(made.reason, reason);
    let error = set_alias(&mut db, wish(Some(7), Expected::Any)).await.unwrap_err();
    assert!(matches!(error, CatalogError::UnknownVersion { version: 7, .. }), "{error}");
}

#[tokio::test]
async fn a_version_that_is_not_approved_gets_no_alias() {
    let mut db = memory().await;
    with_versions(&mut db, 1).await;
    let decide = |state| SetApproval {
        name: "m".to_owned(),
        version: 1,
        state,
        reason: None,
        actor: "ann".to_owned(),
        time: NOON,
    };
    for state in [Approval::Pending, Approval::Rejected] {
        set_approval(&mut db, decide(state)).await.unwrap();
        let error = set_alias(&mut db, wish(Some(1), Expected::Any)).await.unwrap_err();
        assert!(matches!(error, CatalogError::NotApproved { .. }), "{error}");
    }
    set_approval(&mut db, decide(Approval::Approved)).await.unwrap();
    set_alias(&mut db, wish(Some(1), Expected::Any)).await.unwrap();
    assert_eq!(approval(&mut db, "m", 1).await.unwrap(), Approval::Approved);
    assert_eq!(approval_history(&mut db, "m", 1).await.unwrap().len(), 3);
}

#[tokio::test]
async fn rollbacks_go_further_back_and_never_forth() {
    let mut db = memory().await;
    with_versions(&mut db, 4).await;
    let nothing = rollback(&mut db, undo(Expected::Any)).await.unwrap_err();
    assert!(matches!(nothing, CatalogError::NothingBefore { .. }), "{nothing}");
    for version in [1, 2, 3] {
        set_alias(&mut db, wish(Some(version), Expected::Any)).await.unwrap();
    }
    assert_eq!(before(&mut db, "m", "champion").await.unwrap(), Some(2));
    let made = rollback(&mut db, undo(Expected::Is(Some(3)))).await.unwrap().last;
    assert_eq!((made.kind, made.from, made.to), (MoveKind::Rollback, Some(3), Some(2)));
    assert_eq!(made.reason.as_deref(), Some("it errs"));
    let error = rollback(&mut db, undo(Expected::Is(Some(3)))).await.unwrap_err();
    assert!(matches!(error, CatalogError::Moved { actual: Some(2), .. }), "{error}");
    assert_eq!(rollback(&mut db, undo(Expected::Any)).await.unwrap().last.to, Some(1));
    assert!(rollback(&mut db, undo(Expected::Any)).await.is_err());
    // A new move after that can be undone like any other; an alias taken away comes back.
    set_alias(&mut db, wish(Some(4), Expected::Any)).await.unwrap();
    assert_eq!(before(&mut db, "m", "champion").await.unwrap(), Some(1));
    set_alias(&mut db, wish(None, Expected::Any)).await.unwrap();
    assert_eq!(rollback(&mut db, undo(Expected::Any)).await.unwrap().last.to, Some(4));
}
