//! What is wrong with a table of Butcher coefficients.

use thiserror::Error;

/// A tableau that its family of methods cannot use: which, at which stage, and why. Stages are
/// counted from 1, as in papers.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the messages say what the fields are")]
pub enum TableauError {
    /// No stage at all.
    #[error("the tableau {name} has no stages: give at least one weight b")]
    NoStages { name: &'static str },
    /// More stages than a step has room for.
    #[error(
        "the tableau {name} has {stages} stages, those of its dense output included: at most {limit} can be used"
    )]
    TooManyStages { name: &'static str, stages: usize, limit: usize },
    /// A list of another length than the number of stages.
    #[error("the tableau {name} has {given} numbers in {what}: its stages need {required}")]
    Length { name: &'static str, what: &'static str, given: usize, required: usize },
    /// A row of a of another length than its stage.
    #[error(
        "the tableau {name} has {given} coefficients in row {stage} of a: stage {stage} needs {required}"
    )]
    Row { name: &'static str, stage: usize, given: usize, required: usize },
    /// A coefficient that is infinite or NaN.
    #[error("the tableau {name} has {value} in {what}: coefficients must be finite")]
    NotFinite { name: &'static str, what: &'static str, value: f64 },
    /// A stage that depends on itself or later ones, in an explicit method.
    #[error(
        "the tableau {name} is not explicit: stage {stage} depends on itself or on later ones; \
         take Esdirk::new for a diagonally implicit method"
    )]
    NotExplicit { name: &'static str, stage: usize },
    /// No stage is implicit.
    #[error("the tableau {name} is explicit: take ExplicitRk::new")]
    NotImplicit { name: &'static str },
    /// A first stage that is not f(t_n, y_n).
    #[error(
        "the tableau {name} has an implicit first stage: an ESDIRK method's first row is a single 0"
    )]
    ImplicitFirstStage { name: &'static str },
    /// Diagonals that differ, or are not positive.
    #[error(
        "the tableau {name} has {given} on the diagonal of stage {stage}, and {gamma} on the last: \
         an ESDIRK method has one positive gamma in all stages but the first"
    )]
    Gamma { name: &'static str, stage: usize, given: f64, gamma: f64 },
    /// A last stage that is not y_{n+1}.
    #[error(
        "the tableau {name} is not stiffly accurate: its last row of a, stage {stage}, must be b, \
         with c = 1"
    )]
    NotStifflyAccurate { name: &'static str, stage: usize },
    /// An abscissa that is not its row's sum.
    #[error("the tableau {name} has c = {c} at stage {stage}, whose row of a sums to {sum}")]
    RowSum { name: &'static str, stage: usize, c: f64, sum: f64 },
    /// Weights that do not have the order that is claimed.
    #[error(
        "the tableau {name} claims order {order} for {what}, but the sum of its weights times \
         c^{power} is {sum} instead of {required}"
    )]
    Order {
        name: &'static str,
        what: &'static str,
        order: u32,
        power: i32,
        sum: f64,
        required: f64,
    },
    /// An order of 0, or above what any sum can show.
    #[error(
        "the tableau {name} claims order {order} for {what}: it must be from {least} to {most}"
    )]
    OrderRange { name: &'static str, what: &'static str, order: u32, least: u32, most: u32 },
    /// An embedded order with no weights to estimate an error by, or the other way round.
    #[error(
        "the tableau {name} has an embedded order of {order} and {weights} error weights: give \
         both or neither"
    )]
    Embedded { name: &'static str, order: u32, weights: usize },
    /// A dense output that does not end in y_{n+1}.
    #[error(
        "the dense output of the tableau {name} has the weight {weight} for stage {stage} at the \
         end of the step, where y_{{n+1}} has {required}"
    )]
    DenseEnd { name: &'static str, stage: usize, weight: f64, required: f64 },
}
