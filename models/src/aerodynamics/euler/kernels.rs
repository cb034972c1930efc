//! The rates of change and their transposed derivative by the widest vectors of the processor.

use multiversion::multiversion;
use multiversion::target::match_target;

use super::residual::residual_of_rows;
use super::residual_vjp::residual_vjp;
use super::rows::{Four, fields};
use super::{Frame, FrameBar, Inner, Metrics, NodesBar, Scratch, ScratchBar};

/// [`residual`](super::residual) of `f64`.
pub fn rates(
    metrics: &Metrics,
    inner: Inner,
    frame: &Frame,
    y: &[f64],
    dy: &mut [f64],
    scratch: &mut Scratch,
) {
    rates_of_rows(metrics, inner, frame, y, fields(dy), scratch);
}

/// [`rates`] of the scratch's rows, with which the fields of `dy` begin.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq", "x86_64+avx2+fma", "aarch64+neon"))]
pub(super) fn rates_of_rows(
    metrics: &Metrics,
    inner: Inner,
    frame: &Frame,
    y: &[f64],
    dy: [&mut [f64]; 4],
    scratch: &mut Scratch,
) {
    residual_of_rows(metrics, inner, frame, y, dy, scratch);
}

/// [`residual_vjp`] for the rows of the scratch, with which the fields of `dy` and `y_bar` begin.
#[allow(clippy::too_many_arguments)]
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+fma", "x86_64+avx2+fma", "aarch64+neon"))]
pub(super) fn rates_vjp_of_rows(
    metrics: &Metrics,
    inner: Inner,
    frame: &Frame,
    dy: &Four<f64>,
    w: &[f64],
    y_bar: [&mut [f64]; 4],
    nodes: &mut NodesBar,
    frame_bar: &mut FrameBar,
    scratch: &Scratch,
    bar: &mut ScratchBar,
) {
    let transposed = match_target! {
        "x86_64+fma" => residual_vjp::<true>,
        "aarch64" => residual_vjp::<true>,
        _ => residual_vjp::<false>,
    };
    transposed(metrics, inner, frame, dy, w, y_bar, nodes, frame_bar, scratch, bar);
}
