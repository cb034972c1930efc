//! Why a solve stopped: step, time, component, and what to try.

mod matrix;
mod need;
mod schedule;
mod tableau;
mod text;
mod expr;
mod table;
mod model;

pub use expr::{ParseError, ParseProblem, Position};
pub use matrix::MatrixError;
pub use model::ModelError;
pub use need::Need;
pub use schedule::ScheduleError;
pub use table::TableError;
pub use tableau::TableauError;
pub use text::{LONGEST_NAME, number, printable, shown};

/// Why [`gradient`](crate::adjoint::gradient), [`Solver`](crate::method::solve::Solver) and what they are
/// made of stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the messages say what the fields are")]
pub enum Error {
    /// A state, an error estimate or the objective became infinite or NaN.
    #[error(
        "state {component} is not finite in step {step} at t = {t}: the solution blows up or the \
         model is undefined there; end the run earlier, or check the parameters",
        t = number(.t)
    )]
    NotFinite { step: usize, t: f64, component: usize },
    /// The objective's value is infinite or NaN.
    #[error(
        "the objective is not finite in step {step}, at or before t = {t}: check its expression \
         and data",
        t = number(.t)
    )]
    ObjectiveNotFinite { step: usize, t: f64 },
    /// A derivative is infinite or NaN although the objective is not.
    #[error(
        "the derivative by {what} {index} is not finite: the model or the objective is not \
         differentiable at the states it meets"
    )]
    GradientNotFinite { what: &'static str, index: usize },
    /// Error control asked for steps that the time cannot resolve.
    #[error(
        "the step size fell to {h} in step {step} at t = {t} (worst: state {component}): the \
         solution blows up or is not smooth there; end the run earlier{}",
        if *.implicit { " or loosen the tolerances" } else {
            ", loosen the tolerances, or take an implicit method such as kvaerno5"
        },
        t = number(.t), h = number(.h)
    )]
    StepSizeTooSmall { step: usize, t: f64, h: f64, component: usize, implicit: bool },
    /// The limit on steps was reached.
    #[error(
        "{steps} steps did not reach the end: the run stopped at t = {t} of {end}; {}",
        step_limit_advice(*.stiff), t = number(.t), end = number(.end)
    )]
    StepLimit { steps: usize, t: f64, end: f64, stiff: bool },
    /// An explicit method met stiffness and was to stop there.
    #[error("the run is stiff at t = {t}, after {steps} steps: take an implicit method", t = number(.t))]
    Stiff { steps: u64, t: f64 },
    /// Newton's iteration of an implicit stage did not converge where it must.
    #[error(
        "Newton's iteration did not converge in step {step} at t = {t}: take shorter steps, or an \
         adaptive grid",
        t = number(.t)
    )]
    NewtonFailed { step: usize, t: f64 },
    /// Error control of the continuous adjoint gave up.
    #[error(
        "the continuous adjoint could not be integrated back over step {step} from t = {t}: \
         loosen the tolerances, or take another method or the discrete adjoint",
        t = number(.t)
    )]
    AdjointFailed { step: usize, t: f64 },
    /// I − hγJ has no inverse.
    #[error(
        "I - h*gamma*J is singular (column {column}) in step {step} at t = {t}: check the \
         Jacobian there, or change the step size",
        t = number(.t)
    )]
    SingularMatrix { step: usize, t: f64, column: usize },
    /// A Jacobian that is too large to be dense.
    #[error(
        "{}f_y of {dim} states is too large for a dense matrix, which is taken for up to {most} states: \
         give its structure, banded or sparse, in Vjp::structure, or name an explicit method such as \
         tsit5",
        if *.stiff { "the problem is stiff, and " } else { "" }
    )]
    DenseJacobian { dim: usize, most: usize, stiff: bool },
    /// A time span that does not go forward.
    #[error(
        "the time span [{start}, {end}] does not go forward: its end must come after its start",
        start = number(.start), end = number(.end)
    )]
    BadSpan { start: f64, end: f64 },
    /// A parameter that is infinite or NaN.
    #[error("parameter {index} is {value}: it must be a finite number", value = number(.value))]
    ParameterNotFinite { index: usize, value: f64 },
    /// A hand-written derivative that does not add to what its bars hold.
    #[error(
        "{what} does not add to the bar of {by} {index}: it leaves {found:e} where {before:e} was \
         to be added to; write += in place of ="
    )]
    NotAdded { what: &'static str, by: &'static str, index: usize, before: f64, found: f64 },
    /// A hand-written Jacobian that is not the one whose transposed products are taken.
    #[error(
        "jacobian and vjp differ at t = {t} by state {index}: f_y^T w is {by_jacobian:e} by the \
         one and {by_products:e} by the other; compare each with differences, by verify::jacobian \
         and verify::vjp"
    )]
    JacobianNotOfVjp { t: f64, index: usize, by_jacobian: f64, by_products: f64 },
    /// A method that is not there.
    #[error("there is no method {}: take one of {known}", shown(.name))]
    UnknownMethod { name: String, known: String },
    /// Error control with a method that cannot estimate its error.
    #[error(
        "{method} has no error estimate to control steps by: give a number of fixed steps, or \
         take another method, such as tsit5"
    )]
    NoErrorEstimate { method: &'static str },
    /// A Jacobian of a structure that it cannot have.
    #[error(transparent)]
    Matrix(#[from] MatrixError),
    /// A method whose coefficients cannot be used.
    #[error(transparent)]
    Tableau(#[from] TableauError),
    /// A setting that cannot be used.
    #[error("{what} is {given}: it must be {required}")]
    BadSetting { what: &'static str, given: String, required: &'static str },
    /// A vector of another length than the model's.
    #[error("{what} has {given} entries: the model has {required}")]
    WrongLength { what: &'static str, given: usize, required: usize },
    /// An observation that no step will meet.
    #[error(
        "observation {index} at t = {time} lies outside the time span [{start}, {end}]: drop it, \
         or lengthen the span",
        time = number(.time), start = number(.start), end = number(.end)
    )]
    ObservationOutside { index: usize, time: f64, start: f64, end: f64 },
    /// Point terms that are not in ascending order of time.
    #[error(
        "observation {index} at t = {time} comes before the one ahead of it: sort by time",
        time = number(.time)
    )]
    ObservationsUnsorted { index: usize, time: f64 },
    /// A member of an ensemble failed.
    #[error("member {index} of the ensemble: {source}")]
    Member { index: usize, source: Box<Error> },
    /// A snapshot could not be kept or was not what had been kept.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// A run that cannot be noted or gone on with.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A model that cannot be read or built.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A schedule that cannot be made or followed.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// More memory was needed than the budget allows.
    #[error("the budget of {budget} bytes is too small: give at least {need}")]
    OverBudget { budget: u64, need: Need },
    /// The times of the steps take more memory than is left for them.
    #[error("the times of the steps take more than {bytes} bytes: give more memory")]
    TimesFull { bytes: usize },
    /// The gradient was told to stop on its way.
    #[error("the gradient was stopped: it can be resumed from where it stands")]
    Stopped,
}

