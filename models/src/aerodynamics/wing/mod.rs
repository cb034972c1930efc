//! An aerofoil that pitches and plunges in a compressible stream.
//!
//! The Euler equations in two dimensions ([`euler`](super::euler)) on rings of cells around a NACA
//! section of four digits with Hicks–Henne bumps ([`section`], [`ogrid`]), which moves as a
//! rigid body ([`motion`]):
//!
//! y' = f(t, y, p), y = (ρ of all cells, ρu of all, ρv of all, ρE of all), cells ring by ring from
//! the section outward, in each ring anticlockwise from the trailing edge.
//!
//! | symbol | meaning | value | unit |
//! |---|---|---|---|
//! | M | Mach number of the stream, along x | 0.1 … 0.9 | – |
//! | α, A | mean angle of attack, amplitude of pitching about the quarter chord | | rad |
//! | k = ωc/2U | reduced frequency | 0.05 … 0.5 | – |
//! | H | amplitude of plunging | | c |
//! | t, m, P | thickness, camber and its place | 0.12, 0.02, 0.4 | c |
//! | a₁ … a₁₁, twice | heights of the bumps on both surfaces | 0 | c |
//! | γ | ratio of specific heats | 1.4 | – |
//! | c, ρ∞, a∞ | chord, density and velocity of sound of the stream | 1 | units of length, density, velocity |
//!
//! Sources: those of the parts; as an unsteady case, R. H. Landon in AGARD-R-702 (1982).
//!
//! Stresses: states and steps in numbers that no trajectory of which fits into memory; parameters
//! that enter through every face of a grid.
//!
//! Known answer: NACA 0012 at M = 0.63, α = 2° has lift 0.33 and no drag (R. C. Lock, Test cases for
//! numerical methods in two-dimensional transonic flows, AGARD-R-575 (1970)).
//!
//! | cells, far field at 50 chords | lift | drag |
//! |---|---|---|
//! | 64 × 16 | 0.3214 | 0.00603 |
//! | 128 × 32 | 0.3271 | 0.00124 |
//! | 256 × 64 | 0.3291 | 0.00033 |
//!
//! At M = 0.8, α = 1.25°, with shocks, 256 × 64 cells give lift 0.349 and drag 0.0226, where the codes
//! of AGARD-AR-211 (1985) have 0.35 to 0.37 and 0.022 to 0.024. Slow pitching
//! at M = ½ is that of linear theory ([`slow_pitching`](super::checks::slow_pitching)) to 1 or 2 % for
//! k = 0.05, 0.02 and 0.01.
//!
//! On 128 × 32 cells the lift with the far field at 25, 50 and 100 chords is 0.3237, 0.3271 and
//! 0.3283, so that a vortex at the far field is not needed from 50 chords on.
//!
//! Long time steps are taken by implicit methods, with the sparse Jacobian of a cell by the nine
//! cells that its slopes reach. Steps of 37 times the longest explicit one give the lift to 1e-7
//! (`models/tests/flow/wing_implicit.rs`). On 64 × 16 cells a step of a 24th of a period at k = 0.02 takes 123 ms,
//! the 3230 explicit ones in its place 289 ms (`benches/wing.rs`): it pays where the flow changes slowly.
//!
//! # How it is fast
//!
//! Every variable is an array, cells of a ring side by side, and a ring of faces is a loop over
//! groups of eight whose body is straight arithmetic: the entropy fix is a selection, the limiter has
//! no branch. One sweep over the rings does everything, so that a ring is loaded once. The grid is
//! kept as long as the shape stays; the adjoint's derivatives by faces go to the corners ring by
//! ring and from those to the shape by one product with precomputed conjugates, 5 % of its time.
//! With 24 576 cells, on one core with AVX-512: 457 operations and 232 bytes a cell, 18 ns for the
//! rates, which is 0.4 of what the vector units do (59 GFlop/s) and 0.1 of what the memory does;
//! 53 ns for the adjoint.
//!
//! Two cores share an evaluation ([`Wing::on_cores`]), the inner half of the rings and the outer one:
//! 1.67 times faster, the adjoint too, of which two workers ([`costate::schedule::TwoProcessor`]) leave all to
//! one of them.

