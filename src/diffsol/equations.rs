//! What diffsol's equations must offer.

use ::diffsol::op::nonlinear_op::NonLinearOpJacobian;
use ::diffsol::{
    ConstantOpSensAdjoint, NalgebraContext, NalgebraMat, NalgebraVec, NonLinearOpAdjoint,
    NonLinearOpSensAdjoint, OdeEquations,
};

/// diffsol equations over dense nalgebra vectors of `f64`.
pub trait Equations:
    OdeEquations<M = NalgebraMat<f64>, V = NalgebraVec<f64>, T = f64, C = NalgebraContext> + Send
{
}

impl<E> Equations for E where
    E: OdeEquations<M = NalgebraMat<f64>, V = NalgebraVec<f64>, T = f64, C = NalgebraContext>
        + Send
{
}

/// [`Equations`] with products f_y v: `rhs_implicit` or `rhs_adjoint_implicit` of diffsol's
/// builder.
pub trait ImplicitEquations:
    Equations
    + OdeEquations<Rhs: NonLinearOpJacobian<M = Self::M, V = Self::V, T = Self::T, C = Self::C>>
{
}

impl<E> ImplicitEquations for E where
    E: Equations
        + OdeEquations<
            Rhs: NonLinearOpJacobian<
                M = NalgebraMat<f64>,
                V = NalgebraVec<f64>,
                T = f64,
                C = NalgebraContext,
            >,
        >
{
}

/// [`ImplicitEquations`] with transposed products of the rates and of the initial state:
/// `rhs_adjoint_implicit` and `init_adjoint` of diffsol's builder.
pub trait AdjointEquations:
    ImplicitEquations
    + OdeEquations<
        Rhs: NonLinearOpAdjoint<M = Self::M, V = Self::V, T = Self::T, C = Self::C>
                 + NonLinearOpSensAdjoint<M = Self::M, V = Self::V, T = Self::T, C = Self::C>,
        Init: ConstantOpSensAdjoint<M = Self::M, V = Self::V, T = Self::T, C = Self::C>,
    >
{
}

impl<E> AdjointEquations for E where
    E: ImplicitEquations
        + OdeEquations<
            Rhs: NonLinearOpAdjoint<M = E::M, V = E::V, T = E::T, C = E::C>
                     + NonLinearOpSensAdjoint<M = E::M, V = E::V, T = E::T, C = E::C>,
            Init: ConstantOpSensAdjoint<M = E::M, V = E::V, T = E::T, C = E::C>,
        >
{
}
