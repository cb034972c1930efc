//! Laws of the finite volumes on grids without a section.

use std::f64::consts::PI;

use costate::ode::{At, Ode};
use costate_models::aerodynamics::checks::{Patch, nodes, vortex_order};
use costate_models::aerodynamics::euler::{
    Bands, Complex, Dual, Frame, FrameBar, Inner, Metrics, NodesBar, Number, Scratch, far_field,
    gas, rates, residual,
};

fn patch(n: usize, size: f64, bend: f64, frame: Frame) -> Patch {
    Patch { metrics: Metrics::new(n, n, nodes(n, size, bend)), frame }
}

/// Rings of bent cells between radius 1 and 8.
fn ring(frame: Frame) -> Patch {
    let (ni, nj) = (48, 24);
    let mut nodes = Vec::new();
    for j in 0..=nj {
        for i in 0..=ni {
            let phi = 2.0 * PI * (i % ni) as f64 / ni as f64;
            let radius = 8.0_f64.powf(j as f64 / nj as f64 + 0.01 * (3.0 * phi).sin());
            nodes.push(Complex::new(radius * phi.cos() + 0.3, radius * phi.sin()));
        }
    }
    Patch { metrics: Metrics::new(ni, nj, nodes), frame }
}

#[test]
fn a_uniform_flow_stays_however_the_grid_moves() {
    let motions = [(0.5, 0.0, 0.0, 0.0), (0.8, 0.3, -0.1, 0.2), (0.1, 2.0, 0.1, -0.3)];
    for (mach, angle, rate, lift) in motions {
        let ring = ring(Frame::new(mach, angle, rate, lift));
        assert_eq!(ring.metrics.folded(), None);
        let y = ring.state(|_, _| [1.0, mach, 0.0, 1.0 / gas::GAMMA]);
        let mut dy = vec![f64::NAN; ring.dim()];
        ring.rhs(At { t: 0.0, y: &y, p: &[] }, &mut dy, &mut ring.work());
        let cells = ring.metrics.area.len();
        let net = |k: usize| (dy[k] * ring.metrics.area[k % cells]).abs();
        let largest = (0..4 * cells).map(net).fold(0.0, f64::max);
        // Fluxes are at most about 2.5 times a face of length 1.
        assert!(largest <= 1e-14, "{largest:e}");
    }
}

#[test]
fn rigid_rotation_sweeps_no_area() {
    let ring = ring(Frame::new(0.5, 0.0, 0.0, 0.0));
    let Metrics { ni, nj, i_faces, j_faces, .. } = &ring.metrics;
    for j in 0..*nj {
        for i in 0..*ni {
            let (at, next, above) = (j * ni + i, j * ni + (i + 1) % ni, (j + 1) * ni + i);
            let net = |along: &[f64], across: &[f64]| {
                let along = i_faces.s[next] * along[next] - i_faces.s[at] * along[at];
                along + (j_faces.s[above] * across[above] - j_faces.s[at] * across[at])
            };
            assert!(net(&i_faces.nx, &j_faces.nx).abs() < 1e-14);
            assert!(net(&i_faces.ny, &j_faces.ny).abs() < 1e-14);
            assert!(net(&i_faces.g, &j_faces.g).abs() < 1e-13);
        }
    }
}

#[test]
fn the_vortex_converges_at_second_order() {
    let order = vortex_order(256, 384);
    assert!((order - 2.0).abs() <= 0.05, "{order}");
}

/// A state with waves in all variables.
fn waves(x: f64, y: f64) -> [f64; 4] {
    let wave = |a: f64, b: f64| (a * x + b * y + a).sin();
    [
        1.0 + 0.2 * wave(1.3, 0.7),
        0.4 + 0.3 * wave(0.4, 1.9),
        0.2 * wave(2.1, 0.3),
        0.7 + 0.1 * wave(0.9, 1.1),
    ]
}

fn numbers(n: usize, seed: u64) -> Vec<f64> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..n).map(|_| 2.0 * random.f64() - 1.0).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The tangent of the rates by dual numbers along the state, the bend of the grid and the motion.
fn tangent(
    n: usize,
    inner: Inner,
    y: &[f64],
    y_dot: &[f64],
    motion: [f64; 5],
    dots: [f64; 5],
) -> (Vec<f64>, Vec<f64>, Metrics, Metrics) {
    let dual = |value: f64, dot: f64| Dual { value, dot: [dot] };
    let at: [Dual<1>; 5] = std::array::from_fn(|k| dual(motion[k], dots[k]));
    let metrics = Metrics::new(n, n, nodes(n, 10.0, at[4]));
    let frame = Frame::new(at[0], at[1], at[2], at[3]);
    let y: Vec<Dual<1>> = y.iter().zip(y_dot).map(|(&y, &dot)| dual(y, dot)).collect();
    let mut dy = vec![Dual::of(0.0); y.len()];
    residual(&metrics, inner, &frame, &y, &mut dy, &mut Scratch::new(n, n));
    let values = Metrics::new(n, n, nodes(n, 10.0, motion[4]));
    let dots = nodes(n, 10.0, at[4]).iter().map(|z| Complex::new(z.x.dot[0], z.y.dot[0])).collect();
    let dots = Metrics { nodes: dots, ..values.clone() };
    (dy.iter().map(|x| x.value).collect(), dy.iter().map(|x| x.dot[0]).collect(), values, dots)
}

