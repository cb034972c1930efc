//! A place in a JSON tree that knows its path.

use std::collections::HashSet;

use super::tree::Json;
use crate::error::{ModelError, shown};
use crate::expr::nearest;

#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    json: &'a Json,
    path: String,
}

impl<'a> Cursor<'a> {
    pub fn root(json: &'a Json) -> Self {
        Cursor { json, path: String::new() }
    }

    /// The path for messages.
    pub fn path(&self) -> String {
        if self.path.is_empty() { "the model".to_owned() } else { self.path.clone() }
    }

    pub fn json(&self) -> &'a Json {
        self.json
    }

    pub fn wrong_type(&self, expected: &'static str) -> ModelError {
        ModelError::WrongType { path: self.path(), expected, found: self.json.kind() }
    }

    pub fn number(&self) -> Result<f64, ModelError> {
        match self.json {
            Json::Number(x) => Ok(*x),
            _ => Err(self.wrong_type("a number")),
        }
    }

    pub fn text(&self) -> Result<&'a str, ModelError> {
        match self.json {
            Json::Text(text) => Ok(text),
            _ => Err(self.wrong_type("a text")),
        }
    }

    pub fn items(&self) -> Result<Vec<Cursor<'a>>, ModelError> {
        let Json::Array(list) = self.json else { return Err(self.wrong_type("a list")) };
        let item = |(i, json)| Cursor { json, path: format!("{}[{i}]", self.path) };
        Ok(list.iter().enumerate().map(item).collect())
    }

    pub fn numbers(&self) -> Result<Vec<f64>, ModelError> {
        self.items()?.iter().map(Cursor::number).collect()
    }

    /// The entries of an object whose keys are names that the author chose.
    pub fn entries(&self) -> Result<Vec<(&'a str, Cursor<'a>)>, ModelError> {
        let Json::Object(list) = self.json else { return Err(self.wrong_type("an object")) };
        let mut seen = HashSet::new();
        let mut entries = Vec::with_capacity(list.len());
        for (key, json) in list {
            if !seen.insert(key) {
                return Err(ModelError::Duplicate { path: self.path(), name: key.clone() });
            }
            let dot = if self.path.is_empty() { "" } else { "." };
            let path = format!("{}{dot}{}", self.path, shown(key));
            entries.push((key.as_str(), Cursor { json, path }));
        }
        Ok(entries)
    }

    /// The entries of an object whose keys the format gives.
    pub fn object(&self, known: &[&'static str]) -> Result<Object<'a>, ModelError> {
        let entries = self.entries()?;
        for &(key, _) in &entries {
            if !known.contains(&key) {
                let suggestion = nearest(key, known.iter().copied());
                let list: Vec<String> = known.iter().map(|key| format!("`{key}`")).collect();
                let (path, key, known) = (self.path(), key.to_owned(), list.join(", "));
                return Err(ModelError::UnknownKey { path, key, suggestion, known });
            }
        }
        Ok(Object { path: self.path(), entries })
    }
}

/// An object whose keys were checked.
pub(super) struct Object<'a> {
    path: String,
    entries: Vec<(&'a str, Cursor<'a>)>,
}

impl<'a> Object<'a> {
    pub fn get(&self, key: &str) -> Option<&Cursor<'a>> {
        self.entries.iter().find(|(known, _)| *known == key).map(|(_, cursor)| cursor)
    }

    pub fn need(&self, key: &'static str) -> Result<&Cursor<'a>, ModelError> {
        self.get(key).ok_or_else(|| ModelError::MissingKey { path: self.path.clone(), key })
    }
}