mod check;
mod error;
mod forces;
mod jacobian;
pub mod motion;
mod objective;
pub mod ogrid;
pub mod parameters;
pub mod section;
mod stability;
mod start;
mod tangent;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use costate::numbers::linalg::{Matrix, Structure};
use costate::ode::{At, Bars, Ode, Rows, Vjp};
use multiversion::multiversion;

pub use error::WingError;
pub use forces::Coefficients;
use jacobian::Layout;
pub use objective::Mean;
use ogrid::{Grid, Rings};
use parameters::{MACH, NUM_PARAMS, NUM_SHAPE, SHAPE};
pub use stability::courant;

use super::euler::{Bands, FrameBar, Inner, LANES, NodesBar, gas};

/// The model: 4 states a cell, [`NUM_PARAMS`] parameters.
///
/// The grid of the shape met last is kept and shared by all who evaluate the model, so that only
/// another shape costs another grid. Where the grid of a shape is folded the rates are not numbers;
/// [`check`](Wing::check) says where and what to try.
///
/// ```
/// use costate::ode::{At, Ode};
/// use costate_models::aerodynamics::wing::{Wing, parameters};
///
/// let wing = Wing::new(32, 8, 20.0)?;
/// let p = parameters::symmetric(0.5, 0.0, 0.12);
/// wing.check(&p)?;
/// let (y, mut dy) = (wing.free_stream(&p), vec![0.0; wing.dim()]);
/// wing.rhs(At { t: 0.0, y: &y, p: &p }, &mut dy, &mut wing.work());
/// // The stream meets the section, whose upper and lower surface are alike.
/// assert!(wing.coefficients(0.0, &y, &p).lift.abs() < 1e-12);
/// # Ok::<(), costate_models::aerodynamics::wing::WingError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Wing {
    rings: Rings,
    latest: Arc<Mutex<Option<Arc<Grid>>>>,
    /// Made where an implicit method asks for it.
    layout: Arc<OnceLock<Layout>>,
    cores: usize,
}

/// Scratch of the rates and of their derivative.
#[derive(Clone, Debug)]
pub struct Work {
    grid: Option<Arc<Grid>>,
    bands: Bands,
    shapes: [ShapeBar; 2],
}

/// What takes the derivatives by the corners of a band to those by the shape.
#[derive(Clone, Debug)]
struct ShapeBar {
    rows: [Vec<f64>; 2],
    bar: [f64; NUM_SHAPE],
}

impl Wing {
    /// A section with `around` cells around it and `rings` rings of cells out to `radius` chords.
    ///
    /// # Errors
    /// Where `around` is no multiple of 8, or there are fewer than 2 rings or 2 chords.
    pub fn new(around: usize, rings: usize, radius: f64) -> Result<Self, WingError> {
        let fits = around > 0 && around.is_multiple_of(LANES) && rings >= 2 && radius >= 2.0;
        if !fits || !radius.is_finite() {
            return Err(WingError::Rings { around, rings, radius });
        }
        let rings = Rings { around, rings, radius };
        Ok(Wing { rings, latest: Arc::default(), layout: Arc::default(), cores: 1 })
    }

    /// Works on each evaluation with this many cores, of which two are of use, where there are 4096
    /// cells or more. The second one is one of rayon's threads: a run is best put into a pool of two by
    /// `ThreadPool::install`. The bits are the same.
    pub fn on_cores(self, cores: usize) -> Self {
        Wing { cores, ..self }
    }

    /// Cells around the section, and rings.
    pub fn size(&self) -> (usize, usize) {
        (self.rings.around, self.rings.rings)
    }

    /// The grid of the shape in p.
    pub fn grid(&self, p: &[f64]) -> Arc<Grid> {
        let shape = shape(p);
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        match &*latest {
            Some(grid) if same_shape(grid, &shape) => Arc::clone(grid),
            _ => Arc::clone(latest.insert(Arc::new(Grid::new(&self.rings, shape)))),
        }
    }

    /// The undisturbed stream, to start a run from.
    pub fn free_stream(&self, p: &[f64]) -> Vec<f64> {
        let cells = self.rings.around * self.rings.rings;
        let stream = gas::conserved([1.0, p[MACH], 0.0, 1.0 / gas::GAMMA]);
        stream.into_iter().flat_map(|value| std::iter::repeat_n(value, cells)).collect()
    }

