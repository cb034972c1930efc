//! The point terms of a model's objective: observations and the terminal cost.

use std::collections::{BTreeMap, HashMap};

use super::observable::{Observable, Sigma};
use crate::expr::{Expr, Function, Registers, Variable};
use crate::ode::objective::AT_END;

/// Point terms in the order of their times. All measurements at one time are one term, and terms
/// that measure the same things share a function, which reads the measured numbers as data.
#[derive(Clone, Debug)]
pub(super) struct Points {
    functions: Vec<Function>,
    times: Vec<f64>,
    terms: Vec<Term>,
}

#[derive(Clone, Debug)]
struct Term {
    function: usize,
    data: Vec<f64>,
}

impl Points {
    pub fn new(
        observables: &[Observable],
        terminal: Option<&Expr>,
        dim: usize,
        num_params: usize,
    ) -> Self {
        let mut points = Points { functions: Vec::new(), times: Vec::new(), terms: Vec::new() };
        let mut function_of: HashMap<Vec<usize>, usize> = HashMap::new();
        for (time, measured) in by_time(observables) {
            let what: Vec<usize> = measured.iter().map(|&(k, _)| k).collect();
            let function = *function_of.entry(what).or_insert_with_key(|what| {
                let parts: Vec<&Observable> = what.iter().map(|&k| &observables[k]).collect();
                points.functions.push(least_squares(&parts, dim, num_params));
                points.functions.len() - 1
            });
            let data = measured.iter().flat_map(|&(k, i)| data_of(&observables[k], i)).collect();
            points.push(time, Term { function, data });
        }
        if let Some(cost) = terminal {
            points.functions.push(Function::new(std::slice::from_ref(cost), dim, num_params, 0));
            let function = points.functions.len() - 1;
            points.push(AT_END, Term { function, data: Vec::new() });
        }
        points
    }

    fn push(&mut self, time: f64, term: Term) {
        self.times.push(time);
        self.terms.push(term);
    }

    pub fn times(&self) -> &[f64] {
        &self.times
    }

    /// One register file for each function.
    pub fn registers(&self) -> Vec<Registers> {
        self.functions.iter().map(Function::registers).collect()
    }

    /// Bytes of these register files.
    pub fn register_bytes(&self) -> usize {
        self.functions.iter().map(Function::register_bytes).sum()
    }

    /// Evaluates term i; gives its function and the registers that derivatives go on from.
    pub fn evaluate<'a>(
        &'a self,
        i: usize,
        t: f64,
        y: &[f64],
        p: &[f64],
        registers: &'a mut [Registers],
    ) -> (&'a Function, &'a mut Registers) {
        let Term { function, data } = &self.terms[i];
        let registers = &mut registers[*function];
        let function = &self.functions[*function];
        function.evaluate(t, y, p, data, registers);
        (function, registers)
    }
}

/// (observable, index) of every measurement, by time.
pub(super) fn by_time(observables: &[Observable]) -> Vec<(f64, Vec<(usize, usize)>)> {
    let mut groups: BTreeMap<u64, (f64, Vec<(usize, usize)>)> = BTreeMap::new();
    for (k, observable) in observables.iter().enumerate() {
        for (i, &time) in observable.times.iter().enumerate() {
            groups.entry(ordered_bits(time)).or_insert((time, Vec::new())).1.push((k, i));
        }
    }
    groups.into_values().collect()
}

/// Bits that sort as the finite numbers do, with −0 taken as 0.
fn ordered_bits(x: f64) -> u64 {
    let bits = (x + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

fn data_of(observable: &Observable, i: usize) -> impl Iterator<Item = f64> {
    let sigma = match &observable.sigma {
        Sigma::List(list) => Some(list[i]),
        Sigma::Expression(_) => None,
    };
    std::iter::once(observable.data[i]).chain(sigma)
}

/// Σ ((g − data)/σ)², which reads for each part its datum and, where listed, its σ.
fn least_squares(parts: &[&Observable], dim: usize, num_params: usize) -> Function {
    let mut num_data = 0;
    let mut next = || {
        num_data += 1;
        Expr::from(Variable::Data(num_data - 1))
    };
    let mut squares = Vec::new();
    for part in parts {
        let residual = &part.expression - next();
        let sigma = match &part.sigma {
            Sigma::Expression(sigma) => sigma.clone(),
            Sigma::List(_) => next(),
        };
        squares.push((residual / sigma).powi(2));
    }
    let sum = squares.into_iter().sum();
    Function::new(&[sum], dim, num_params, num_data as usize)
}
