//! Compare-and-set under every order of reads and writes.

use proptest::prelude::*;
use sqlx::ConnectOptions;

use super::*;

/// What one of several actors does next: look at the alias, or move it from what it saw last.
#[derive(Clone, Debug)]
enum Turn {
    Look(usize),
    Move(usize, u64),
    TakeAway(usize),
    GoBack(usize),
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let actor = 0..4usize;
    let turn = prop_oneof![
        3 => actor.clone().prop_map(Turn::Look),
        4 => (actor.clone(), 1..=5u64).prop_map(|(actor, to)| Turn::Move(actor, to)),
        1 => actor.clone().prop_map(Turn::TakeAway),
        2 => actor.prop_map(Turn::GoBack),
    ];
    proptest::collection::vec(turn, 1..60)
}

/// What the catalog must do, in a few lines: the undo stack, and all that the alias ever named.
#[derive(Default)]
struct Model {
    stack: Vec<Option<u64>>,
    history: Vec<Option<u64>>,
}

impl Model {
    fn now(&self) -> Option<u64> {
        self.history.last().copied().flatten()
    }

    fn set(&mut self, to: Option<u64>) {
        if to != self.now() {
            self.stack.push(to);
            self.history.push(to);
        }
    }

    fn before(&self) -> Option<u64> {
        let mut earlier = self.stack.iter().rev();
        let now = *earlier.next()?;
        earlier.copied().find(|version| version.is_some() && *version != now).flatten()
    }

    fn go_back(&mut self, to: u64) {
        while self.stack.pop_if(|version| *version != Some(to)).is_some() {}
        self.history.push(Some(to));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_move_happens_exactly_where_the_actor_saw_the_latest(turns in turns()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async move {
            let mut db = memory().await;
            with_versions(&mut db, 5).await;
            let mut model = Model::default();
            let mut seen = [None; 4];
            for turn in turns {
                match turn {
                    Turn::Look(actor) => {
                        let found = resolve(&mut db, "m", &Selector::Alias("champion".to_owned())).await.unwrap();
                        seen[actor] = found.map(|row| row.version);
                        assert_eq!(seen[actor], model.now());
                    }
                    Turn::Move(actor, to) => {
                        let end = set_alias(&mut db, wish(Some(to), Expected::Is(seen[actor]))).await;
                        assert_eq!(end.is_ok(), seen[actor] == model.now());
                        if end.is_ok() { model.set(Some(to)); }
                    }
                    Turn::TakeAway(actor) => {
                        let end = set_alias(&mut db, wish(None, Expected::Is(seen[actor]))).await;
                        let ok = seen[actor] == model.now() && !model.history.is_empty();
                        assert_eq!(end.is_ok(), ok);
                        if ok { model.set(None); }
                    }
                    Turn::GoBack(actor) => {
                        let end = rollback(&mut db, undo(Expected::Is(seen[actor]))).await;
                        let to = model.before().filter(|_| seen[actor] == model.now());
                        assert_eq!(end.ok().and_then(|made| made.last.to), to);
                        if let Some(to) = to { model.go_back(to); }
                    }
                }
            }
            let moves = alias_history(&mut db, "m", Some("champion")).await.unwrap();
            assert_eq!(moves.iter().map(|made| made.to).collect::<Vec<_>>(), model.history);
            assert!(moves.iter().enumerate().all(|(index, made)| made.seq == index as u64 + 1));
            let chain = moves.windows(2).all(|pair| pair[1].from == pair[0].to && pair[0].time <= pair[1].time);
            assert!(chain, "each move starts where the one before it ended");
        });
    }
}

/// Writers on connections of their own, as several processes are: of those that saw the same, one wins.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_those_that_saw_the_same_one_wins() {
    const WRITERS: u64 = 6;
    let dir = tempfile::tempdir().unwrap();
    let options = SqliteConnectOptions::new()
        .filename(dir.path().join("test.db"))
        .create_if_missing(true)
        .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
        .foreign_keys(true)
        .busy_timeout(std::time::Duration::from_secs(60));
    let mut db = options.connect().await.unwrap();
    MIGRATIONS.run(&mut db).await.unwrap();
    with_versions(&mut db, WRITERS).await;
    let mut now = None;
    for round in 1..=20u64 {
        let mut writers = tokio::task::JoinSet::new();
        for version in (1..=WRITERS).filter(|version| Some(*version) != now) {
            let options = options.clone();
            writers.spawn(async move {
                let mut connection = options.connect().await.unwrap();
                let mut tx = connection.begin_with("BEGIN IMMEDIATE").await.unwrap();
                let end = set_alias(&mut tx, wish(Some(version), Expected::Is(now))).await;
                tx.commit().await.unwrap();
                end.is_ok().then_some(version)
            });
        }
        let won: Vec<u64> = writers.join_all().await.into_iter().flatten().collect();
        assert_eq!(won.len(), 1, "round {round}: {won:?}");
        now = Some(won[0]);
    }
    assert_eq!(alias_history(&mut db, "m", None).await.unwrap().len(), 20);
}
