//! Processes that die: while they append, and between the steps of sealing.

use super::*;

/// The journal cut off at every byte of its last frames: what was whole is there, the rest never was, and numbers go on
/// without a gap.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_torn_tail_is_cut_off() {
    let lab = Lab::new().await;
    let source = source(1);
    let mut ends = Vec::new();
    {
        let logs = lab.open().await;
        let log = lab.log(&logs).await;
        for number in 0..4 {
            append(&log, &source, number);
            ends.push(std::fs::metadata(&lab.journals()[0]).unwrap().len());
        }
    }
    let path = lab.journals().remove(0);
    let whole = std::fs::read(&path).unwrap();
    for length in ends[1]..=ends[3] {
        std::fs::write(&path, &whole[..length as usize]).unwrap();
        let kept = ends.iter().filter(|end| **end <= length).count() as u64;
        // Beside a writer that is gone, and after the next one has come.
        assert_eq!(lab.ids().await, ids(0..kept));
        let logs = lab.open().await;
        let log = lab.log(&logs).await;
        assert_eq!(log.head(), kept);
        append(&log, &source, 9);
        assert_eq!(lab.ids().await, ids((0..kept).chain([9])), "after {length} bytes");
    }
    // A frame that is whole and was changed is as good as torn.
    let mut changed = whole.clone();
    changed[ends[2] as usize + 30] ^= 1;
    std::fs::write(&path, &changed).unwrap();
    assert_eq!(lab.ids().await, ids(0..3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_without_a_head_is_set_aside() {
    let lab = Lab::new().await;
    drop(lab.log(&lab.open().await).await);
    let folder = lab.host.home.join("inference").join(ENDPOINT);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("0000000001.journal"), b"no journal").unwrap();
    let logs = lab.open().await;
    let log = lab.log(&logs).await;
    append(&log, &source(1), 0);
    logs.seal(ENDPOINT).await.unwrap();
    assert_eq!(lab.ids().await, ids(0..1));
    assert_eq!(lab.journals(), [folder.join("0000000001.damaged")]);
}

/// Whatever step a process dies after, each row is there once, for readers beside it and for the next process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_death_between_the_steps_of_sealing_loses_and_doubles_nothing() {
    for step in [SealStep::Stored, SealStep::Committed, SealStep::Removed] {
        let lab = Lab::new().await;
        let sources = [source(1), other_columns(2)];
        {
            let logs = lab.open().await;
            let log = lab.log(&logs).await;
            for number in 0..6 {
                append_to(&log, &sources[number as usize % 2], number);
            }
            log.seal_up_to(true, step).await.unwrap();
            assert_eq!(lab.ids().await, ids(0..6), "beside, after {step:?}");
            append_to(&log, &sources[0], 6);
            assert_eq!(lab.ids().await, ids(0..7), "beside, after {step:?} and a row");
        }
        let logs = lab.open().await;
        let log = lab.log(&logs).await;
        assert_eq!(log.head(), 7);
        append_to(&log, &sources[1], 7);
        assert_eq!(lab.ids().await, ids(0..8), "after {step:?}");
        logs.seal(ENDPOINT).await.unwrap();
        assert_eq!(lab.ids().await, ids(0..8), "sealed after {step:?}");
        assert!(lab.journals().is_empty());
        let state = lab.host.store.inference_state(ENDPOINT).await.unwrap();
        assert_eq!(state.segments.iter().map(|segment| segment.rows).sum::<i64>(), 8);
        assert_eq!(state.next_seq, 8);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_process_leaves_is_taken_up_without_being_asked_for() {
    let lab = Lab::new().await;
    append(&*lab.log(&lab.open().await).await, &source(1), 0);
    let logs = lab.open().await;
    assert_eq!(logs.head(ENDPOINT), Some(1));
    logs.close().await;
    assert!(lab.journals().is_empty());
    assert_eq!(lab.ids().await, ids(0..1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_journal_is_sealed_and_a_young_one_is_not() {
    let lab = Lab::new().await;
    let logs = lab.open().await;
    append(&*lab.log(&logs).await, &source(1), 0);
    logs.tend().await;
    assert_eq!(lab.journals().len(), 1);
    lab.later(SEAL_AFTER);
    logs.tend().await;
    assert!(lab.journals().is_empty());
    assert_eq!(lab.ids().await, ids(0..1));
}

/// A version without `kind`, and with a width in whole numbers.
pub fn other_columns(version: u64) -> Arc<Source> {
    let input = Schema::new(vec![field("width", DataType::S64, false), field("height", DataType::F64, false)]).unwrap();
    Arc::new(Source { input, ..(*source(version)).clone() })
}

/// Like [`append`], for either source.
pub fn append_to(log: &InferenceLog, source: &Arc<Source>, number: u64) {
    let features = match source.input.fields[0].data_type {
        DataType::F64 => features(number as f64),
        _ => Batch { num_rows: 1, columns: vec![s64s([number as i64]), f64s([0.25])] },
    };
    let predictions = predictions(1);
    let id = id(number);
    let record = Record {
        source,
        id: &id,
        time: NOON + number as i64,
        latency_us: 1,
        outcome: Outcome::Ok,
        features: &features,
        predictions: Some(&predictions),
    };
    assert!(log.append(record).unwrap());
}
