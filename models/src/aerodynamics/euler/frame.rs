//! How the grid moves through the free stream.

use super::Number;
use super::gas::GAMMA;

/// The motion of the body's axes at a time, and the free stream in them.
#[derive(Clone, Copy, Debug)]
pub struct Frame<R = f64> {
    /// cos θ of the angle by which the axes are turned clockwise, nose up.
    pub cos: R,
    /// sin θ
    pub sin: R,
    /// (ρ, u, v, p) of the free stream, along the body's axes.
    pub free: [R; 4],
    /// The velocity of the centre of rotation, along the body's axes.
    pub velocity: [R; 2],
    /// Ω, the rate of turning, anticlockwise.
    pub rate: R,
}

/// The derivatives of a function by a [`Frame`].
#[derive(Clone, Copy, Debug, Default)]
pub struct FrameBar {
    /// By θ, the free stream along the body's axes being kept.
    pub angle: f64,
    /// By the free stream's velocity.
    pub free: [f64; 2],
    /// By the velocity of the centre.
    pub velocity: [f64; 2],
    /// By Ω.
    pub rate: f64,
}

impl<R: Number> Frame<R> {
    /// Axes turned by `angle` whose centre moves up with `lift` in a stream of velocity (M, 0).
    pub fn new(mach: R, angle: R, rate: R, lift: R) -> Self {
        let (sin, cos) = angle.sin_cos();
        let free = [R::of(1.0), mach * cos, mach * sin, R::of(1.0 / GAMMA)];
        Frame { cos, sin, free, velocity: [-(lift * sin), lift * cos], rate }
    }

    /// The velocity w of a face through itself.
    #[inline(always)]
    pub fn through(&self, n: [R; 2], g: R) -> R {
        self.velocity[0] * n[0] + self.velocity[1] * n[1] + self.rate * g
    }
}

impl FrameBar {
    /// Adds the derivatives of another part of a sum.
    pub fn add(&mut self, other: &FrameBar) {
        self.angle += other.angle;
        self.rate += other.rate;
        for k in 0..2 {
            self.free[k] += other.free[k];
            self.velocity[k] += other.velocity[k];
        }
    }

    /// The derivatives by the arguments of [`Frame::new`] (the one by M first), at their values.
    pub fn pull_back(&self, mach: f64, angle: f64, lift: f64) -> [f64; 4] {
        let (sin, cos) = angle.sin_cos();
        let [u, v] = self.free;
        let [x, y] = self.velocity;
        let turning = mach * (v * cos - u * sin) - lift * (x * cos + y * sin);
        [u * cos + v * sin, self.angle + turning, self.rate, y * cos - x * sin]
    }
}
