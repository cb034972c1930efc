//! The gradient by a plan.

use std::path::Path;

use super::{Plan, Planned};
use crate::adjoint::{Gradient, Progress, gradient_observed, gradient_on_lanes};
use crate::error::Error;
use crate::recurrence::Recurrence;
use crate::snapshot::{MemoryStore, TieredStore};

impl Plan {
    /// The gradient of the chain that this is a plan for. States on disk are in files in
    /// `directory`, which are gone afterwards.
    ///
    /// # Errors
    /// As [`gradient`](crate::adjoint::gradient), and where the plan has a disk and no directory is
    /// given.
    pub fn gradient<R: Recurrence<Scalar = f64>>(
        &self,
        chain: &R,
        p: &[f64],
        directory: Option<&Path>,
        observe: &(dyn Fn(Progress) + Sync),
    ) -> Result<Gradient, Error> {
        let mut store = MemoryStore::new();
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
            Planned::Mixed(mixed) => gradient_observed(chain, p, mixed, &mut store, observe),
            Planned::MixedOnline(mixed) => gradient_observed(chain, p, mixed, &mut store, observe),
            Planned::Pair(pair) => gradient_on_lanes(chain, p, pair, observe),
            Planned::Periodic(periodic) => {
                let fast = periodic.fast_slots();
                gradient_observed(chain, p, periodic, &mut tiered(fast)?, observe)
            }
            Planned::Online { schedule, fast } => {
                gradient_observed(chain, p, schedule, &mut tiered(fast)?, observe)
            }
        }
    }
}
