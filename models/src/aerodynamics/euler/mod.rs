//! The Euler equations of a perfect gas in the plane, by finite volumes of second order on grids
//! of quadrilaterals that move as a rigid body.
//!
//! V dU/dt = −Σ_faces s F(W_l, W_r; n, w),  U = (ρ, ρu, ρv, ρE),
//!
//! with Roe's flux ([`roe`]), van Albada's slopes of the primitive variables (ρ, u, v, p) from cell
//! to cell ([`limiter`]), a far field by characteristics ([`far_field`]), and a wall that the flow
//! slips along, whose flux is the pressure extrapolated linearly from two cells. Momentum is that
//! along axes that do not turn; velocities are turned to the body's axes first, where normals and
//! areas stay what they are. w = V·n + Ω g is the exact mean of the face's velocity, so that a
//! uniform flow stays to rounding however the grid moves.
//!
//! All of it is a differentiable function but for single points: the largest derivative that jumps
//! is the second one of Harten's |λ|.
//!
//! Units: density and velocity of sound of the free stream, and a length.

mod bands;
mod cells_vjp;
mod complex;
mod coupling;
mod dual;
mod faces_vjp;
pub mod far_field;
mod frame;
pub mod gas;
mod kernels;
pub mod limiter;
mod metrics;
mod number;
mod residual;
mod residual_jacobian;
mod residual_vjp;
pub mod roe;
mod rows;
mod scratch;

pub use bands::Bands;
pub use complex::Complex;
pub use coupling::Coupling;
pub use dual::Dual;
pub use frame::{Frame, FrameBar};
pub use kernels::rates;
pub use metrics::{Faces, Metrics, NodesBar};
pub use number::Number;
pub use residual::residual;
pub use residual_jacobian::residual_jacobian;
pub use rows::LANES;
pub use scratch::Scratch;
use scratch::ScratchBar;

/// What the grid's first row of cells borders on; the last row borders on the far field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inner {
    /// A wall that the flow slips along.
    Wall,
    /// The free stream, too.
    FarField,
}
