//! What is noted of a run.

use serde::{Deserialize, Serialize};

use crate::numbers::scalar::Scalar;
use crate::recurrence::Adjoint;

/// Which problem a run is of, and by which method.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// A hash of everything but the method that the gradient's bits depend on.
    pub problem: u64,
    /// The method's name; none where it was given up, and another is to begin anew.
    pub method: Option<String>,
    /// Slots below this number were in memory, and are lost.
    pub fast: usize,
    /// What the caller tells the problem by.
    pub tag: String,
    /// What the caller wants to know when the run is gone on with.
    pub note: String,
}

/// Where a run stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Whose it is.
    pub identity: Identity,
    /// Words of the log that belong to it.
    pub words: usize,
    /// Their checksum.
    pub checksum: u32,
    /// In which sweep.
    pub phase: Phase,
}

/// What a sweep needs to go on. Numbers are little endian.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Phase {
    /// On its way to the end.
    Forward {
        /// n of the current state.
        step: usize,
        /// y_n.
        y: Vec<u8>,
        /// J so far.
        value: Vec<u8>,
        /// What error control goes on from.
        control: Vec<u64>,
    },
    /// On its way back.
    Reverse {
        /// Steps not yet reversed.
        left: usize,
        /// J.
        value: Vec<u8>,
        /// λ, p̄ and dJ/dT so far.
        adjoint: Vec<u8>,
        /// What error control ended with.
        control: Vec<u64>,
    },
}

impl Phase {
    /// n of the current state, or the steps not yet reversed.
    pub fn step(&self) -> u64 {
        match self {
            Phase::Forward { step, .. } => *step as u64,
            Phase::Reverse { left, .. } => *left as u64,
        }
    }

    /// What error control goes on from.
    pub fn control(&self) -> &[u64] {
        match self {
            Phase::Forward { control, .. } | Phase::Reverse { control, .. } => control,
        }
    }
}

impl Position {
    /// For messages.
    pub fn name(&self) -> String {
        let (method, at) = (self.identity.method.as_deref().unwrap_or("any method"), self.at());
        format!("a run by {method}, problem {:016x}, {at}", self.identity.problem)
    }

    fn at(&self) -> String {
        match &self.phase {
            Phase::Forward { step, .. } => format!("at step {step}"),
            Phase::Reverse { left, .. } => format!("with {left} steps left to reverse"),
        }
    }
}

/// The numbers' bytes.
pub fn to_bytes<'a, S: Scalar>(numbers: impl IntoIterator<Item = &'a S>) -> Vec<u8> {
    let numbers = numbers.into_iter();
    let mut bytes = Vec::with_capacity(numbers.size_hint().0 * S::BYTES);
    for &number in numbers {
        let end = bytes.len();
        bytes.resize(end + S::BYTES, 0);
        number.write_le(&mut bytes[end..]);
    }
    bytes
}

/// Reads as many numbers as `out` has, where that is what there is.
pub fn read_numbers<S: Scalar>(bytes: &[u8], out: &mut [S]) -> bool {
    let fits = bytes.len() == out.len() * S::BYTES;
    if fits {
        for (x, bytes) in out.iter_mut().zip(bytes.chunks_exact(S::BYTES)) {
            *x = S::read_le(bytes);
        }
    }
    fits
}

/// Reads one number, where that is what there is.
pub fn read_number<S: Scalar>(bytes: &[u8], out: &mut S) -> bool {
    read_numbers(bytes, std::slice::from_mut(out))
}

/// λ, p̄ and dJ/dT.
pub fn adjoint_bytes<S: Scalar>(adjoint: &Adjoint<S>) -> Vec<u8> {
    let Adjoint { lambda, p_bar, end_time_bar } = adjoint;
    to_bytes(lambda.iter().chain(p_bar).chain([end_time_bar]))
}

/// Reads what [`adjoint_bytes`] wrote, where it fits.
pub fn read_adjoint<S: Scalar>(bytes: &[u8], adjoint: &mut Adjoint<S>) -> bool {
    let (d, m) = (adjoint.lambda.len(), adjoint.p_bar.len());
    let mut all = vec![S::zero(); d + m + 1];
    let fits = read_numbers(bytes, &mut all);
    if fits {
        adjoint.lambda.copy_from_slice(&all[..d]);
        adjoint.p_bar.copy_from_slice(&all[d..d + m]);
        adjoint.end_time_bar = all[d + m];
    }
    fits
}
