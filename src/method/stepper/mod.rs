//! One step of a Runge–Kutta method, its adjoint and its tangent. One file a family.
//!
//! Every method here has an explicit first stage,
//! Y_i = y_n + h Σ_j a_ij k_j, k_i = f(t_n + c_i h, Y_i), y_{n+1} = y_n + h Σ b_i k_i.

use crate::error::{Error, StepFailure};
use crate::method::tableau::Tableau;
use crate::numbers::linalg::worst;
use crate::numbers::scalar::Scalar;
use crate::ode::grid::Step;
use crate::ode::{Jvp, Ode, Vjp};

mod coefficients;
mod counts;
mod stages;
mod tolerances;

mod esdirk;
mod explicit;

pub(crate) use coefficients::{Coefficients, Sparse, add_scaled, dot};
pub use counts::Counts;
pub use esdirk::{Esdirk, EsdirkScratch, Newton};
pub use explicit::ExplicitRk;
pub use stages::{StageScratch, Stages};
pub use tolerances::Tolerances;

/// Whether a step's slopes k_i are kept with its states Y_i: dense output needs them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slopes {
    /// They lie in the stages, and are kept with them.
    Kept,
    /// They lie in the scratch, and the next step overwrites them.
    Overwritten,
}

/// A method that takes one step: a pure function of the step, y_n and p.
///
/// What a step leaves for its adjoint are its [`Stages`]; to keep the step is to exchange them for
/// others. Everything else that steps and their adjoints need is scratch.
pub trait Stepper<O: Ode<S>, S: Scalar = f64>: Send + Sync {
    /// What f leaves at a stage for the derivative products there.
    type Work: Send + Sync + 'static;
    /// What a step and its adjoint need beside the stages.
    type Scratch: Send + Sync + 'static;

