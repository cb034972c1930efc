//! A grid of rings around the section.
//!
//! Joukowski's map about the trailing edge and a point z₀ in the nose, z = z_m + c cosh W with
//! z_m ± c = 1, z₀, takes the section to a nearly straight line Re W ≈ 0, 0 ≤ Im W ≤ 2π. With the
//! section's points at W_i, corner (i, j) is
//!
//! z_ij = z_m + c cosh W_ij,  W_ij = (1 − σ_j) W_i + σ_j (ln 4R + iφ_i),  φ_i = u + ½ sin u,
//! u = 2πi/n,
//!
//! from the section (j = 0) to a circle of radius R chords. σ_j grows exponentially, so that cells
//! are about as high as wide at the section; φ_i makes them larger at the trailing edge, where the
//! smallest one limits the step, and smaller at the nose. z_ij is an analytic function of the W_i and of z₀,
//! so that its transposed derivative is a product with conjugates.

use std::f64::consts::PI;

use super::parameters::NUM_SHAPE;
use super::section::{nose, surface};
use crate::aerodynamics::euler::{Complex, Dual, Metrics, NodesBar, Number};

/// The stretching e^β from the section to the far field.
const STRETCHING: f64 = 2.0;

/// The centre of rotation: a quarter of the chord behind the leading edge.
pub const CENTRE: f64 = 0.25;

/// How many cells there are, and how far the far field is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rings {
    /// Cells around the section.
    pub around: usize,
    /// Rings of cells.
    pub rings: usize,
    /// R, in chords.
    pub radius: f64,
}

impl Rings {
    fn phi(&self, i: usize) -> f64 {
        let uniform = 2.0 * PI * i as f64 / self.around as f64;
        uniform + 0.5 * uniform.sin()
    }

    /// σ_j
    fn sigma(&self, j: usize) -> f64 {
        (STRETCHING * j as f64 / self.rings as f64).exp_m1() / STRETCHING.exp_m1()
    }

    /// The corners, relative to the centre of rotation.
    pub fn nodes<R: Number>(&self, shape: &[R]) -> Vec<Complex<R>> {
        let map = Map::new(nose(shape));
        let points: Vec<_> = (0..=self.around).map(|i| self.surface(shape, i)).collect();
        let w: Vec<_> = points.iter().enumerate().map(|(i, &z)| self.inverse(&map, z, i)).collect();
        let centre = Complex::of(CENTRE, 0.0);
        let mut nodes = Vec::with_capacity((self.around + 1) * (self.rings + 1));
        nodes.extend(points.iter().map(|&z| z - centre));
        for j in 1..=self.rings {
            nodes.extend((0..=self.around).map(|i| {
                let (cosh, _) = self.between(w[i], i, j).cosh_sinh();
                map.middle + map.c * cosh - centre
            }));
        }
        nodes
    }

    /// The section's point i.
    fn surface<R: Number>(&self, shape: &[R], i: usize) -> Complex<R> {
        if i.is_multiple_of(self.around) {
            return Complex::of(1.0, 0.0);
        }
        surface(shape, self.phi(i))
    }

    /// W_i of the section's point z.
    fn inverse<R: Number>(&self, map: &Map<R>, z: Complex<R>, i: usize) -> Complex<R> {
        if i.is_multiple_of(self.around) {
            return Complex::of(0.0, self.phi(i));
        }
        map.inverse(z, self.phi(i))
    }

    /// W_ij
    fn between<R: Number>(&self, w: Complex<R>, i: usize, j: usize) -> Complex<R> {
        let sigma = self.sigma(j);
        let far = Complex::of(sigma * (4.0 * self.radius).ln(), sigma * self.phi(i));
        w.scale(R::of(1.0 - sigma)) + far
    }
}

/// z = z_m + c cosh W
struct Map<R> {
    nose: Complex<R>,
    middle: Complex<R>,
    c: Complex<R>,
}

impl<R: Number> Map<R> {
    fn new(nose: Complex<R>) -> Self {
        let (tail, half) = (Complex::of(1.0, 0.0), R::of(0.5));
        Map { nose, middle: (tail + nose).scale(half), c: (tail - nose).scale(half) }
    }

    /// The W of z whose imaginary part is near φ.
    fn inverse(&self, z: Complex<R>, phi: f64) -> Complex<R> {
        // Z = cosh W, Z ∓ 1 without cancellation.
        let less = (z - Complex::of(1.0, 0.0)) / self.c;
        let more = (z - self.nose) / self.c;
        let cosh = (less + more).scale(R::of(0.5));
        let sinh = less.sqrt() * more.sqrt();
        let (one, other) = (self.branch(cosh + sinh, phi), self.branch(cosh - sinh, phi));
        // Both ±W are mapped to z; the section's is near φ and, in the nose, to the right of 0.
        let expected = 2.0 * self.nose.x.value().sqrt() * (0.5 * phi).sin();
        let distance = |w: Complex| (w.x - expected).powi(2) + (w.y - phi).powi(2);
        if distance(one.value()) <= distance(other.value()) { one } else { other }
    }

