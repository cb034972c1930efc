//! Which names a model may give.

use std::collections::HashMap;

use crate::error::{ModelError, shown};
use crate::expr::{is_identifier, is_reserved};

/// Names of states and parameters must be names, not taken by formulas, and distinct.
pub(super) fn check_names<'a>(
    states: &'a [String],
    parameters: impl Iterator<Item = &'a str>,
) -> Result<(), ModelError> {
    let mut names = Names::default();
    states.iter().try_for_each(|name| names.claim("states", name, "a state"))?;
    parameters.into_iter().try_for_each(|name| names.claim("parameters", name, "a parameter"))
}

/// The names given so far, and to what.
#[derive(Default)]
pub(super) struct Names<'a>(HashMap<&'a str, &'static str>);

impl<'a> Names<'a> {
    /// Takes a name.
    pub fn claim(
        &mut self,
        section: &str,
        name: &'a str,
        what: &'static str,
    ) -> Result<(), ModelError> {
        let path = format!("{section}.{}", shown(name));
        if !is_identifier(name) {
            return Err(ModelError::BadName { path, name: name.to_owned() });
        }
        if is_reserved(name) {
            return Err(ModelError::ReservedName { path, name: name.to_owned() });
        }
        match self.0.insert(name, what) {
            Some(taken_by) => Err(ModelError::NameTaken { path, name: name.to_owned(), taken_by }),
            None => Ok(()),
        }
    }
}