    /// Lift, drag and moment of the flow y.
    pub fn coefficients(&self, t: f64, y: &[f64], p: &[f64]) -> Coefficients {
        forces::coefficients(&self.grid(p), At { t, y, p })
    }

    /// c_p = 2(p − p∞)/(ρ∞U²) of the flow y on the section's edges, anticlockwise from the trailing
    /// edge; edge i goes from corner i to corner i + 1 of the [`grid`](Wing::grid).
    pub fn wall_pressure(&self, y: &[f64], p: &[f64]) -> Vec<f64> {
        forces::pressure_coefficients(&self.grid(p), y, p)
    }
}

fn shape(p: &[f64]) -> [f64; NUM_SHAPE] {
    *p[SHAPE].first_chunk().expect("p has all parameters")
}

fn same_shape(grid: &Grid, shape: &[f64; NUM_SHAPE]) -> bool {
    grid.shape.iter().zip(shape).all(|(a, b)| a.to_bits() == b.to_bits())
}

/// The grid of the shape in p, from `kept` where it is the same as before.
fn kept_grid(kept: &mut Option<Arc<Grid>>, wing: &Wing, p: &[f64]) -> Arc<Grid> {
    match kept {
        Some(grid) if same_shape(grid, &shape(p)) => Arc::clone(grid),
        _ => Arc::clone(kept.insert(wing.grid(p))),
    }
}

impl Ode for Wing {
    type Work = Work;

    fn dim(&self) -> usize {
        4 * self.rings.around * self.rings.rings
    }

    fn num_params(&self) -> usize {
        NUM_PARAMS
    }

    fn work(&self) -> Work {
        let (ni, nj) = self.size();
        let row = || vec![0.0; ni + 1];
        let shape = || ShapeBar { rows: [row(), row()], bar: [0.0; NUM_SHAPE] };
        Work { grid: None, bands: Bands::new(ni, nj), shapes: [shape(), shape()] }
    }

    fn work_bytes(&self) -> usize {
        let Work { bands, shapes, .. } = self.work();
        let rows = shapes.iter().flat_map(|shape| &shape.rows);
        size_of::<Work>() + bands.bytes() + 8 * rows.map(Vec::len).sum::<usize>()
    }

    fn rhs(&self, At { t, y, p }: At<'_>, dy: &mut [f64], work: &mut Work) {
        let grid = kept_grid(&mut work.grid, self, p);
        if grid.folded {
            dy.fill(f64::NAN);
            return;
        }
        let frame = motion::frame(t, p);
        work.bands.rates(self.cores, &grid.metrics, Inner::Wall, &frame, y, dy);
    }
}

impl Vjp for Wing {
    fn vjp(
        &self,
        At { t, p, .. }: At<'_>,
        w: &[f64],
        Bars { y: y_bar, p: p_bar, t: t_bar }: Bars<'_>,
        work: &mut Work,
    ) {
        let grid = kept_grid(&mut work.grid, self, p);
        let (frame, mut frame_bar) = (motion::frame(t, p), FrameBar::default());
        let Work { bands, shapes, .. } = work;
        let (cores, metrics, inner) = (self.cores, &grid.metrics, Inner::Wall);
        let by_corners = |nodes: &NodesBar, shape: &mut ShapeBar| {
            shape.bar.fill(0.0);
            nodes_vjp(&grid, nodes, &mut shape.rows, &mut shape.bar);
        };
        #[rustfmt::skip]
        bands.rates_vjp(
            cores, metrics, inner, &frame, w, y_bar, &mut frame_bar, shapes, by_corners,
        );
        for shape in shapes {
            p_bar[SHAPE].iter_mut().zip(&shape.bar).for_each(|(sum, bar)| *sum += bar);
        }
        motion::frame_vjp(t, p, &frame_bar, p_bar, t_bar);
    }

    fn structure(&self) -> Structure {
        self.pattern()
    }

    fn jacobian(&self, At { t, y, p }: At<'_>, jac: &mut Matrix, _: Rows<'_>, work: &mut Work) {
        self.write_jacobian(t, y, p, jac, work);
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq", "x86_64+avx2+fma", "aarch64+neon"))]
fn nodes_vjp(grid: &Grid, nodes: &NodesBar, rows: &mut [Vec<f64>; 2], shape_bar: &mut [f64]) {
    grid.nodes_vjp(nodes, rows, shape_bar);
}
