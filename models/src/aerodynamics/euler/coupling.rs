//! Which cells' rates depend on which cells, and where their blocks are in a sparse matrix.

use costate::numbers::linalg::Pattern;

/// The derivative of four numbers by four numbers.
pub(super) type Block = [[f64; 4]; 4];

/// The states beside a face take slopes of the cells on both sides, so that a cell's rates depend on
/// the cells at most [`REACH`] away along its row and across rows.
const REACH: isize = 2;

/// The cells that each cell is coupled with, itself among them: `cells[starts[k]..starts[k + 1]]`,
/// ascending. The relation is symmetric.
#[derive(Clone, Debug)]
pub struct Coupling {
    starts: Vec<usize>,
    cells: Vec<usize>,
}

impl Coupling {
    /// Of `ni` × `nj` cells in rows that close.
    pub fn new(ni: usize, nj: usize) -> Self {
        let (mut starts, mut cells) = (vec![0], Vec::new());
        for cell in 0..ni * nj {
            let (i, j) = ((cell % ni) as isize, (cell / ni) as isize);
            let along = (-REACH..=REACH).map(|k| (i + k).rem_euclid(ni as isize) + j * ni as isize);
            let rows = (-REACH..=REACH).map(|k| j + k);
            let across = rows.filter(|row| (0..nj as isize).contains(row));
            let all = along.chain(across.map(|row| i + row * ni as isize));
            let mut coupled: Vec<usize> = all.map(|k| k as usize).collect();
            coupled.sort_unstable();
            coupled.dedup();
            cells.extend(coupled);
            starts.push(cells.len());
        }
        Coupling { starts, cells }
    }

    fn num_cells(&self) -> usize {
        self.starts.len() - 1
    }

    fn of(&self, cell: usize) -> &[usize] {
        &self.cells[self.starts[cell]..self.starts[cell + 1]]
    }

    /// The places of the derivatives of all rates by all states.
    pub fn pattern(&self) -> Pattern {
        let cells = self.num_cells();
        let columns = (0..4 * cells).flat_map(|column| {
            let rows = self.of(column % cells).iter();
            rows.flat_map(move |row| (0..4).map(move |v| (v * cells + row, column)))
        });
        Pattern::new(4 * cells, columns).expect("cells of the grid")
    }

    /// Adds the derivatives of `row`'s rates by `column`'s states to the values of a matrix with this
    /// pattern.
    #[inline]
    pub(super) fn add(&self, values: &mut [f64], row: usize, column: usize, block: &Block) {
        let (start, coupled) = (self.starts[column], self.of(column));
        let Some(rank) = coupled.iter().position(|&cell| cell == row) else { return };
        for b in 0..4 {
            // A column's rows: all coupled cells' first variables, then their second.
            let column_start = 4 * (b * self.cells.len() + start);
            for (a, entries) in block.iter().enumerate() {
                values[column_start + a * coupled.len() + rank] += entries[b];
            }
        }
    }
}
