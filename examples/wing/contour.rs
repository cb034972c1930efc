//! Regions of a function on triangles, with one outline each: what is drawn as one shape has no
//! seams.

use std::collections::BTreeMap;

/// A function on triangles, linear in each, all of which turn the same way.
pub struct Mesh {
    pub points: Vec<(f64, f64)>,
    pub values: Vec<f64>,
    pub triangles: Vec<[usize; 3]>,
}

/// Where an outline turns: at a point of the mesh, (i, i), or where it crosses a side, i < j.
type Corner = (usize, usize);

impl Mesh {
    /// Loops around the region where the function is `level` or more, outer and inner ones turning
    /// in opposite ways.
    pub fn above(&self, level: f64) -> Vec<Vec<(f64, f64)>> {
        let mut sides: BTreeMap<Corner, Vec<Corner>> = BTreeMap::new();
        for triangle in &self.triangles {
            let corners = self.clipped(triangle, level);
            for (k, &from) in corners.iter().enumerate() {
                let to = corners[(k + 1) % corners.len()];
                // A side of two triangles is gone through in both ways, and in the region.
                let other = sides.get_mut(&to).and_then(|ends| take(ends, from));
                if other.is_none() {
                    sides.entry(from).or_default().push(to);
                }
            }
        }
        let mut loops = Vec::new();
        while let Some((&start, _)) = sides.iter().find(|(_, ends)| !ends.is_empty()) {
            let (mut at, mut path) = (start, Vec::new());
            while let Some(to) = sides.get_mut(&at).and_then(Vec::pop) {
                path.push(self.place(at, level));
                at = to;
            }
            loops.push(path);
        }
        loops
    }

    /// The part of a triangle in the region.
    fn clipped(&self, triangle: &[usize; 3], level: f64) -> Vec<Corner> {
        let inside = |i: usize| self.values[i] >= level;
        let mut corners = Vec::with_capacity(4);
        for k in 0..3 {
            let (i, j) = (triangle[k], triangle[(k + 1) % 3]);
            if inside(i) {
                corners.push((i, i));
            }
            if inside(i) != inside(j) {
                corners.push((i.min(j), i.max(j)));
            }
        }
        corners
    }

    fn place(&self, (i, j): Corner, level: f64) -> (f64, f64) {
        let (a, b) = (self.points[i], self.points[j]);
        if i == j {
            return a;
        }
        let part = (level - self.values[i]) / (self.values[j] - self.values[i]);
        (a.0 + part * (b.0 - a.0), a.1 + part * (b.1 - a.1))
    }
}

fn take(ends: &mut Vec<Corner>, end: Corner) -> Option<Corner> {
    let k = ends.iter().position(|&other| other == end)?;
    Some(ends.swap_remove(k))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The squares of [−1, 1]², each cut into two triangles.
    fn square(n: usize, f: impl Fn(f64, f64) -> f64) -> Mesh {
        let at = |k: usize| 2.0 * k as f64 / n as f64 - 1.0;
        let points: Vec<_> = (0..=n)
            .flat_map(|j| (0..=n).map(move |i| (i, j)))
            .map(|(i, j)| (at(i), at(j)))
            .collect();
        let corner = |k: usize| k / n * (n + 1) + k % n;
        let halves = |k: usize| [[k, k + 1, k + n + 2], [k, k + n + 2, k + n + 1]];
        let triangles = (0..n * n).flat_map(|k| halves(corner(k))).collect();
        Mesh { values: points.iter().map(|&(x, y)| f(x, y)).collect(), points, triangles }
    }

    fn area(path: &[(f64, f64)]) -> f64 {
        let cross = |k: usize| {
            let (a, b) = (path[k], path[(k + 1) % path.len()]);
            0.5 * (a.0 * b.1 - a.1 * b.0)
        };
        (0..path.len()).map(cross).sum()
    }

    #[test]
    fn regions_have_one_outline_and_the_right_area() {
        let cut = square(8, |x, y| x + 0.5 * y);
        for (level, expected) in [(-2.0, 4.0), (0.0, 2.0), (1.0, 0.25), (2.0, 0.0)] {
            let loops = cut.above(level);
            let areas: Vec<f64> = loops.iter().map(|path| area(path)).collect();
            assert!(loops.len() <= 1, "{areas:?}");
            assert!((areas.iter().sum::<f64>() - expected).abs() < 1e-12, "{level}: {areas:?}");
        }
        // Outside of a circle: the square with a hole.
        let areas: Vec<f64> =
            square(80, f64::hypot).above(0.6).iter().map(|path| area(path)).collect();
        let [outer, hole] = areas[..] else { panic!("{areas:?}") };
        assert!((outer - 4.0).abs() < 1e-12 && (hole + 0.36 * std::f64::consts::PI).abs() < 5e-3);
    }
}
