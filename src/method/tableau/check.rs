//! Whether coefficients are what their family of methods needs: a wrong one gives a wrong solution
//! in silence.

use super::{Dense, Tableau};
use crate::error::TableauError;

/// The most stages, with those of the interpolant, that a method has.
pub(crate) const MAX_STAGES: usize = 24;

/// Row sums and order conditions hold to this, relative to the sums of absolute values: published
/// coefficients have fifteen digits or more, and a slip of a digit shows.
const ROUNDING: f64 = 1e-11;

/// The highest order that is believed: sums of c^{k−1} show no more of it.
const HIGHEST: u32 = 20;

impl Tableau {
    /// Fails unless an explicit method can be made of this.
    pub(crate) fn check_explicit(&self) -> Result<(), TableauError> {
        let name = self.name;
        self.check_lists()?;
        for (i, row) in self.a.iter().enumerate() {
            if row.get(i..).is_some_and(|rest| rest.iter().any(|&a| a != 0.0)) {
                return Err(TableauError::NotExplicit { name, stage: i + 1 });
            }
            if row.len() != i {
                return Err(self.row_length(i, i));
            }
        }
        self.check_sums()
    }

    /// Fails unless an ESDIRK method can be made of this: diagonally implicit with one γ but for an
    /// explicit first stage, its last stage y_{n+1}.
    pub(crate) fn check_diagonally_implicit(&self) -> Result<(), TableauError> {
        let name = self.name;
        self.check_lists()?;
        if self.is_explicit() {
            return Err(TableauError::NotImplicit { name });
        }
        for (i, row) in self.a.iter().enumerate() {
            if row.len() != i + 1 {
                return Err(self.row_length(i, i + 1));
            }
        }
        if self.a[0][0] != 0.0 {
            return Err(TableauError::ImplicitFirstStage { name });
        }
        let stages = self.stages();
        let gamma = self.a[stages - 1][stages - 1];
        for (i, row) in self.a.iter().enumerate().skip(1) {
            if row[i] != gamma || gamma.is_nan() || gamma <= 0.0 {
                return Err(TableauError::Gamma { name, stage: i + 1, given: row[i], gamma });
            }
        }
        if !self.stiffly_accurate() {
            return Err(TableauError::NotStifflyAccurate { name, stage: stages });
        }
        self.check_sums()
    }

    fn row_length(&self, i: usize, required: usize) -> TableauError {
        TableauError::Row { name: self.name, stage: i + 1, given: self.a[i].len(), required }
    }

    /// Fails unless the lists have the lengths that the number of stages asks for.
    fn check_lists(&self) -> Result<(), TableauError> {
        let (name, stages) = (self.name, self.stages());
        if stages == 0 {
            return Err(TableauError::NoStages { name });
        }
        let length = |what, given, required| match given == required {
            true => Ok(()),
            false => Err(TableauError::Length { name, what, given, required }),
        };
        length("c", self.c.len(), stages)?;
        length("a", self.a.len(), stages)?;
        if self.error.is_empty() != (self.embedded_order == 0) {
            let (order, weights) = (self.embedded_order, self.error.len());
            return Err(TableauError::Embedded { name, order, weights });
        }
        if !self.error.is_empty() {
            length("error", self.error.len(), stages)?;
        }
        if !self.error_lower.is_empty() {
            length("error_lower", self.error_lower.len(), self.error.len())?;
        }
        let mut total = stages + 1;
        if let Dense::Polynomials { extra_c, extra_a, polynomials, .. } = self.dense {
            total = stages.saturating_add(extra_c.len());
            length("the extra rows of a", extra_a.len(), extra_c.len())?;
            length("the polynomials", polynomials.len(), total)?;
            for (e, row) in extra_a.iter().enumerate() {
                length("an extra row of a", row.len(), stages + e)?;
            }
        }
        if total > MAX_STAGES {
            return Err(TableauError::TooManyStages { name, stages: total, limit: MAX_STAGES });
        }
        self.check_finite()
    }

    fn check_finite(&self) -> Result<(), TableauError> {
        let name = self.name;
        let finite = |what, row: &[f64]| match row.iter().find(|x| !x.is_finite()) {
            Some(&value) => Err(TableauError::NotFinite { name, what, value }),
            None => Ok(()),
        };
        finite("b", self.b)?;
        finite("c", self.c)?;
        finite("error", self.error)?;
        finite("error_lower", self.error_lower)?;
        self.a.iter().try_for_each(|row| finite("a", row))?;
        if let Dense::Polynomials { extra_c, extra_a, polynomials, .. } = self.dense {
            finite("the extra c", extra_c)?;
            extra_a.iter().try_for_each(|row| finite("the extra rows of a", row))?;
            polynomials.iter().try_for_each(|row| finite("the polynomials", row))?;
        }
        Ok(())
    }

    /// Fails unless c_i = Σ_j a_ij, Σ b_i c_i^{k−1} = 1/k up to each order claimed, and the dense
    /// output ends in y_{n+1}.
    fn check_sums(&self) -> Result<(), TableauError> {
        let name = self.name;
        for i in 0..self.dense_stages() {
            let (row, c) = (self.row(i), self.abscissa(i));
            let sum = row.iter().sum::<f64>();
            let size = row.iter().map(|a| a.abs()).sum::<f64>().max(1.0);
            if (sum - c).abs() > ROUNDING * size {
                return Err(TableauError::RowSum { name, stage: i + 1, c, sum });
            }
        }
        self.check_order("y_{n+1}", self.b, self.order)?;
        // Two estimates that are joined have less order each than they have together.
        let embedded = match self.error_lower.is_empty() {
            true => self.embedded_order,
            false => self.embedded_order.min(1),
        };
        for error in [self.error, self.error_lower].into_iter().filter(|row| !row.is_empty()) {
            let b: Vec<f64> = self.b.iter().zip(error).map(|(b, e)| b - e).collect();
            self.check_order("the embedded solution", &b, embedded)?;
        }
        self.check_dense()
    }

    fn check_order(&self, what: &'static str, b: &[f64], order: u32) -> Result<(), TableauError> {
        let (name, least, most) = (self.name, 1, HIGHEST);
        if !(least..=most).contains(&order) {
            return Err(TableauError::OrderRange { name, what, order, least, most });
        }
        for power in 0..order as i32 {
            let terms = b.iter().zip(self.c).map(|(b, c)| b * c.powi(power));
            let (sum, size) = terms.fold((0.0, 1.0), |(s, z): (f64, f64), x| (s + x, z + x.abs()));
            let required = 1.0 / f64::from(power + 1);
            if (sum - required).abs() > ROUNDING * size {
                return Err(TableauError::Order { name, what, order, power, sum, required });
            }
        }
        Ok(())
    }

    fn check_dense(&self) -> Result<(), TableauError> {
        let name = self.name;
        let Dense::Polynomials { order, polynomials, .. } = self.dense else { return Ok(()) };
        let (what, least, most) = ("the dense output", 1, self.order);
        if !(least..=most).contains(&order) {
            return Err(TableauError::OrderRange { name, what, order, least, most });
        }
        for (i, row) in polynomials.iter().enumerate() {
            let (weight, size) =
                row.iter().fold((0.0, 1.0), |(s, z): (f64, f64), x| (s + x, z + x.abs()));
            let required = self.b.get(i).copied().unwrap_or(0.0);
            if (weight - required).abs() > ROUNDING * size {
                return Err(TableauError::DenseEnd { name, stage: i + 1, weight, required });
            }
        }
        Ok(())
    }
}
