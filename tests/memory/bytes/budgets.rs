//! A budget is kept, and the least one is known.

use std::path::PathBuf;

use costate::error::{Error, ScheduleError};
use costate::method::tableau::{BS3, TSIT5};
use costate::method::{AdjointKind, Method};

use super::model::Sized;
use super::{Report, Run, everywhere, problem};

/// A directory of one test, removed at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("costate-bytes-{name}-{}", std::process::id()));
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The budget that the error of a run in this one asks for.
fn asked_for(run: &Run<'_>, budget: u64) -> Option<u64> {
    match run.clone().budget(budget).gradient() {
        Err(Error::OverBudget { need, .. }) => Some(need.bytes()),
        Err(Error::Schedule(ScheduleError::Budget { needed, .. })) => Some(needed),
        _ => None,
    }
}

/// What an error asks for suffices; less does not, where nothing is on disk.
fn least_suffices(report: &mut Report, name: &str, run: &Run<'_>, exact: bool) -> Option<u64> {
    let Some(least) = asked_for(run, 8) else {
        report.fails(format!("{name}: 8 bytes are not refused"));
        return None;
    };
    report.holds(&format!("{name}, least"), &run.clone().budget(least), Some(least));
    if exact && asked_for(run, least - 1) != Some(least) {
        report.fails(format!("{name}: one byte less than {least} is not refused"));
    }
    Some(least)
}

fn in_budgets(report: &mut Report, name: &str, run: &Run<'_>) {
    for (threads, said) in [(1, "one thread"), (2, "two threads")] {
        let (name, run) = (format!("{name}, {said}"), run.clone().threads(threads));
        let Some(least) = least_suffices(report, &name, &run, true) else { return };
        for budget in [least + least / 50, 5 * least] {
            report.holds(&name, &run.clone().budget(budget), Some(budget));
        }
    }
}

pub fn a_budget_is_kept_and_the_least_one_known() {
    let mut report = Report::default();
    everywhere(&[AdjointKind::Discrete], |name, run| in_budgets(&mut report, name, run));
    report.finish();
}

pub fn a_budget_beside_a_disk_is_kept() {
    let mut report = Report::default();
    let scratch = Scratch::new("disk");
    everywhere(&[AdjointKind::Discrete], |name, run| {
        let run = run.clone().on_disk(&scratch.0);
        if let Some(least) = least_suffices(&mut report, &format!("{name}, disk"), &run, false) {
            report.holds(&format!("{name}, disk"), &run.budget(3 * least), Some(3 * least));
        }
    });
    report.finish();
}

/// Where times, lists and tables take more than states.
pub fn a_budget_for_many_small_states_is_kept() {
    let mut report = Report::default();
    let model = Sized { times: vec![1.0], ..Sized::new("small", 1, 1) };
    let (y0, p) = (model.y0(), model.p());
    for (method, tolerance) in [(&BS3, 1e-12), (&TSIT5, 1e-13)] {
        let all = problem(&model, &y0, &p).method(Method::Named(method));
        let controlled = all.clone().rtol(tolerance).atol(tolerance);
        in_budgets(&mut report, "controlled", &controlled);
        in_budgets(&mut report, "fixed", &all.clone().fixed_steps(2000));
        let fixed = all.fixed_steps(100_000);
        for budget in [1 << 17, 1 << 20, 1 << 22] {
            report.holds("controlled", &controlled.clone().budget(budget), Some(budget));
            report.holds("fixed", &fixed.clone().budget(budget), Some(budget));
        }
    }
    report.finish();
}
