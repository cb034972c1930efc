//! What memory costs: the same gradient, to the bit, in less and less of it.
//!
//! Burgers' equation in 1000 cells and 1000 steps, differentiated by a control in every cell.
//!
//!     cargo run --release --example gradient_vs_memory
//!
//! With the name of a file, it draws there what bytes, a second core and a disk are worth to Burgers'
//! equation in 10 000 cells and 1000 steps:
//!
//!     cargo run --release --example gradient_vs_memory -- docs/gradient_vs_memory.svg

use costate::method::tableau::RK4;
use costate::numbers::scalar::same_bits;
use costate::numbers::units::bytes;
use costate::plan::curve::{Budgets, CurveNews, CurvePoint, LeftOut};
use costate::plot::curve_svg;
use costate::problem::ScheduleKind;
use costate::schedule::optimum;
use costate::{Error, Method, Problem};
use costate_models::pde::burgers;

const STEPS: usize = 1000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    match std::env::args().nth(1) {
        Some(path) => Ok(std::fs::write(path, picture()?)?),
        None => Ok(table()?),
    }
}

fn picture() -> Result<String, Box<dyn std::error::Error>> {
    let flow = burgers::p6();
    let problem = Problem::new(&flow.ode, (0.0, 0.025), &flow.p)
        .initial(&flow.y0)
        .objective(&flow.objective)
        .method(Method::Named(&RK4))
        .fixed_steps(STEPS);
    let directory = Some(std::env::temp_dir().join("costate-gradient-vs-memory"));
    let budgets = Budgets { threads: vec![1, 2], directory, ..Budgets::default() };
    let (curve, method) = problem.budget_curve(&budgets, &|news| match news {
        CurveNews::Point(point) => {
            let CurvePoint { schedule, threads, seconds, predicted_seconds, .. } = point;
            let allowed = bytes(point.budget_bytes.unwrap_or(0));
            println!(
                "{allowed:>9}  {schedule:<8} {threads} {seconds:.3} s, predicted {predicted_seconds:.3}"
            );
        }
        CurveNews::LeftOut(LeftOut { budget_bytes, predicted_seconds, .. }) => {
            let allowed = bytes(budget_bytes.unwrap_or(0));
            println!("{allowed:>9}  left out, predicted {predicted_seconds:.3}");
        }
        CurveNews::Begun { .. } | CurveNews::Done(_) => {}
    })?;
    let title = format!("Burgers' equation, 10 000 cells: gradient of {STEPS} steps of {method}");
    Ok(curve_svg(&curve, &title)?)
}

fn table() -> Result<(), Error> {
    let flow = burgers::p6s();
    let problem = Problem::new(&flow.ode, flow.span, &flow.p)
        .initial(&flow.y0)
        .objective(&flow.objective)
        .method(Method::Named(&RK4))
        .fixed_steps(STEPS)
        .schedule(ScheduleKind::Revolve);
    let all = problem.clone().schedule(ScheduleKind::StoreAll).gradient()?;
    println!("snapshots       bytes  recomputed  seconds  same bits");
    for snapshots in [999, 300, 100, 50, 20, 10, 5, 3, 2] {
        let g = problem.clone().snapshots(snapshots).gradient()?;
        let same = same_bits(&g.wrt_params, &all.wrt_params);
        let (stats, seconds) = (g.stats, g.stats.seconds_forward + g.stats.seconds_reverse);
        println!(
            "{snapshots:9} {:11} {:11} {seconds:8.3}  {same}",
            stats.snapshot_bytes_peak, stats.recomputed_steps
        );
        assert!(same);
        assert_eq!(stats.snapshot_bytes_peak, (snapshots * 8 * flow.y0.len()) as u64);
        assert_eq!(stats.recomputed_steps, optimum::t(STEPS as u64, snapshots as u64));
    }
    Ok(())
}
