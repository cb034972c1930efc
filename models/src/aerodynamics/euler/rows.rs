//! Rows of numbers, one for each variable, and where they are.

/// Cells are taken in groups of as many as the widest vectors hold.
pub const LANES: usize = 8;

/// Four rows or fields, one for each variable.
pub(super) type Four<R> = [Vec<R>; 4];

/// The part of each of four fields from `at` on.
#[inline(always)]
pub(super) fn from<R>(fields: &Four<R>, at: usize) -> [&[R]; 4] {
    [&fields[0][at..], &fields[1][at..], &fields[2][at..], &fields[3][at..]]
}

/// [`LANES`] numbers.
#[inline(always)]
pub(super) fn lanes<R>(x: &[R], at: usize) -> &[R; LANES] {
    x[at..].first_chunk().expect("rows are whole multiples of the lanes")
}

/// The same of four rows; written out, because `map` copies through memory.
#[inline(always)]
pub(super) fn lanes4<'a, R>(x: &[&'a [R]; 4], at: usize) -> [&'a [R; LANES]; 4] {
    [lanes(x[0], at), lanes(x[1], at), lanes(x[2], at), lanes(x[3], at)]
}

/// The four fields of a state.
pub(super) fn fields<R>(state: &mut [R]) -> [&mut [R]; 4] {
    let quarter = state.len() / 4;
    let (a, rest) = state.split_at_mut(quarter);
    let (b, rest) = rest.split_at_mut(quarter);
    let (c, d) = rest.split_at_mut(quarter);
    [a, b, c, d]
}

/// Where row j of the primitive variables begins, at the cell before the first, in the scratch of
/// the rows from `first` on.
#[inline(always)]
pub(super) fn row(ni: usize, first: usize, j: usize) -> usize {
    (j + 2 - first) * (ni + 2)
}

/// Where the row before `row` begins.
#[inline(always)]
pub(super) fn before(ni: usize, row: usize) -> usize {
    row - (ni + 2)
}

/// Bytes of the numbers in some vectors.
pub(super) fn bytes<'a, R: 'a>(all: impl IntoIterator<Item = &'a Vec<R>>) -> usize {
    all.into_iter().map(|x| size_of_val(&x[..])).sum()
}