    /// ln of `exp`, the imaginary part being within π of φ.
    fn branch(&self, exp: Complex<R>, phi: f64) -> Complex<R> {
        let (sin, cos) = phi.sin_cos();
        let turned = exp * Complex::of(cos, -sin);
        Complex::new(R::of(0.5) * exp.square().ln(), turned.y.atan2(turned.x) + R::of(phi))
    }
}

/// The grid of a shape, with what the transposed derivative needs.
#[derive(Clone, Debug)]
pub struct Grid {
    /// The parameters of the shape.
    pub shape: [f64; NUM_SHAPE],
    /// Faces and areas.
    pub metrics: Metrics,
    /// Whether a cell is folded.
    pub folded: bool,
    /// ∂z_ij/∂W_i and ∂z_ij/∂z₀, real and imaginary parts, row by row.
    by_w: [Vec<f64>; 2],
    by_nose: [Vec<f64>; 2],
    /// The derivatives of the W_i and of z₀ by the parameters of the shape.
    w_dot: Vec<Complex<Dual<NUM_SHAPE>>>,
    nose_dot: Complex<Dual<NUM_SHAPE>>,
    /// Those of the section's points.
    surface_dot: Vec<Complex<Dual<NUM_SHAPE>>>,
}

impl Grid {
    /// The grid of this shape.
    pub fn new(rings: &Rings, shape: [f64; NUM_SHAPE]) -> Self {
        let metrics = Metrics::new(rings.around, rings.rings, rings.nodes(&shape));
        let dual: [Dual<NUM_SHAPE>; NUM_SHAPE] = std::array::from_fn(|k| Dual::along(shape[k], k));
        let nose_dot = nose(&dual);
        let map_dot = Map::new(nose_dot);
        let map = Map::new(nose_dot.value());
        let surface_dot: Vec<_> = (0..rings.around).map(|i| rings.surface(&dual, i)).collect();
        let w_dot: Vec<_> =
            (0..rings.around).map(|i| rings.inverse(&map_dot, surface_dot[i], i)).collect();
        let (mut by_w, mut by_nose) = ([vec![], vec![]], [vec![], vec![]]);
        for j in 0..=rings.rings {
            for i in 0..=rings.around {
                let w = w_dot[i % rings.around].value();
                let w = if i == rings.around { w + Complex::of(0.0, 2.0 * PI) } else { w };
                let (cosh, sinh) = rings.between(w, i, j).cosh_sinh();
                let slope = (map.c * sinh).scale(1.0 - rings.sigma(j));
                let shift = (Complex::of(1.0, 0.0) - cosh).scale(0.5);
                for (to, z) in [(&mut by_w, slope), (&mut by_nose, shift)] {
                    to[0].push(z.x);
                    to[1].push(z.y);
                }
            }
        }
        let folded = metrics.folded().is_some();
        Grid { shape, metrics, folded, by_w, by_nose, w_dot, nose_dot, surface_dot }
    }

    /// Adds the derivatives by the shape, given those by the corners of some rows, to `shape_bar`.
    /// `rows` holds two rows of corners.
    #[inline(always)]
    pub fn nodes_vjp(&self, nodes: &NodesBar, rows: &mut [Vec<f64>; 2], shape_bar: &mut [f64]) {
        let stride = self.metrics.ni + 1;
        let [w_x, w_y] = rows.each_mut().map(|row| &mut row[..stride]);
        w_x.fill(0.0);
        w_y.fill(0.0);
        let mut nose_bar = [[0.0; 8]; 2];
        let bars = nodes.x.chunks_exact(stride).zip(nodes.y.chunks_exact(stride));
        for (j, (x, y)) in bars.enumerate() {
            let at = (nodes.first + j) * stride;
            let [a, b] = self.by_w.each_ref().map(|part| &part[at..at + stride]);
            let [c, d] = self.by_nose.each_ref().map(|part| &part[at..at + stride]);
            for i in 0..stride {
                w_x[i] += a[i] * x[i] + b[i] * y[i];
                w_y[i] += a[i] * y[i] - b[i] * x[i];
                nose_bar[0][i % 8] += c[i] * x[i] + d[i] * y[i];
                nose_bar[1][i % 8] += c[i] * y[i] - d[i] * x[i];
            }
        }
        for i in 0..self.metrics.ni {
            add(self.w_dot[i], w_x[i], w_y[i], shape_bar);
        }
        let [x, y] = nose_bar.map(|lanes| lanes.iter().sum());
        add(self.nose_dot, x, y, shape_bar);
    }

    /// Adds the derivatives by the shape, given those by point i of the section, to `shape_bar`.
    pub fn surface_vjp(&self, i: usize, x_bar: f64, y_bar: f64, shape_bar: &mut [f64]) {
        add(self.surface_dot[i % self.metrics.ni], x_bar, y_bar, shape_bar);
    }
}

fn add(z: Complex<Dual<NUM_SHAPE>>, x_bar: f64, y_bar: f64, shape_bar: &mut [f64]) {
    for ((bar, x), y) in shape_bar.iter_mut().zip(z.x.dot).zip(z.y.dot) {
        *bar += x * x_bar + y * y_bar;
    }
}
