//! The order of steps, and the cycles that leave none.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Each node after its dependencies; among those that could come next, the smallest first. Errors: the cycles, each
/// from its smallest node on, in which each node depends on the next and the last on the first.
pub(super) fn topological(dependencies: &[Vec<usize>]) -> Result<Vec<usize>, Vec<Vec<usize>>> {
    let mut sorter = Sorter::new(dependencies);
    let mut cycles = Vec::new();
    loop {
        sorter.run();
        if sorter.order.len() == dependencies.len() {
            break;
        }
        // What is left waits for a cycle or stands in one. Take the cycle as done, and look for the next.
        let cycle = sorter.cycle();
        cycle.iter().for_each(|node| sorter.release(*node));
        cycles.push(cycle);
    }
    if cycles.is_empty() { Ok(sorter.order) } else { Err(cycles) }
}

struct Sorter<'a> {
    dependencies: &'a [Vec<usize>],
    dependents: Vec<Vec<usize>>,
    /// How many dependencies are not in `order` yet.
    open: Vec<usize>,
    released: Vec<bool>,
    ready: BinaryHeap<Reverse<usize>>,
    order: Vec<usize>,
}

impl<'a> Sorter<'a> {
    fn new(dependencies: &'a [Vec<usize>]) -> Self {
        let mut dependents = vec![Vec::new(); dependencies.len()];
        for (node, of_node) in dependencies.iter().enumerate() {
            of_node.iter().for_each(|dependency| dependents[*dependency].push(node));
        }
        let open: Vec<_> = dependencies.iter().map(Vec::len).collect();
        let mut sorter = Self {
            dependencies,
            dependents,
            released: vec![false; open.len()],
            ready: BinaryHeap::new(),
            order: Vec::with_capacity(open.len()),
            open,
        };
        (0..dependencies.len())
            .filter(|node| sorter.open[*node] == 0)
            .collect::<Vec<_>>()
            .into_iter()
            .for_each(|node| sorter.release(node));
        sorter
    }

    fn release(&mut self, node: usize) {
        if !std::mem::replace(&mut self.released[node], true) {
            self.ready.push(Reverse(node));
        }
    }

    fn run(&mut self) {
        while let Some(Reverse(node)) = self.ready.pop() {
            self.order.push(node);
            for dependent in std::mem::take(&mut self.dependents[node]) {
                self.open[dependent] -= 1;
                if self.open[dependent] == 0 {
                    self.release(dependent);
                }
            }
        }
    }

    /// A cycle among what is left: every node left has a dependency left, so following them must come round.
    fn cycle(&self) -> Vec<usize> {
        let left = |node: &usize| !self.released[*node];
        let mut path = Vec::new();
        let mut place = vec![None; self.released.len()];
        let mut node = (0..self.released.len()).find(left).expect("called while nodes are left");
        while place[node].is_none() {
            place[node] = Some(path.len());
            path.push(node);
            node = self.dependencies[node].iter().copied().find(left).expect("a node that is left waits for another");
        }
        let mut cycle = path.split_off(place[node].expect("the walk came back to a node of the path"));
        let smallest = (0..cycle.len()).min_by_key(|at| cycle[*at]).unwrap_or(0);
        cycle.rotate_left(smallest);
        cycle
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_order_of_the_file_where_it_can() {
        assert_eq!(topological(&[vec![], vec![], vec![]]), Ok(vec![0, 1, 2]));
        assert_eq!(topological(&[vec![2], vec![], vec![1], vec![]]), Ok(vec![1, 2, 0, 3]));
        assert_eq!(topological(&[vec![1, 1], vec![]]), Ok(vec![1, 0]));
    }

    #[test]
    fn finds_every_cycle() {
        let two = [vec![1], vec![0], vec![3, 0], vec![4], vec![3]];
        assert_eq!(topological(&two), Err(vec![vec![0, 1], vec![3, 4]]));
        assert_eq!(topological(&[vec![0]]), Err(vec![vec![0]]));
    }

    #[test]
    fn a_long_chain_needs_no_stack() {
        let chain: Vec<_> = (0..10_000).map(|n| if n == 9_999 { vec![] } else { vec![n + 1] }).collect();
        assert_eq!(topological(&chain).map(|order| order[0]), Ok(9_999));
    }
}
