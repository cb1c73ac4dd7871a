//! Checks requests against a vendor's file: the parts of Swagger 2.0 and `OpenAPI` 3.0 that the files use.

use headcount_sim::Request;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use url::Url;

use super::schema::{resolve, violations};

/// A request as it was sent.
#[derive(Clone, Debug, Default)]
pub(super) struct SentRequest {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl From<&Request> for SentRequest {
    fn from(request: &Request) -> Self {
        Self {
            method: request.method().to_owned(),
            path: request.path().to_owned(),
            query: request.query().to_vec(),
            headers: request.headers().to_vec(),
            body: request.body().to_owned(),
        }
    }
}

impl SentRequest {
    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// A vendor's file.
pub(super) struct Spec {
    file: Value,
    /// The prefix of all paths.
    base_path: String,
}

impl Spec {
    pub(super) fn new(file: Value) -> Self {
        let server = file.pointer("/servers/0/url").and_then(Value::as_str);
        let base_path = match server {
            // The braces of variables in the host are invalid in a URL.
            Some(url) => Url::parse(&url.replace(['{', '}'], "")).expect("a URL").path().to_owned(),
            None => file.get("basePath").and_then(Value::as_str).unwrap_or_default().to_owned(),
        };
        Self { file, base_path: base_path.trim_end_matches('/').to_owned() }
    }

    /// Adds the definition of a parameter that the file references without defining it.
    pub(super) fn with_parameter(mut self, name: &str, parameter: Value) -> Self {
        let slot = &mut self.file["parameters"][name];
        assert!(slot.is_null(), "the file defines the parameter {name}");
        *slot = parameter;
        self
    }

    /// Returns all operations, such as `GET /v1/accounts`.
    pub(super) fn operations(&self) -> impl Iterator<Item = String> {
        let paths = self.file["paths"].as_object().into_iter().flatten();
        paths.flat_map(move |(path, item)| {
            let methods = item.as_object().into_iter().flatten().map(|(method, _)| method.to_uppercase());
            methods
                .filter(|method| METHODS.contains(&method.as_str()))
                .map(move |method| self.operation_name(&method, path))
        })
    }

    /// Returns the violations in a response to a `GET` of `path`.
    pub(super) fn check_response(&self, path: &str, body: &Value) -> Vec<String> {
        let response = &self.file["paths"][path]["get"]["responses"]["200"];
        let schema = response.get("schema").unwrap_or(&response["content"]["application/json"]["schema"]);
        let (mut file, mut schema) = (self.file.clone(), schema.clone());
        allow_read_only(&mut file);
        allow_read_only(&mut schema);
        violations(&file, &schema, body, "the response")
    }

    fn operation_name(&self, method: &str, path: &str) -> String {
        format!("{method} {}{path}", self.base_path)
    }

    /// Returns the operation of a request, or its violations.
    pub(super) fn check(&self, request: &SentRequest) -> Result<String, Vec<String>> {
        let Some((path, variables)) = self.match_path(&request.path) else {
            return Err(vec![format!("no path matches {}", request.path)]);
        };
        let item = &self.file["paths"][&path];
        let Some(operation) = item.get(request.method.to_lowercase()) else {
            return Err(vec![format!("{path} has no {}", request.method)]);
        };
        let mut violations = Vec::new();
        let mut parameters = Vec::new();
        for parameter in [item, operation].iter().filter_map(|node| node["parameters"].as_array()).flatten() {
            match resolve(&self.file, parameter) {
                Some(parameter) => parameters.push(parameter),
                None => violations.push(format!("the parameter {parameter} is not defined")),
            }
        }
        for (name, _) in &request.query {
            if !parameters.iter().any(|parameter| parameter["in"] == "query" && parameter["name"] == *name) {
                violations.push(format!("the query parameter {name} is not declared"));
            }
        }
        for parameter in &parameters {
            violations.extend(self.check_parameter(parameter, request, &variables));
        }
        violations.extend(self.check_body(operation, &parameters, request));
        violations.extend(self.check_security(operation, request));
        if violations.is_empty() { Ok(self.operation_name(&request.method, &path)) } else { Err(violations) }
    }

    /// Returns the path template that matches a request's path, and the values of its variables. If several
    /// match, returns the one with the fewest variables.
    fn match_path(&self, path: &str) -> Option<(String, Vec<(String, String)>)> {
        let segments: Vec<_> = path.strip_prefix(&self.base_path)?.split('/').collect();
        let paths = self.file["paths"].as_object()?.keys().filter_map(|template| {
            let parts: Vec<_> = template.split('/').collect();
            let mut variables = Vec::new();
            for (part, segment) in parts.iter().zip(&segments) {
                match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                    Some(name) if !segment.is_empty() => {
                        let value = percent_decode_str(segment).decode_utf8_lossy().into_owned();
                        variables.push((name.to_owned(), value));
                    }
                    _ if part == segment => {}
                    _ => return None,
                }
            }
            (parts.len() == segments.len()).then(|| (template.clone(), variables))
        });
        paths.min_by_key(|(_, variables)| variables.len())
    }

