//! Chains whose steps differ in length of state, in stages and in cost.

use costate::adjoint::gradient;
use costate::error::Error;
use costate::plan::budget::measure_places;
use costate::recurrence::{Adjoint, Recurrence};
use costate::schedule::{Costs, Heterogeneous, Keep, Prediction, Sizes, StepCost, StoreAll};
use costate::snapshot::MemoryStore;

use crate::common::bits;

/// y_{n+1,i} = tanh(Σ_j W_n[i, j] y_{n,j} p_n), layers of differing widths; y_{0,i} = sin i and
/// J = ½ |y_N|².
struct Layers {
    widths: Vec<usize>,
}

impl Layers {
    /// Narrow and wide by turns.
    fn new(layers: usize) -> Self {
        Layers { widths: (0..=layers).map(|n| [3, 24, 8, 60, 5, 13][n % 6]).collect() }
    }

    fn weight(n: usize, i: usize, j: usize) -> f64 {
        (1.3 * n as f64 + 0.7 * i as f64 + 2.9 * j as f64).cos() / 3.0
    }
}

impl Recurrence for Layers {
    type Scalar = f64;
    /// y_n and y_{n+1}.
    type Tape = (Vec<f64>, Vec<f64>);
    type Scratch = ();

    fn dim(&self) -> usize {
        60
    }
    fn num_params(&self) -> usize {
        self.num_steps()
    }
    fn num_steps(&self) -> usize {
        self.widths.len() - 1
    }
    fn tape(&self) -> Self::Tape {
        Self::Tape::default()
    }
    fn tape_bytes(&self, n: usize) -> usize {
        8 * (self.widths[n] + self.widths[n + 1])
    }
    fn state_len(&self, n: usize) -> usize {
        self.widths[n]
    }
    fn keeps_tapes(&self) -> bool {
        true
    }
    fn start<'a>(&self, tape: &'a Self::Tape) -> &'a [f64] {
        &tape.0
    }
    fn scratch(&self) {}
    fn initial(&self, _p: &[f64], y0: &mut [f64]) {
        for (i, y) in y0[..self.widths[0]].iter_mut().enumerate() {
            *y = (i as f64).sin();
        }
    }

    fn step(
        &self,
        n: usize,
        p: &[f64],
        y: &mut [f64],
        tape: &mut Self::Tape,
        _scratch: &mut (),
    ) -> Result<(), Error> {
        tape.0 = y[..self.widths[n]].to_vec();
        for (i, y) in y[..self.widths[n + 1]].iter_mut().enumerate() {
            let terms = tape.0.iter().enumerate().map(|(j, x)| Self::weight(n, i, j) * x);
            *y = (p[n] * terms.sum::<f64>()).tanh();
        }
        tape.1 = y[..self.widths[n + 1]].to_vec();
        Ok(())
    }

    fn step_value(
        &self,
        n: usize,
        _p: &[f64],
        y_next: &[f64],
        _tape: &mut Self::Tape,
        _scratch: &mut (),
    ) -> f64 {
        match n + 1 == self.num_steps() {
            true => 0.5 * y_next[..self.widths[n + 1]].iter().map(|y| y * y).sum::<f64>(),
            false => 0.0,
        }
    }

    fn step_adjoint(
        &self,
        n: usize,
        p: &[f64],
        _y_next: &[f64],
        tape: &mut Self::Tape,
        _scratch: &mut (),
        adjoint: &mut Adjoint<f64>,
    ) -> Result<(), Error> {
        let (y, y_next) = &*tape;
        let mut y_bar = vec![0.0; y.len()];
        for (i, next) in y_next.iter().enumerate() {
            let last = if n + 1 == self.num_steps() { *next } else { 0.0 };
            let sum_bar = (adjoint.lambda[i] + last) * (1.0 - next * next);
            for (j, (y, y_bar)) in y.iter().zip(&mut y_bar).enumerate() {
                adjoint.p_bar[n] += sum_bar * Self::weight(n, i, j) * y;
                *y_bar += sum_bar * Self::weight(n, i, j) * p[n];
            }
        }
        adjoint.lambda.fill(0.0);
        adjoint.lambda[..y_bar.len()].copy_from_slice(&y_bar);
        Ok(())
    }
}

/// What the layers' steps cost, in operations.
fn places(chain: &Layers) -> Vec<StepCost> {
    (0..chain.num_steps())
        .map(|n| {
            let work = (chain.widths[n] * chain.widths[n + 1]) as f64;
            let state = 8 * chain.widths[n] as u64;
            let tape = Some(chain.tape_bytes(n) as u64);
            StepCost {
                costs: Costs { step: work, adjoint: 2.0 * work, ..Costs::STEPS },
                sizes: Sizes { state, tape },
            }
        })
        .collect()
}

#[test]
fn every_budget_gives_the_same_bits() {
    for steps in [1, 2, 7, 40, 173] {
        let chain = Layers::new(steps);
        let p: Vec<f64> = (0..steps).map(|n| 0.8 + 0.1 * (n as f64).sin()).collect();
        let all = gradient(&chain, &p, StoreAll::new(steps), &mut MemoryStore::new()).unwrap();
        let everything: u64 = places(&chain).iter().map(|place| place.sizes.of(Keep::Tape)).sum();
        let mut before = u64::MAX;
        for share in [0.05, 0.1, 0.3, 0.6, 1.0] {
            let budget = (everything as f64 * share) as u64 + 8 * 60;
            for places in [places(&chain), measure_places(&chain, &p).unwrap()] {
                let schedule = Heterogeneous::new(&places, budget).unwrap();
                let g = gradient(&chain, &p, schedule, &mut MemoryStore::new()).unwrap();
                assert_eq!(bits(&g), bits(&all), "{steps} {share}");
                assert!(g.stats.snapshot_bytes_peak <= budget, "{steps} {share}: {:?}", g.stats);
            }
            let plan = || Heterogeneous::new(&places(&chain), budget).unwrap();
            let g = gradient(&chain, &p, plan(), &mut MemoryStore::new()).unwrap();
            let predicted = Prediction::heterogeneous(plan(), budget, &places(&chain)).unwrap();
            assert_eq!(g.stats.from_tape, predicted.counts.from_tape, "{steps} {share}");
            let again = predicted.counts.steps_taken() - steps as u64;
            assert_eq!(g.stats.recomputed_steps, again, "{steps} {share}");
            assert!(predicted.lower_bound <= predicted.seconds, "{steps} {share}");
            let seconds = predicted.seconds as u64;
            assert!(seconds <= before.saturating_add(before / 50), "{steps} {share}");
            before = seconds;
        }
        if steps > 1 {
            // Sizes are rounded up to a five-hundredth of the budget.
            let all_kept = Heterogeneous::new(&places(&chain), 2 * everything).unwrap();
            let g = gradient(&chain, &p, all_kept, &mut MemoryStore::new()).unwrap();
            assert_eq!(g.stats.recomputed_steps, 0);
        }
    }
}
