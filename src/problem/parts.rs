//! The parts of a problem: a model, an initial state and an objective, borrowed or shared.

use std::any::Any;
use std::borrow::Cow;
use std::ops::Deref;
use std::sync::Arc;

use super::Problem;
use super::options::Options;
use super::system::System;
use crate::error::ModelError;
use crate::method::Method;
use crate::model::Model;
use crate::ode::grid::Span;
use crate::ode::objective::AnyObjective;
use crate::ode::{Initial, Vjp};

/// A part of a problem, borrowed or shared.
pub(super) enum Part<'a, T: ?Sized> {
    Borrowed(&'a T),
    Shared(Arc<T>),
}

impl<T: ?Sized> Clone for Part<'_, T> {
    fn clone(&self) -> Self {
        match self {
            Part::Borrowed(part) => Part::Borrowed(part),
            Part::Shared(part) => Part::Shared(Arc::clone(part)),
        }
    }
}

impl<T: ?Sized> Deref for Part<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Part::Borrowed(part) => part,
            Part::Shared(part) => part,
        }
    }
}

impl<'a> Problem<'a> {
    /// J(p) of y' = f(t, y, p) over [start, end], by the method that suits the tolerance, relative
    /// 1e-6 unless told, and the problem's stiffness. The first steps are kept with their tapes, as
    /// many as fit in 512 KiB by explicit methods and in 256 MiB by implicit ones; of the others, the
    /// states. A [`Model`] has its own initial state and objective; those of other dynamics are given
    /// by [`initial`](Self::initial) and [`objective`](Self::objective).
    pub fn new<O: Vjp>(model: &'a O, span: (f64, f64), p: impl Into<Cow<'a, [f64]>>) -> Self {
        // Where the type is the library's own nothing is instantiated for it elsewhere.
        if O::IS_MODEL {
            let model = model.as_model().and_then(|any| any.downcast_ref::<Model>());
            if let Some(model) = model {
                return Problem::borrowing(model, span, p.into());
            }
        }
        let system: &'a (dyn System + 'a) = model;
        Problem::of(Part::Borrowed(system), span, p.into())
    }

    fn borrowing(model: &'a Model, span: (f64, f64), p: Cow<'a, [f64]>) -> Self {
        Problem {
            initial: Some(Part::Borrowed(model)),
            objective: Some(Part::Borrowed(model)),
            ..Problem::of(Part::Borrowed(model as &(dyn System + 'a)), span, p)
        }
    }

    fn of(system: Part<'a, dyn System + 'a>, (start, end): (f64, f64), p: Cow<'a, [f64]>) -> Self {
        Problem {
            system,
            initial: None,
            objective: None,
            span: Span { start, end },
            p,
            method: Method::Auto,
            options: Options::default(),
        }
    }

    /// The model's own J(p) over its time span.
    ///
    /// ```
    /// use costate::model::Model;
    /// use costate::problem::Problem;
    ///
    /// let model = Model::from_json(
    ///     r#"{ "name": "decay", "time": { "start": 0, "end": 1 },
    ///          "states": { "x": 1 }, "parameters": { "k": 0.5 }, "rates": { "x": "-k * x" },
    ///          "objective": { "terminal": "x" } }"#,
    /// )?;
    /// let p = model.nominal();
    /// let gradient = Problem::of_model(&model, &p)?.rtol(1e-10).atol(1e-12).gradient()?;
    /// assert!((gradient.wrt_params[0] + (-0.5_f64).exp()).abs() < 1e-8);
    /// # Ok::<(), costate::Error>(())
    /// ```
    ///
    /// # Errors
    /// Where the model has no time span, p does not fit, or the model is not finite at its start.
    pub fn of_model(model: &'a Model, p: &'a [f64]) -> Result<Self, ModelError> {
        let not_given = || ModelError::NotGiven { path: "time".into(), call: "span" };
        let span = model.span().ok_or_else(not_given)?;
        model.check_start(p)?;
        Ok(Problem::borrowing(model, span, p.into()))
    }
}

impl Problem<'static> {
    /// As [`new`](Self::new), of a model that the problem shares.
    pub fn shared<O: Vjp + 'static>(model: Arc<O>, span: (f64, f64), p: Vec<f64>) -> Self {
        if O::IS_MODEL {
            let any: Arc<dyn Any + Send + Sync> = model.clone();
            if let Ok(model) = any.downcast::<Model>() {
                return Problem::sharing(model, span, p);
            }
        }
        let system: Arc<dyn System> = model;
        Problem::of(Part::Shared(system), span, p.into())
    }

    fn sharing(model: Arc<Model>, span: (f64, f64), p: Vec<f64>) -> Self {
        let system: Arc<dyn System> = model.clone();
        let (initial, objective): (Arc<dyn Initial>, Arc<dyn AnyObjective>) =
            (model.clone(), model);
        Problem {
            initial: Some(Part::Shared(initial)),
            objective: Some(Part::Shared(objective)),
            ..Problem::of(Part::Shared(system), span, p.into())
        }
    }
}