/// Why one attempted step failed; the step-size control tries a shorter one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StepFailure {
    /// Newton's iteration diverged or was too slow.
    Newton,
    /// I − hγJ is singular.
    Singular {
        /// The column without a pivot.
        column: usize,
    },
    /// The continuous adjoint could not be integrated over the step.
    Backward,
}

impl StepFailure {
    /// The error to give where no shorter step may be tried.
    pub fn at(self, step: usize, t: f64) -> Error {
        match self {
            StepFailure::Newton => Error::NewtonFailed { step, t },
            StepFailure::Backward => Error::AdjointFailed { step, t },
            StepFailure::Singular { column } => Error::SingularMatrix { step, t, column },
        }
    }
}

/// Why a snapshot could not be kept, or is not what was kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the messages say what the fields are")]
pub enum SnapshotError {
    /// The slot holds nothing or another step's state.
    #[error("slot {slot} was asked for step {step} and holds {}", held(.found))]
    WrongStep { slot: usize, step: usize, found: Option<usize> },
    /// A slot whose number is far beyond those in use.
    #[error("slot {slot} is far beyond the {slots} known: number slots from 0 upwards")]
    FarSlot { slot: usize, slots: usize },
    /// The slot holds a state of another length.
    #[error("slot {slot} was asked for {given} numbers and holds {kept}")]
    WrongLength { slot: usize, given: usize, kept: usize },
    /// The file system refused.
    #[error("{path}: {source}; give a directory that can be written and has room")]
    Io { path: String, source: std::io::Error },
    /// The files would take more than they may.
    #[error(
        "the next snapshot brings the files to {needed} bytes of the {budget} that they may take: \
         raise the disk budget, or keep fewer snapshots"
    )]
    DiskBudget { needed: usize, budget: usize },
    /// The file is shorter or longer than what was written.
    #[error(
        "{path}: the snapshot has {found} bytes instead of {expected}: it was torn or replaced; \
         run the gradient again"
    )]
    Length { path: String, expected: usize, found: usize },
    /// The file's bytes are not those that were written.
    #[error(
        "{path}: {what}: the file was damaged or is not this run's; remove it and resume, or run \
         the gradient again"
    )]
    Damaged { path: String, what: &'static str },
}

/// Why a run cannot be noted in a directory, or gone on with from there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the messages say what the fields are")]
pub enum JournalError {
    /// The file system refused.
    #[error("{path}: {source}; give a directory that can be written and has room, then resume")]
    Io { path: String, source: std::io::Error },
    /// A file is not what was written.
    #[error(
        "{path}: {what}: the file was damaged; remove the directory and run the gradient again"
    )]
    Damaged { path: String, what: &'static str },
    /// There are only runs of other problems.
    #[error(
        "{directory} holds no unfinished run of this problem, but {others}: give the same model, \
         parameters and tolerances, or another directory"
    )]
    Other { directory: String, others: String },
    /// The numbers are another model's.
    #[error("the noted position does not fit the model: give the model that the run was of")]
    DoesNotFit,
    /// The run was by another method.
    #[error("the run was by {kept}, not {given}: resume it with the method {kept}")]
    OtherMethod { given: &'static str, kept: String },
    /// The run's process is alive.
    #[error("{directory}: the run is still going on: wait for it, or stop its process first")]
    Busy { directory: String },
}

fn step_limit_advice(stiff: bool) -> &'static str {
    if stiff {
        "the problem is stiff: take an implicit method such as kvaerno5"
    } else {
        "loosen the tolerances, raise the step limit, or end the run earlier"
    }
}

fn state(current: &Option<usize>) -> String {
    current.map_or_else(|| "no state".into(), |n| format!("y_{n}"))
}

fn held(found: &Option<usize>) -> String {
    found.map_or_else(|| "nothing".into(), |step| format!("step {step}"))
}

/// Fails where a model has no states.
pub(crate) fn check_dim(dim: usize) -> Result<(), Error> {
    let (what, given) = ("the number of states", dim.to_string());
    if dim > 0 { Ok(()) } else { Err(Error::BadSetting { what, given, required: "at least 1" }) }
}

/// Fails unless `given` numbers are what the model has.
pub(crate) fn check_length(what: &'static str, given: usize, required: usize) -> Result<(), Error> {
    if given == required { Ok(()) } else { Err(Error::WrongLength { what, given, required }) }
}
