//! Bytes of what grows.

/// Bytes that a vector may have held at its largest: it grows by doubling, and what it held before
/// lies beside it until it is copied.
pub(crate) fn grown<T>(capacity: usize) -> usize {
    capacity * size_of::<T>() / 2 * 3
}

/// How many values a block holds.
const BLOCK: usize = 1024;

/// Values in the order in which they came. They lie in blocks and never move: growing copies nothing,
/// and takes one block more than what is held.
#[derive(Clone, Debug, PartialEq)]
pub struct Blocks<T> {
    blocks: Vec<Vec<T>>,
    len: usize,
}

impl<T: Copy> Blocks<T> {
    /// With one value.
    pub(crate) fn of(first: T) -> Self {
        Blocks { blocks: vec![vec![first]], len: 1 }
    }

    /// Number of values.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn at(&self, n: usize) -> T {
        self.blocks[n / BLOCK][n % BLOCK]
    }

    pub(crate) fn push(&mut self, value: T) {
        let (block, place) = (self.len / BLOCK, self.len % BLOCK);
        if place == 0 {
            self.blocks.push(Vec::with_capacity(BLOCK));
        }
        // The first block grows, so that short runs hold little.
        self.blocks[block].push(value);
        self.len += 1;
    }

    /// Bytes that they occupy.
    pub(crate) fn bytes(&self) -> usize {
        let first = self.blocks.first().map_or(0, Vec::capacity);
        let others = self.blocks.len().saturating_sub(1) * BLOCK;
        (first + others) * size_of::<T>() + grown::<Vec<T>>(self.blocks.capacity())
    }

    /// Bytes that `len` values occupy at most.
    pub(crate) fn bytes_of(len: usize) -> usize {
        let blocks = len.div_ceil(BLOCK).max(1);
        let values = if blocks == 1 { len.max(4).next_power_of_two() } else { blocks * BLOCK };
        values * size_of::<T>() + grown::<Vec<T>>(blocks.max(4).next_power_of_two())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hold_what_came_and_know_their_bytes_before() {
        let mut blocks = Blocks::of(0);
        for n in 0..5000 {
            assert_eq!((blocks.len(), blocks.at(n)), (n + 1, n));
            assert!(blocks.bytes() <= Blocks::<usize>::bytes_of(n + 1), "{n}");
            assert!(Blocks::<usize>::bytes_of(n + 1) >= Blocks::<usize>::bytes_of(n));
            blocks.push(n + 1);
        }
        assert!(blocks.bytes() < 8 * 5000 + 8 * BLOCK + 1000);
    }
}
