//! An unsteady aerodynamic study: a section that pitches in a compressible stream, and what moves
//! its lift, by one gradient whose trajectory need not fit into memory.
//!
//!     cargo run --release --example wing -- --size small|medium|full --out DIR
//!
//! checks the flow and the gradient, prints a table (or one JSON object, with --json), and draws
//! what it found, where there is a directory. docs/wing.md explains it.

mod case;
mod contour;
mod design;
mod differences;
mod field;
mod naca0012;
mod pictures;
mod pressure;
mod progress;
mod slow;
mod study;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use costate::numbers::units::{bytes, parse_bytes, seconds};
use costate_models::aerodynamics::wing::parameters::names;
use rayon::ThreadPoolBuilder;

use case::{Case, Size};
use study::Study;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// A pitching section in a compressible stream, and the gradient of its mean lift.
#[derive(Parser)]
struct Arguments {
    /// 1024 cells and 960 steps, 6144 and 3400, or 24 576 and 15 000.
    #[arg(long, value_enum, default_value = "small")]
    size: Size,
    /// Bytes that the gradient may hold, such as 200MB; 3, 40 or 200 MB unless told.
    #[arg(long, value_parser = budget)]
    budget: Option<u64>,
    /// Cores that share each evaluation of the flow, 1 or 2.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=2))]
    threads: u8,
    /// A directory for pictures, made where there is none.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Prints one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

fn budget(text: &str) -> Result<u64, &'static str> {
    parse_bytes(text).ok_or("write a number of bytes, with a unit such as kB, MiB or GB")
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let threads = ThreadPoolBuilder::new().num_threads(usize::from(arguments.threads)).build();
    let outcome = match threads {
        Ok(threads) => threads.install(|| run(&arguments).map_err(|error| error.to_string())),
        Err(error) => Err(error.to_string()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wing: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Outcome<()> {
    if let Some(directory) = &arguments.out {
        std::fs::create_dir_all(directory).map_err(|error| unwritable(directory, error))?;
    }
    let case = Case::new(arguments.size, usize::from(arguments.threads))?;
    let budget = arguments.budget.unwrap_or(case.budget());
    let study = Study::of(&case, budget)?;
    match arguments.json {
        true => println!("{}", study.json(&case)),
        false => print(&study, &case),
    }
    if let Some(directory) = &arguments.out {
        pictures::all(&case, &study, &|(name, svg)| {
            let path = directory.join(name);
            std::fs::write(&path, svg).map_err(|error| unwritable(&path, error))?;
            eprintln!("{}", path.display());
            Ok(())
        })?;
    }
    study.verdict(budget)
}

fn unwritable(path: &Path, error: std::io::Error) -> String {
    format!("{} cannot be written: {error}", path.display())
}

fn print(study: &Study, case: &Case) {
    let (around, rings) = case.wing.size();
    println!("{around} x {rings} cells, {} states, {} steps", 4 * around * rings, case.steps);
    println!("mean lift {:.6}, mean drag {:.6}", study.lift_mean, study.drag_mean);
    println!("\nparameter      d(mean lift)/d(parameter)");
    for (name, slope) in names().iter().zip(&study.gradient) {
        println!("{name:14} {slope:+.9}");
    }
    let checked = match differences::checked(case.size) {
        all if all.len() == names().len() => "all parameters".to_owned(),
        some => some.iter().map(|&k| names().swap_remove(k)).collect::<Vec<_>>().join(", "),
    };
    let trajectory = (32 * around * rings * case.steps) as u64;
    let ratio = study.seconds_gradient / study.seconds_forward;
    println!("\nagainst central differences   {:.1e} ({checked})", study.finite_difference_error);
    println!("uniform flow, moving grid     {:.1e}", study.free_stream_residual);
    println!("order on the vortex           {:.3}", study.vortex_order);
    println!("lift at M = 0.63, 2 degrees   {:.4} (published: 0.33)", study.lift_m063_a2);
    println!("memory                        {} of {}", bytes(study.peak_bytes), bytes(trajectory));
    println!("run, on one core              {}", seconds(study.seconds_forward));
    println!("gradient                      {}, {ratio:.2} runs", seconds(study.seconds_gradient));
}
