//! The JSON Schema of model files says what the reader takes.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use costate::model::Model;
use serde_json::{Map, Value, json};

const SCHEMA: &str = include_str!("../../docs/model.schema.json");

/// A model with every key.
const WHOLE: &str = r#"{
    "$schema": "docs/model.schema.json",
    "name": "whole",
    "source": "this test",
    "time": { "start": 0, "end": 3 },
    "states": { "x": "x0", "y": 1 },
    "parameters": {
        "x0": 1,
        "k": { "value": 0.5, "unit": "1/h", "scale": "log10", "bounds": [0.1, 2] }
    },
    "expressions": { "flux": "k * x", "one": 1 },
    "rates": { "x": "-flux", "y": 0 },
    "objective": {
        "terminal": "x^2",
        "observations": [
            { "name": "twice", "expression": "2 * x", "times": [1, 2], "data": [1, 2], "sigma": [1, 2] },
            { "expression": "x", "times": [1], "data": [1], "sigma": "0.1 * x" },
            { "data": "schema.csv", "sigma": 0.1 },
            { "name": "y", "expression": "y", "data": "other.csv" }
        ],
        "running": "flux^2"
    }
}"#;

/// The directory of the tables.
static DIRECTORY: LazyLock<PathBuf> = LazyLock::new(|| {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("schema");
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("schema.csv"), "t,x,one\n1,1,1\n2,0.5,\n").unwrap();
    fs::write(directory.join("other.csv"), "t,y\n1,1\n").unwrap();
    directory
});

/// What of JSON Schema this schema uses. Panics at a word that is not here, but for annotations and
/// the patterns of names.
fn is_valid(schema: &Value, root: &Value, value: &Value) -> bool {
    let is_type = |name: &Value| match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        other => panic!("{other}"),
    };
    let size = |bound: &Value| bound.as_u64().unwrap() as usize;
    let empty = Map::new();
    let object = value.as_object().unwrap_or(&empty);
    let schema = schema.as_object().unwrap();
    let known = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
    schema.iter().all(|(word, rule)| match word.as_str() {
        "$schema" | "title" | "description" | "$defs" | "propertyNames" | "pattern" => true,
        "$ref" => {
            let path = rule.as_str().unwrap().strip_prefix('#').unwrap();
            is_valid(root.pointer(path).unwrap(), root, value)
        }
        "type" => match rule {
            Value::Array(types) => types.iter().any(is_type),
            one => is_type(one),
        },
        "enum" => rule.as_array().unwrap().contains(value),
        "anyOf" => rule.as_array().unwrap().iter().any(|one| is_valid(one, root, value)),
        "required" => {
            rule.as_array().unwrap().iter().all(|key| object.contains_key(key.as_str().unwrap()))
        }
        "properties" => {
            known.iter().all(|(key, rule)| object.get(key).is_none_or(|v| is_valid(rule, root, v)))
        }
        "additionalProperties" => object
            .iter()
            .filter(|(key, _)| !known.contains_key(*key))
            .all(|(_, other)| *rule != json!(false) && is_valid(rule, root, other)),
        "minProperties" => object.len() >= size(rule),
        "items" => value.as_array().is_none_or(|l| l.iter().all(|item| is_valid(rule, root, item))),
        "minItems" => value.as_array().is_none_or(|list| list.len() >= size(rule)),
        "maxItems" => value.as_array().is_none_or(|list| list.len() <= size(rule)),
        other => panic!("{other}"),
    })
}

/// Whether the schema takes it, and whether the reader does.
fn taken(value: &Value) -> (bool, bool) {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let read = Model::from_json_in(&value.to_string(), &*DIRECTORY);
    (is_valid(&schema, &schema, value), read.is_ok())
}

/// JSON pointers to all objects.
fn objects(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            found.push(at.to_owned());
            map.iter().for_each(|(key, inner)| objects(inner, &format!("{at}/{key}"), found));
        }
        Value::Array(list) => {
            (0..).zip(list).for_each(|(i, inner)| objects(inner, &format!("{at}/{i}"), found));
        }
        _ => {}
    }
}

fn models(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            models(&path, found);
        } else if path.extension().is_some_and(|end| end == "json") {
            found.push(path);
        }
    }
}

#[test]
fn every_model_is_valid() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let mut paths = Vec::new();
    models(Path::new("models"), &mut paths);
    assert!(paths.len() > 6, "{paths:?}");
    for path in paths {
        let value: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        assert!(is_valid(&schema, &schema, &value), "{}", path.display());
    }
    assert_eq!(taken(&serde_json::from_str(WHOLE).unwrap()), (true, true));
}

/// Objects whose keys are names take further ones; those of `rates` must be the states'.
#[test]
fn unknown_keys_are_refused_by_both() {
    let whole: Value = serde_json::from_str(WHOLE).unwrap();
    let mut places = Vec::new();
    objects(&whole, "", &mut places);
    for place in places {
        let mut more = whole.clone();
        more.pointer_mut(&place).unwrap()["surplus"] = json!(1);
        let expected = match place.as_str() {
            "/parameters" | "/expressions" => (true, true),
            "/states" | "/rates" => (true, false),
            _ => (false, false),
        };
        assert_eq!(taken(&more), expected, "{place}");
    }
}

/// What is left out, or is of another type, is refused by both or by neither.
#[test]
fn required_keys_and_types_are_the_readers() {
    let whole: Value = serde_json::from_str(WHOLE).unwrap();
    let mut places = Vec::new();
    objects(&whole, "", &mut places);
    for place in places {
        let keys: Vec<String> =
            whole.pointer(&place).unwrap().as_object().unwrap().keys().cloned().collect();
        for key in keys {
            let what = format!("{place}/{key}");
            let mut less = whole.clone();
            less.pointer_mut(&place).unwrap().as_object_mut().unwrap().remove(&key);
            let (schema, reader) = taken(&less);
            // Whether a name is used elsewhere the schema cannot know.
            let is_name = ["/states", "/rates", "/parameters", "/expressions"].contains(&&*place);
            assert!(
                schema == reader || is_name || what == "/parameters" || what == "/expressions",
                "{what} left out: {schema} {reader}"
            );
            for other in [json!(null), json!(true), json!({ "a": [] }), json!([{}])] {
                let mut changed = whole.clone();
                changed.pointer_mut(&place).unwrap()[&key] = other.clone();
                assert_eq!(taken(&changed), (false, false), "{what} is {other}");
            }
        }
    }
}