    /// Coefficients of the method, as published.
    fn tableau(&self) -> &Tableau;
    /// Coefficients of the method that takes this step: a function of the step alone.
    #[doc(hidden)]
    fn coefficients(&self, step: Step) -> &Coefficients<S>;
    /// Those of the most stages that a step may have.
    #[doc(hidden)]
    fn largest(&self) -> &Coefficients<S>;
    /// Fails where steps of `ode` cannot be taken.
    ///
    /// # Errors
    /// Where a setting of the method does not fit the model, or f_y is too large for it.
    fn check(&self, _ode: &O) -> Result<(), Error> {
        Ok(())
    }
    /// Room for what f leaves at each stage.
    fn stage_works(&self, ode: &O) -> Vec<Self::Work>;
    /// Bytes that these occupy.
    fn stage_work_bytes(&self, ode: &O) -> usize;
    /// Scratch for steps of `ode`, which was [`check`](Self::check)ed, whose stages have their
    /// slopes with them or not, with at most this many points inside a step.
    fn scratch(&self, ode: &O, slopes: Slopes, points: usize) -> Self::Scratch;
    /// Bytes that such scratch occupies.
    fn scratch_bytes(&self, ode: &O, slopes: Slopes, points: usize) -> usize;
    /// Slopes and bars of the stages, in the scratch.
    fn stage_scratch<'a>(&self, scratch: &'a Self::Scratch) -> &'a StageScratch<S>;
    /// What f left where the stages of the step were evaluated last.
    #[doc(hidden)]
    fn works<'a>(
        &self,
        stages: &'a Stages<S, Self::Work>,
        scratch: &'a Self::Scratch,
    ) -> &'a [O::Work];
    /// Takes `step` from `y`, which it overwrites with y_{n+1}. After a failure `y` is as before.
    fn step(
        &self,
        ode: &O,
        p: &[S],
        step: Step,
        y: &mut [S],
        taken: Taken<'_, S, O, Self>,
    ) -> Result<(), StepFailure>;
    /// Local error of the step taken, whose end is `y_next`, in the norm of `tolerances`: at most 1
    /// where the step is accepted. Not finite where f or y is not.
    fn error_norm(
        &self,
        ode: &O,
        p: &[S],
        y_next: &[S],
        tolerances: &Tolerances,
        taken: Taken<'_, S, O, Self>,
    ) -> f64;
    /// Evaluates what the dense output of the step still lacks.
    fn complete(&self, ode: &O, p: &[S], taken: Taken<'_, S, O, Self>);
    /// h times an estimate, in the norm of `tolerances`, of the largest |eigenvalue| met in the
    /// step, relative to the bound that the method's stability sets; `None` where the method has
    /// no such bound.
    fn stiffness(
        &self,
        _tolerances: &Tolerances,
        _stages: &Stages<S, Self::Work>,
        _scratch: &Self::Scratch,
    ) -> Option<f64> {
        None
    }
    /// What was counted with this scratch since it was made.
    fn counts(&self, scratch: &Self::Scratch) -> Counts {
        self.stage_scratch(scratch).counts
    }

    /// Name of the method in commands and files.
    fn name(&self) -> &'static str {
        self.tableau().name
    }
    /// Order of y_{n+1}.
    fn order(&self) -> u32 {
        self.tableau().order
    }
    /// Order of the embedded solution, where there is one.
    fn embedded_order(&self) -> Option<u32> {
        Some(self.tableau().embedded_order).filter(|&q| q > 0)
    }
    /// q of the dense output's error O(h^{q+1}).
    fn dense_order(&self) -> u32 {
        self.tableau().dense_order()
    }
    /// Whether stages are solved for, with f_y.
    fn is_implicit(&self) -> bool {
        !self.tableau().is_explicit()
    }
    /// Stages for steps of `ode`, which was [`check`](Self::check)ed.
    fn stages(&self, ode: &O, slopes: Slopes) -> Stages<S, Self::Work> {
        Stages::new(self.largest(), ode.dim(), slopes, self.stage_works(ode))
    }
    /// Bytes that these occupy.
    fn stages_bytes(&self, ode: &O, slopes: Slopes) -> usize {
        Stages::<S, Self::Work>::bytes(self.largest(), ode.dim(), slopes)
            + self.stage_work_bytes(ode)
    }
    /// Writes y(t_n + θh) of the step, which is complete, to `out`.
    fn dense(
        &self,
        theta: f64,
        stages: &Stages<S, Self::Work>,
        scratch: &Self::Scratch,
        out: &mut [S],
    ) {
        let slopes = stages.slopes(self.stage_scratch(scratch));
        self.coefficients(stages.step).dense(theta, stages.h(), (stages.y(0), slopes), out);
    }
    /// Component that is worst in the last error norm, or the first that is not finite.
    fn worst_component(
        &self,
        y_next: &[S],
        tolerances: &Tolerances,
        stages: &Stages<S, Self::Work>,
        scratch: &Self::Scratch,
    ) -> usize {
        let error = &self.stage_scratch(scratch).k_bar;
        worst(error, stages.y(0), y_next, &tolerances.atol, tolerances.rtol)
    }
}

/// A step's stages and the scratch that it is taken or reversed with.
pub struct Taken<'a, S: Scalar, O: Ode<S>, M: Stepper<O, S> + ?Sized> {
    /// What the step leaves for its adjoint.
    pub stages: &'a mut Stages<S, M::Work>,
    /// Everything else.
    pub scratch: &'a mut M::Scratch,
}

impl<S: Scalar, O: Ode<S>, M: Stepper<O, S> + ?Sized> Taken<'_, S, O, M> {
    /// The same, for a shorter time.
    pub fn reborrow(&mut self) -> Taken<'_, S, O, M> {
        Taken { stages: self.stages, scratch: self.scratch }
    }
}

/// Steps of one method, with their stages and scratch.
///
/// ```
/// use costate::ode::grid::Step;
/// use costate::model::Model;
/// use costate::method::stepper::{ExplicitRk, Steps};
/// use costate::method::tableau::TSIT5;
///
/// let decay = Model::trace(1, 1, |_t, y, p| [-&p[0] * &y[0]]).initial(|_| [1.0.into()]).build()?;
/// let tsit5: ExplicitRk = ExplicitRk::new(&TSIT5)?;
/// let mut y = [1.0];
/// let step = Step { t: 0.0, t_next: 0.1, end: 0.1 };
/// let taken = Steps::of(&tsit5, &decay).take(&[1.0], step, &mut y);
/// taken.map_err(|failure| failure.at(0, step.t))?;
/// assert!((y[0] - (-0.1_f64).exp()).abs() < 1e-9);
/// # Ok::<(), costate::Error>(())
/// ```
pub struct Steps<'a, O: Ode<S>, M: Stepper<O, S>, S: Scalar = f64> {
    stepper: &'a M,
    ode: &'a O,
    stages: Stages<S, M::Work>,
    scratch: M::Scratch,
}

