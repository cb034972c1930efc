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
