//! Wall time of gradients on one and two threads: `cargo bench --bench workers -- [PROBLEM] [RUNS]`
//! prints a table. Each line's time is the least of RUNS, in turns with the others; `short` is a tenth
//! of p6. Beside it stand the seconds that worker 0 was on a core, which tell something on a machine
//! that does other work too, and the makespan, both of that of all states without their memory.

use std::process::ExitCode;
use std::time::Instant;

use costate::adjoint::{Gradient, Reversal, gradient};
use costate::error::Error;
use costate::method::stepper::{Esdirk, ExplicitRk, Newton};
use costate::method::tableau::{KVAERNO5, RK4};
use costate::ode::grid::TimeGrid;
use costate::ode::objective::Objective;
use costate::recurrence::{Adjoint, Discretization, Recurrence};
use costate::schedule::{Revolve, StoreAll, TwoProcessor, WorkerCosts, WorkerCounts, optimum};
use costate::snapshot::MemoryStore;
use costate_models::Benchmark;
use costate_models::pde::{brusselator, burgers};
use cpu_time::ThreadTime;

const USAGE: &str = "usage: cargo bench --bench workers -- [p6 | short | p6s | stiff] [RUNS]";

fn main() -> ExitCode {
    // cargo bench adds --bench.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let problem = words.first().map_or("p6s", String::as_str);
    let runs = words.get(1).and_then(|word| word.parse().ok()).unwrap_or(3);
    let measured = match problem {
        "p6" => explicit(burgers::p6(), 1.0, runs),
        "short" => explicit(burgers::p6(), 0.1, runs),
        "p6s" => explicit(burgers::p6s(), 1.0, runs),
        "stiff" => stiff(runs),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match measured {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn explicit<J: Objective>(
    problem: Benchmark<burgers::Burgers, J>,
    part: f64,
    runs: usize,
) -> Result<(), Error> {
    let (start, end) = (problem.span.0, part * problem.span.1);
    let steps = (part * problem.fixed_steps.unwrap_or(1000) as f64) as usize;
    let grid = TimeGrid::Uniform { start, end, steps };
    let stepper = ExplicitRk::new(&RK4).unwrap();
    let chain = Discretization::new(&problem.ode, &problem.y0, &problem.objective, stepper, grid)?;
    table(&chain, &problem.p, runs)
}

/// The Brusselator in 1000 equal steps of a stiff method.
fn stiff(runs: usize) -> Result<(), Error> {
    let problem = brusselator::p3a();
    let (start, end) = problem.span;
    let grid = TimeGrid::Uniform { start, end, steps: 1000 };
    let stepper = Esdirk::new(&KVAERNO5, Newton::Stagnation).unwrap();
    let chain = Discretization::new(&problem.ode, &problem.y0, &problem.objective, stepper, grid)?;
    table(&chain, &problem.p, runs)
}

fn table<R: Recurrence<Scalar = f64>>(chain: &R, p: &[f64], runs: usize) -> Result<(), Error> {
    let steps = chain.num_steps();
    let costs = measure(chain, p)?;
    println!(
        "{steps} steps of {} numbers; F = {} ns, A = {} ns; a tape is {:.1} states",
        chain.dim(),
        costs.step,
        costs.adjoint,
        chain.tape_bytes(0) as f64 / (8 * chain.dim()) as f64
    );
    let root = 2 * (steps as f64).sqrt() as usize;
    let store = || MemoryStore::new();
    let one = |slots| gradient(chain, p, Revolve::new(steps, slots)?, &mut store());
    let pair = |slots, tapes| TwoProcessor::with_tapes(steps, slots, tapes, costs);
    let two = |slots, tapes| Reversal::new(p).gradient_by_workers(chain, &mut pair(slots, tapes)?);
    let all = || gradient(chain, p, StoreAll::new(steps), &mut store());
    type Task<'a> = (String, f64, Box<dyn Fn() -> Result<Gradient, Error> + 'a>);
    let ideal = (steps as u64 - 1) * costs.step + steps as u64 * (costs.step + costs.adjoint);
    let mut tasks: Vec<Task<'_>> = vec![("all states, one core".into(), 1.0, Box::new(all))];
    for slots in [20, 50, root] {
        let steps = steps as u64;
        let advances = optimum::t(steps, slots as u64);
        let alone = advances * costs.step + steps * (costs.step + costs.adjoint);
        let of_ideal = |time: u64| time as f64 / ideal as f64;
        tasks.push((
            format!("{slots} states, one core"),
            of_ideal(alone),
            Box::new(move || one(slots)),
        ));
        for tapes in [0, 2, 4] {
            let makespan = WorkerCounts::of(pair(slots, tapes)?, costs)?.makespan;
            tasks.push((
                format!("{slots} states, two cores, {tapes} tapes"),
                of_ideal(makespan),
                Box::new(move || two(slots, tapes)),
            ));
        }
    }
    let mut best = vec![(f64::INFINITY, f64::INFINITY); tasks.len()];
    for _ in 0..runs {
        for ((_, _, task), best) in tasks.iter().zip(&mut best) {
            let (begun, busy) = (Instant::now(), ThreadTime::now());
            task()?;
            best.0 = best.0.min(begun.elapsed().as_secs_f64());
            best.1 = best.1.min(busy.elapsed().as_secs_f64());
        }
    }
    println!("{:32} {:>9} {:>8} {:>8} {:>9}", "", "seconds", "of all", "busy", "expected");
    let (all, ideal) = (best[0].0, ideal as f64 * 1e-9);
    for ((name, expected, _), (seconds, busy)) in tasks.iter().zip(&best) {
        let (of_all, busy) = (seconds / all, busy / ideal);
        println!("{name:32} {seconds:9.3} {of_all:8.3} {busy:8.3} {expected:9.3}");
    }
    Ok(())
}

/// What a step and its adjoint take, in nanoseconds: the least of some.
fn measure<R: Recurrence<Scalar = f64>>(chain: &R, p: &[f64]) -> Result<WorkerCosts, Error> {
    let (mut y, mut tape) = (vec![0.0; chain.dim()], chain.tape());
    let mut scratch = chain.scratch();
    let mut adjoint = Adjoint::zeros(chain.dim(), chain.num_params());
    let mut costs = WorkerCosts { step: u64::MAX, adjoint: u64::MAX };
    chain.initial(p, &mut y);
    for n in 0..chain.num_steps().min(50) {
        let begun = Instant::now();
        chain.step(n, p, &mut y, &mut tape, &mut scratch)?;
        costs.step = costs.step.min(begun.elapsed().as_nanos() as u64);
        let begun = Instant::now();
        chain.step_adjoint(n, p, &y, &mut tape, &mut scratch, &mut adjoint)?;
        costs.adjoint = costs.adjoint.min(begun.elapsed().as_nanos() as u64);
    }
    Ok(costs)
}