#[test]
fn the_transposed_derivative_is_that_of_the_tangent() {
    let n = 16;
    let motion = [0.6, 0.3, -0.4, 0.2, 0.03];
    for (seed, inner) in
        [(1, Inner::Wall), (2, Inner::FarField), (3, Inner::Wall), (4, Inner::FarField)]
    {
        let frame = Frame::new(motion[0], motion[1], motion[2], motion[3]);
        let patch = patch(n, 10.0, motion[4], frame);
        let y = patch.state(waves);
        for part in 0..6 {
            // Each of the parts alone, then all of them.
            let keep = |k: usize| if part == k || part == 5 { 1.0 } else { 0.0 };
            let y_dot: Vec<f64> = numbers(y.len(), seed).iter().map(|x| keep(0) * x).collect();
            let dots = [1.1 * keep(1), 0.7 * keep(2), -0.9 * keep(3), 0.8 * keep(3), 0.5 * keep(4)];
            let (values, dy_dot, metrics, node_dots) = tangent(n, inner, &y, &y_dot, motion, dots);
            let (mut dy, mut bands) = (vec![0.0; y.len()], Bands::new(n, n));
            bands.rates(1, &metrics, inner, &frame, &y, &mut dy);
            let scale = values.iter().fold(0.0_f64, |a, x| a.max(x.abs()));
            assert!(dy.iter().zip(&values).all(|(a, b)| (a - b).abs() <= 1e-14 * scale));

            let w = numbers(y.len(), 77 + seed);
            let mut y_bar = vec![0.0; y.len()];
            let (mut by_frame, mut by_node) = (FrameBar::default(), [vec![], vec![]]);
            let by_corners = |nodes: &NodesBar, out: &mut Vec<[f64; 2]>| {
                out.resize(nodes.first * (n + 1), [0.0; 2]);
                out.extend(nodes.x.iter().zip(&nodes.y).map(|(&x, &y)| [x, y]));
            };
            #[rustfmt::skip]
            bands.rates_vjp(
                1, &metrics, inner, &frame, &w, &mut y_bar, &mut by_frame, &mut by_node,
                by_corners,
            );
            let by_motion = by_frame.pull_back(motion[0], motion[1], motion[3]);
            let mut terms: Vec<f64> = y_bar.iter().zip(&y_dot).map(|(a, b)| a * b).collect();
            terms.extend((0..4).map(|k| by_motion[k] * dots[k]));
            for (k, dot) in node_dots.nodes.iter().enumerate() {
                let bars = by_node.iter().filter_map(|bars| bars.get(k));
                terms.extend(bars.map(|bar| bar[0] * dot.x + bar[1] * dot.y));
            }
            let (forward, back) = (dot(&w, &dy_dot), terms.iter().sum::<f64>());
            let size: f64 = terms.iter().map(|x| x.abs()).sum();
            assert!(
                (forward - back).abs() <= 1e-13 * size,
                "part {part} {inner:?}: {forward} {back} of {size}"
            );
            assert!(part == 5 || size > 1e-3, "part {part}");
        }
    }
}

/// The mass that enters through the boundaries in a unit of time.
fn mass_inflow(patch: &Patch, inner: Inner, y: &[f64]) -> f64 {
    let Metrics { ni, nj, j_faces, .. } = &patch.metrics;
    let cells = ni * nj;
    let primitive = |cell: usize| {
        let [rho, mx, my, e] = std::array::from_fn(|k| y[k * cells + cell]);
        let (u, v) = (mx / rho, my / rho);
        let p = (gas::GAMMA - 1.0) * (e - 0.5 * rho * (u * u + v * v));
        let Frame { cos, sin, .. } = patch.frame;
        [rho, cos * u - sin * v, sin * u + cos * v, p]
    };
    let through = |cell: usize, inside: usize, face: usize, sign: f64| {
        let (w0, w1) = (primitive(cell), primitive(inside));
        let state = std::array::from_fn(|k| 1.5 * w0[k] - 0.5 * w1[k]);
        let n = [j_faces.nx[face], j_faces.ny[face]];
        let w = sign * patch.frame.through(n, j_faces.g[face]);
        j_faces.s[face] * far_field::flux(&state, &patch.frame.free, n.map(|n| sign * n), w)[0]
    };
    let mut sum = 0.0;
    for i in 0..*ni {
        if inner == Inner::FarField {
            sum -= through(i, i + ni, i, -1.0);
        }
        let last = (nj - 1) * ni + i;
        sum -= through(last, last - ni, nj * ni + i, 1.0);
    }
    sum
}

#[test]
fn mass_changes_by_what_crosses_the_boundary() {
    let n = 32;
    let patch = patch(n, 10.0, 0.03, Frame::new(0.5, 0.2, 0.3, 0.1));
    let y = patch.state(waves);
    let mut dy = vec![0.0; y.len()];
    for inner in [Inner::Wall, Inner::FarField] {
        rates(&patch.metrics, inner, &patch.frame, &y, &mut dy, &mut Scratch::new(n, n));
        let inside = dot(&patch.metrics.area, &dy[..n * n]);
        let inflow = mass_inflow(&patch, inner, &y);
        let size: f64 = (0..n * n).map(|k| (patch.metrics.area[k] * dy[k]).abs()).sum();
        assert!((inside - inflow).abs() <= 1e-15 * size, "{inside} {inflow} of {size}");
        assert!(inflow.abs() > 1e-3 * size);
    }
}
