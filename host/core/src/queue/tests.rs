//! Limits, priorities and fairness, for any traffic.

use proptest::prelude::*;

use super::*;

const SECOND: Micros = 1_000_000;

fn waiting(run: usize, pipeline: &str, priority: i32, enqueued: Micros) -> Waiting {
    Waiting { run: format!("run-{run:05}"), pipeline: pipeline.to_owned(), priority, enqueued }
}

fn queue(runs: u32, pipelines: &[(&str, u32)]) -> Queue {
    let pipelines = pipelines.iter().map(|(name, most)| ((*name).to_owned(), *most)).collect();
    Queue::new(Concurrency { runs, pipelines, ..Concurrency::default() })
}

/// One at a time, each at once at its end.
fn order(queue: &mut Queue, mut now: Micros) -> Vec<String> {
    std::iter::from_fn(|| {
        now += 1;
        let next = queue.next(now)?;
        queue.ended(&next.pipeline);
        Some(next.run)
    })
    .collect()
}

#[test]
fn higher_priorities_go_first_and_equal_ones_in_order() {
    let mut queue = queue(1, &[]);
    queue.load([waiting(1, "a", 0, 10), waiting(2, "a", 5, 30), waiting(3, "a", 0, 20), waiting(4, "a", -5, 0)]);
    assert_eq!(order(&mut queue, 100), ["run-00002", "run-00001", "run-00003", "run-00004"]);
    assert!(queue.is_empty());
}

#[test]
fn pipelines_of_one_priority_take_turns_however_long_their_lines() {
    let mut queue = queue(1, &[]);
    // A thousand runs of `backfill` have waited for an hour when one of `nightly` and two of `small` come.
    let hour = 3600 * SECOND;
    let old = (0..1000).map(|run| waiting(run, "backfill", 0, run as Micros));
    queue.load(old.clone());
    let first = queue.next(hour).unwrap();
    queue.ended(&first.pipeline);
    let new = [waiting(2000, "nightly", 0, hour), waiting(2001, "small", 0, hour), waiting(2002, "small", 0, hour)];
    queue.load(old.skip(1).chain(new));
    let order = order(&mut queue, hour + SECOND);
    let place = |run: &str| order.iter().position(|known| known == run).unwrap();
    assert!(place("run-02000") < 3 && place("run-02001") < 3 && place("run-02002") < 5, "{:?}", &order[..6]);
}

#[test]
fn a_pipeline_at_its_limit_lets_others_pass() {
    let mut queue = queue(3, &[("heavy", 1)]);
    queue.load([waiting(1, "heavy", 9, 0), waiting(2, "heavy", 9, 1), waiting(3, "light", 0, 2)]);
    assert_eq!(queue.next(10).unwrap().run, "run-00001");
    assert_eq!(queue.next(10).unwrap().run, "run-00003");
    assert_eq!(queue.next(10), None);
    queue.ended("heavy");
    assert_eq!(queue.next(10).unwrap().run, "run-00002");
}

proptest! {
    /// Whatever comes and whenever runs end, no limit is passed; and what may go on does.
    #[test]
    fn limits_hold_and_no_place_is_wasted(
        runs in 1_u32..5,
        heavy in 1_u32..3,
        traffic in prop::collection::vec((0_usize..3, -100..=100_i32, any::<bool>()), 1..200),
    ) {
        let mut queue = queue(runs, &[("heavy", heavy)]);
        let (mut there, mut running, mut now): (Vec<Waiting>, Vec<String>, Micros) = (vec![], vec![], 0);
        for (number, (pipeline, priority, ends)) in traffic.into_iter().enumerate() {
            now += 3 * SECOND;
            let pipeline = ["heavy", "light", "other"][pipeline];
            there.push(waiting(number, pipeline, priority, now));
            queue.load(there.clone());
            if ends && !running.is_empty() {
                queue.ended(&running.remove(0));
            }
            while let Some(next) = queue.next(now) {
                there.retain(|known| known.run != next.run);
                running.push(next.pipeline);
            }
            let of = |name: &str| running.iter().filter(|known| *known == name).count() as u32;
            prop_assert!(queue.running() <= runs && of("heavy") <= heavy);
            prop_assert_eq!(queue.running(), running.len() as u32);
            let could = |waits: &Waiting| waits.pipeline != "heavy" || of("heavy") < heavy;
            prop_assert!(running.len() as u32 == runs || !there.iter().any(could));
        }
    }

    /// A run of the lowest priority is reached although one of the highest comes every second and takes one.
    #[test]
    fn nothing_starves(lowest in -100..0_i32, rivals in 1_usize..6) {
        let mut queue = queue(1, &[]);
        let mut there = vec![waiting(0, "patient", lowest, 0)];
        let span = (100 - i64::from(lowest)) * AGEING / SECOND;
        let bound = span + 2 * rivals as i64 + 2;
        for second in 1..=bound {
            let now = second * SECOND;
            for rival in 0..rivals {
                there.push(waiting(second as usize * 10 + rival, ["a", "b", "c", "d", "e"][rival], 100, now));
            }
            // As many of each rival as make no difference: only the first of a lane counts.
            there.retain(|known| known.pipeline == "patient" || known.enqueued > now - 3 * SECOND);
            queue.load(there.iter().cloned());
            let next = queue.next(now).unwrap();
            queue.ended(&next.pipeline);
            there.retain(|known| known.run != next.run);
            if next.pipeline == "patient" {
                return Ok(());
            }
        }
        prop_assert!(false, "not reached within {bound} turns");
    }
}
