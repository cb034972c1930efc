//! Rooted trees and a method's elementary weights on them, which the order conditions compare.
//!
//! E. Hairer, S. P. Nørsett, G. Wanner, Solving Ordinary Differential Equations I (1993), §II.2.

/// A rooted tree by the indices, in its list, of the subtrees at its root, ascending.
pub struct RootedTree {
    pub children: Vec<usize>,
    /// ρ(τ), the number of nodes.
    pub order: u32,
    /// γ(τ): the order condition is Σ b_i Φ_i(τ) = 1/γ(τ).
    pub density: f64,
}

/// Every rooted tree of at most `order` nodes, smaller ones first.
pub fn rooted_trees(order: u32) -> Vec<RootedTree> {
    let mut trees: Vec<RootedTree> = Vec::new();
    for n in 1..=order {
        let mut forests = Vec::new();
        collect_forests(&trees, n - 1, 0, &mut Vec::new(), &mut forests);
        for children in forests {
            let density =
                f64::from(n) * children.iter().map(|&t| trees[t].density).product::<f64>();
            trees.push(RootedTree { children, order: n, density });
        }
    }
    trees
}

/// The multisets of trees from `first` on that have `nodes` nodes in all.
fn collect_forests(
    trees: &[RootedTree],
    nodes: u32,
    first: usize,
    chosen: &mut Vec<usize>,
    forests: &mut Vec<Vec<usize>>,
) {
    if nodes == 0 {
        forests.push(chosen.clone());
        return;
    }
    for t in (first..trees.len()).take_while(|&t| trees[t].order <= nodes) {
        chosen.push(t);
        collect_forests(trees, nodes - trees[t].order, t, chosen, forests);
        chosen.pop();
    }
}

/// Φ_i(τ) = Π over the root's subtrees σ of Σ_j a_ij Φ_j(σ), for each tree and each row of `a`.
pub fn elementary_weights(a: &[&[f64]], trees: &[RootedTree]) -> Vec<Vec<f64>> {
    let mut weights: Vec<Vec<f64>> = Vec::new();
    for tree in trees {
        let at = |i: usize| -> f64 {
            tree.children.iter().map(|&child| dot(a[i], &weights[child])).product()
        };
        let row = (0..a.len()).map(at).collect();
        weights.push(row);
    }
    weights
}

/// Σ x_i y_i over the shorter.
pub fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

#[test]
fn there_are_as_many_rooted_trees_as_cayley_counted() {
    let trees = rooted_trees(8);
    let counts: Vec<_> =
        (1..=8).map(|n| trees.iter().filter(|tree| tree.order == n).count()).collect();
    assert_eq!(counts, [1, 1, 2, 4, 9, 20, 48, 115]);
}

#[test]
fn densities_of_order_four_are_those_of_the_textbook() {
    let mut densities: Vec<_> =
        rooted_trees(4).iter().filter(|tree| tree.order == 4).map(|tree| tree.density).collect();
    densities.sort_by(f64::total_cmp);
    assert_eq!(densities, [4.0, 8.0, 12.0, 24.0]);
}