    fn check_parameter(
        &self,
        parameter: &Value,
        request: &SentRequest,
        variables: &[(String, String)],
    ) -> Vec<String> {
        let name = parameter["name"].as_str().unwrap_or_default();
        let values_of = |pairs: &[(String, String)]| -> Vec<String> {
            pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect()
        };
        let (location, values) = match parameter["in"].as_str() {
            Some("query") => ("query", values_of(&request.query)),
            Some("path") => ("path", values_of(variables)),
            Some("header") => ("header", request.header(name).map(str::to_owned).into_iter().collect()),
            Some("body") => return Vec::new(),
            _ => return vec![format!("the parameter {parameter} has an unknown location")],
        };
        let place = format!("the {location} parameter {name}");
        let required = parameter["required"] == true;
        match values.as_slice() {
            [] if required => vec![format!("{place} is missing")],
            [] => Vec::new(),
            [value] => {
                let schema = schema_of(parameter);
                let value = parse_as(resolve(&self.file, &schema).unwrap_or(&schema), value);
                violations(&self.file, &schema, &value, &place)
            }
            _ => vec![format!("{place} occurs more than once")],
        }
    }

    fn check_body(&self, operation: &Value, parameters: &[&Value], request: &SentRequest) -> Vec<String> {
        let in_swagger = parameters.iter().find(|parameter| parameter["in"] == "body").map(|body| {
            let media = operation.get("consumes").or_else(|| self.file.get("consumes"));
            let media =
                media.and_then(Value::as_array).cloned().unwrap_or_else(|| vec![json!("application/json")]);
            let types =
                media.iter().filter_map(Value::as_str).map(|media| (media.to_owned(), &body["schema"]));
            (body["required"] == true, types.collect::<Vec<_>>())
        });
        let in_openapi = || {
            let body = resolve(&self.file, operation.get("requestBody")?)?;
            let types = body["content"].as_object()?.iter();
            let types = types.map(|(media, content)| (media.clone(), &content["schema"]));
            Some((body["required"] == true, types.collect::<Vec<_>>()))
        };
        let declared = in_swagger.or_else(in_openapi);
        let (required, types) = match declared {
            None if request.body.is_empty() => return Vec::new(),
            None => return vec!["the request has a body, but none is declared".to_owned()],
            Some(declared) => declared,
        };
        if request.body.is_empty() {
            return if required { vec!["the body is missing".to_owned()] } else { Vec::new() };
        }
        let media = request.header("content-type").unwrap_or_default();
        let media = media.split(';').next().unwrap_or_default().trim();
        let Some((_, schema)) = types.iter().find(|(declared, _)| declared.eq_ignore_ascii_case(media))
        else {
            return vec![format!("the content type {media:?} is not declared")];
        };
        match serde_json::from_str(&request.body) {
            Ok(body) => violations(&self.file, schema, &body, "the body"),
            Err(error) => vec![format!("the body is not JSON: {error}")],
        }
    }

    /// Checks that a request has the headers of one of the declared security schemes.
    fn check_security(&self, operation: &Value, request: &SentRequest) -> Option<String> {
        let alternatives = operation.get("security").or_else(|| self.file.get("security"))?.as_array()?;
        let schemes = self.file.get("securityDefinitions");
        let schemes = schemes.or_else(|| self.file.pointer("/components/securitySchemes"))?;
        let has = |name: &String| match schemes[name]["type"].as_str() {
            Some("apiKey") if schemes[name]["in"] == "header" => {
                schemes[name]["name"].as_str().is_some_and(|header| request.header(header).is_some())
            }
            Some("oauth2" | "http") => request.header("authorization").is_some(),
            _ => false,
        };
        let is_met = |alternative: &Value| alternative.as_object().is_some_and(|names| names.keys().all(has));
        let is_unmet = !alternatives.is_empty() && !alternatives.iter().any(is_met);
        is_unmet.then(|| format!("no declared security scheme is satisfied: {alternatives:?}"))
    }
}

/// Removes `readOnly`, which only forbids members in requests.
fn allow_read_only(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.remove("readOnly");
            members.values_mut().for_each(allow_read_only);
        }
        Value::Array(values) => values.iter_mut().for_each(allow_read_only),
        _ => {}
    }
}

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// Returns the schema of a parameter. In Swagger, the parameter itself is the schema.
fn schema_of(parameter: &Value) -> Value {
    if let Some(schema) = parameter.get("schema") {
        return schema.clone();
    }
    let mut schema = parameter.clone();
    for member in ["name", "in", "required"] {
        schema.as_object_mut().map(|schema| schema.remove(member));
    }
    schema
}

/// Parses a parameter as the type in its schema; returns a string if that fails.
fn parse_as(schema: &Value, text: &str) -> Value {
    let parsed = match schema["type"].as_str() {
        Some("integer") => text.parse().map(|number: i64| number.into()).ok(),
        Some("number") => text.parse().map(|number: f64| number.into()).ok(),
        Some("boolean") => text.parse().map(|flag: bool| flag.into()).ok(),
        _ => None,
    };
    parsed.unwrap_or_else(|| text.into())
}