impl<'a, S: Scalar, O: Ode<S>, M: Stepper<O, S>> Steps<'a, O, M, S> {
    /// Of `ode`, which was [`check`](Stepper::check)ed.
    pub fn of(stepper: &'a M, ode: &'a O) -> Self {
        let slopes = Slopes::Overwritten;
        let (stages, scratch) = (stepper.stages(ode, slopes), stepper.scratch(ode, slopes, 0));
        Steps { stepper, ode, stages, scratch }
    }

    /// Takes `step` from `y`, which it overwrites with y_{n+1}.
    ///
    /// # Errors
    /// Where stages cannot be solved for; `y` is then as before.
    pub fn take(&mut self, p: &[S], step: Step, y: &mut [S]) -> Result<(), StepFailure> {
        let Steps { stepper, ode, stages, scratch } = self;
        stepper.step(ode, p, step, y, Taken { stages, scratch })
    }

    /// The step taken last.
    pub fn taken(&mut self) -> Taken<'_, S, O, M> {
        Taken { stages: &mut self.stages, scratch: &mut self.scratch }
    }

    /// Writes y(t_n + θh) of the step taken last to `out`.
    pub fn dense(&mut self, p: &[S], theta: f64, out: &mut [S]) {
        let Steps { stepper, ode, stages, scratch } = self;
        stepper.complete(ode, p, Taken { stages, scratch });
        stepper.dense(theta, stages, scratch, out);
    }

    /// What was counted since they were made.
    pub fn counts(&self) -> Counts {
        self.stepper.counts(&self.scratch)
    }
}

/// Derivatives of J that an adjoint step updates.
pub struct StepBars<'a, S> {
    /// dJ/dy_{n+1} on entry, dJ/dy_n on return (d).
    pub lambda: &'a mut [S],
    /// dJ/dp is added here (m).
    pub p_bar: &'a mut [S],
    /// dJ/dt_{n+1} at fixed t_n is added here, where it is asked for.
    pub t_next_bar: Option<&'a mut S>,
}

/// A method with an adjoint.
pub trait AdjointStepper<O: Vjp<S>, S: Scalar = f64>: Stepper<O, S> {
    /// Bars of the stages, to which the running cost's derivatives are added before
    /// [`step_adjoint`](Self::step_adjoint); none where the adjoint integrates that cost itself.
    fn stage_bars<'a>(&self, scratch: &'a mut Self::Scratch) -> Option<&'a mut StageScratch<S>>;
    /// Adds the seed `w` = dJ/dy(t_n + θh) of a point inside the step, before
    /// [`step_adjoint`](Self::step_adjoint), and to dJ/dt_{n+1} what comes of θ.
    fn seed(&self, theta: f64, w: &[S], taken: Taken<'_, S, O, Self>, t_next_bar: Option<&mut S>);
    /// Applies the adjoint of the step, with the seeds given.
    fn step_adjoint(
        &self,
        ode: &O,
        p: &[S],
        taken: Taken<'_, S, O, Self>,
        bars: StepBars<'_, S>,
    ) -> Result<(), StepFailure>;
}

/// A method with a tangent: for the dot-product test and for forward sensitivities.
pub trait TangentStepper<O: Jvp<S>, S: Scalar = f64>: Stepper<O, S> {
    /// Overwrites `y_dot` with (∂y_{n+1}/∂y_n) `y_dot` + (∂y_{n+1}/∂p) `p_dot` for the step taken.
    fn step_tangent(
        &self,
        ode: &O,
        p: &[S],
        p_dot: &[S],
        taken: Taken<'_, S, O, Self>,
        y_dot: &mut [S],
    ) -> Result<(), StepFailure>;
}
