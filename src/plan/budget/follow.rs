//! The gradient by a plan.

use std::path::Path;

use super::plan::{Plan, Planned};
use crate::adjoint::{Gradient, Observer, Reversal};
use crate::error::Error;
use crate::recurrence::Chain;
use crate::snapshot::{MemoryStore, TieredStore};

impl Plan {
    /// The gradient of the chain that this is a plan for. States on disk are in files in
    /// `directory`, which are gone afterwards.
    ///
    /// # Errors
    /// As [`gradient`](crate::adjoint::gradient), and where the plan has a disk and no directory is
    /// given.
    pub fn gradient(
        &self,
        chain: &dyn Chain,
        p: &[f64],
        directory: Option<&Path>,
        observer: &mut dyn Observer<f64>,
    ) -> Result<Gradient, Error> {
        let mut memory = MemoryStore::new();
        let reversal = Reversal::new(p).observer(observer);
        let tiered = |fast| -> Result<TieredStore<f64>, Error> {
            match directory {
                Some(directory) => Ok(TieredStore::new(fast, directory)?),
                None => Err(Error::BadSetting {
                    what: "the directory for states on disk",
                    given: "not given".into(),
                    required: "given for a plan with a disk",
                }),
            }
        };
        match self.planned.clone() {
            Planned::Mixed(mut mixed) => reversal.gradient(chain, &mut mixed, &mut memory),
            Planned::MixedOnline(mut mixed) => reversal.gradient(chain, &mut mixed, &mut memory),
            Planned::TwoProcessor(mut pair) => reversal.gradient_by_workers(chain, &mut pair),
            Planned::Periodic(mut periodic) => {
                let fast = periodic.fast_slots();
                reversal.gradient(chain, &mut periodic, &mut tiered(fast)?)
            }
            Planned::Online { mut schedule, fast } => {
                reversal.gradient(chain, &mut schedule, &mut tiered(fast)?)
            }
        }
    }
}
