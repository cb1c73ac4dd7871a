//! Checks a JSON value against a schema: the part of JSON Schema that the vendors' files use.
//!
//! Any other keyword is reported as a violation, so that nothing is skipped silently.

use std::collections::BTreeSet;

use chrono::DateTime;
use serde_json::{Map, Value};
use uuid::Uuid;

/// Returns the violations of `value`, at `place`, against a schema of the document `root`.
///
/// A member that the schema does not declare is a violation even if it is not forbidden, unless the schema
/// explicitly allows additional members: a request has no reason to send it.
pub(super) fn violations(root: &Value, schema: &Value, value: &Value, place: &str) -> Vec<String> {
    let mut checker = Checker { root, violations: Vec::new() };
    checker.check(schema, value, place);
    if let Some(undeclared) = checker.undeclared(schema, value) {
        checker.violations.push(format!("{place} has undeclared members: {undeclared}"));
    }
    checker.violations
}

/// Follows `$ref`.
pub(super) fn resolve<'a>(root: &'a Value, mut node: &'a Value) -> Option<&'a Value> {
    while let Some(reference) = node.get("$ref") {
        node = root.pointer(reference.as_str()?.strip_prefix('#')?)?;
    }
    Some(node)
}

struct Checker<'a> {
    root: &'a Value,
    violations: Vec<String>,
}

impl Checker<'_> {
    fn report(&mut self, place: &str, what: &str) {
        self.violations.push(format!("{place} {what}"));
    }

    fn check(&mut self, schema: &Value, value: &Value, place: &str) {
        let Some(keywords) = resolve(self.root, schema).and_then(Value::as_object) else {
            return self.report(place, &format!("has an invalid schema: {schema}"));
        };
        if value.is_null() && keywords.get("nullable") == Some(&Value::Bool(true)) {
            return;
        }
        for (keyword, rule) in keywords {
            self.check_keyword(keywords, keyword, rule, value, place);
        }
    }

    fn check_keyword(
        &mut self,
        schema: &Map<String, Value>,
        keyword: &str,
        rule: &Value,
        value: &Value,
        place: &str,
    ) {
        let is_valid = match keyword {
            "type" => is_of_type(rule, value),
            "format" => is_of_format(rule, value),
            "enum" => rule.as_array().map(|values| values.contains(value)),
            "minimum" => compare(rule, value, |minimum, number| number >= minimum),
            "maximum" => compare(rule, value, |maximum, number| number <= maximum),
            "readOnly" => Some(rule != &Value::Bool(true)),
            "required" => rule
                .as_array()
                .map(|names| names.iter().filter_map(Value::as_str).all(|name| value.get(name).is_some())),
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    self.check_nested(rule, item, &format!("{place}[{index}]"));
                }
                Some(true)
            }
            "properties" => {
                for (name, member) in value.as_object().into_iter().flatten() {
                    if let Some(schema) = rule.get(name) {
                        self.check_nested(schema, member, &format!("{place}.{name}"));
                    }
                }
                Some(rule.is_object())
            }
            "additionalProperties" if rule.is_object() => {
                let declared = schema.get("properties");
                for (name, member) in value.as_object().into_iter().flatten() {
                    if declared.is_none_or(|declared| declared.get(name).is_none()) {
                        self.check_nested(rule, member, &format!("{place}.{name}"));
                    }
                }
                Some(true)
            }
            "additionalProperties" => Some(rule.is_boolean()),
            "allOf" => {
                for branch in rule.as_array().into_iter().flatten() {
                    self.check(branch, value, place);
                }
                Some(rule.is_array())
            }
            "nullable" | "title" | "description" | "example" | "default" => Some(true),
            _ => keyword.starts_with("x-").then_some(true),
        };
        match is_valid {
            Some(true) => {}
            Some(false) => self.report(place, &format!("violates {keyword}: {rule}")),
            None => self.report(place, &format!("cannot be checked: unsupported {keyword}: {rule}")),
        }
    }

    fn check_nested(&mut self, schema: &Value, value: &Value, place: &str) {
        self.violations.extend(violations(self.root, schema, value, place));
    }

    /// Returns the names of members that neither the schema nor any part of it declares.
    fn undeclared(&self, schema: &Value, value: &Value) -> Option<String> {
        let mut declared = BTreeSet::new();
        let open = self.collect_declared(schema, &mut declared);
        let names = value.as_object()?.keys().map(String::as_str);
        let names: Vec<_> = names.filter(|name| !declared.contains(*name)).collect();
        (!open && !names.is_empty()).then(|| names.join(", "))
    }

    /// Collects the members that a schema declares. Returns true if it allows additional members, or declares
    /// none.
    fn collect_declared(&self, schema: &Value, names: &mut BTreeSet<String>) -> bool {
        let Some(schema) = resolve(self.root, schema) else {
            return true;
        };
        let properties = schema.get("properties").and_then(Value::as_object);
        names.extend(properties.into_iter().flatten().map(|(name, _)| name.clone()));
        let branches = schema.get("allOf").and_then(Value::as_array);
        let opened =
            branches.into_iter().flatten().filter(|branch| self.collect_declared(branch, names)).count();
        match schema.get("additionalProperties") {
            Some(Value::Bool(open)) => *open,
            Some(_) => true,
            None => properties.is_none() && opened == branches.map_or(0, Vec::len),
        }
    }
}

fn is_of_type(rule: &Value, value: &Value) -> Option<bool> {
    Some(match rule.as_str()? {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => is_integer(value),
        _ => return None,
    })
}

/// Whether a value has a format. True for values of other types, which `type` reports.
fn is_of_format(rule: &Value, value: &Value) -> Option<bool> {
    let text = value.as_str();
    let is_text = |test: fn(&str) -> bool| text.is_none_or(test);
    Some(match rule.as_str()? {
        "int32" => !is_integer(value) || value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        "int64" => !is_integer(value) || value.is_i64(),
        "uuid" => is_text(|text| text.len() == 36 && Uuid::try_parse(text).is_ok()),
        "date-time" => is_text(|text| DateTime::parse_from_rfc3339(text).is_ok()),
        "comma-separated" => is_text(|text| text.split(',').all(|part| !part.trim().is_empty())),
        "binary" => true,
        _ => return None,
    })
}

fn is_integer(value: &Value) -> bool {
    value.is_i64() || value.is_u64()
}

fn compare(rule: &Value, value: &Value, test: impl Fn(f64, f64) -> bool) -> Option<bool> {
    let bound = rule.as_f64()?;
    Some(value.as_f64().is_none_or(|number| test(bound, number)))
}
