//! Whether a request is one that a vendor's file has: Swagger 2.0 and `OpenAPI` 3.0, as far as the files go.

use headcount_sim::Request;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use url::Url;

use super::schema::{complaints, resolve};

/// A request as it was sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Sent {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl From<&Request> for Sent {
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

impl Sent {
    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// A vendor's file.
pub(super) struct Spec {
    file: Value,
    /// What all paths begin with.
    base: String,
}

impl Spec {
    pub(super) fn new(file: Value) -> Self {
        let server = file.pointer("/servers/0/url").and_then(Value::as_str);
        let base = match server {
            // Its variables stand in the host, and are no part of any URL.
            Some(url) => Url::parse(&url.replace(['{', '}'], "")).expect("a URL").path().to_owned(),
            None => file.get("basePath").and_then(Value::as_str).unwrap_or_default().to_owned(),
        };
        Self { file, base: base.trim_end_matches('/').to_owned() }
    }

    /// With a parameter that the file only names.
    pub(super) fn with_parameter(mut self, name: &str, parameter: Value) -> Self {
        let slot = &mut self.file["parameters"][name];
        assert!(slot.is_null(), "the file has the parameter {name}");
        *slot = parameter;
        self
    }

    /// All operations, such as `GET /v1/accounts`.
    pub(super) fn operations(&self) -> impl Iterator<Item = String> {
        let paths = self.file["paths"].as_object().into_iter().flatten();
        paths.flat_map(move |(path, item)| {
            let methods = item.as_object().into_iter().flatten().map(|(method, _)| method.to_uppercase());
            methods
                .filter(|method| METHODS.contains(&method.as_str()))
                .map(move |method| self.name(&method, path))
        })
    }

    /// What is wrong with the answer to a `GET` of `path`.
    pub(super) fn check_answer(&self, path: &str, body: &Value) -> Vec<String> {
        let answer = &self.file["paths"][path]["get"]["responses"]["200"];
        let schema = answer.get("schema").unwrap_or(&answer["content"]["application/json"]["schema"]);
        let (mut file, mut schema) = (self.file.clone(), schema.clone());
        may_be_read(&mut file);
        may_be_read(&mut schema);
        complaints(&file, &schema, body, "the answer")
    }

    fn name(&self, method: &str, path: &str) -> String {
        format!("{method} {}{path}", self.base)
    }

    /// The operation that a request is, or what is wrong with it.
    pub(super) fn check(&self, sent: &Sent) -> Result<String, Vec<String>> {
        let Some((path, segments)) = self.path(&sent.path) else {
            return Err(vec![format!("no path is like {}", sent.path)]);
        };
        let item = &self.file["paths"][&path];
        let Some(operation) = item.get(sent.method.to_lowercase()) else {
            return Err(vec![format!("{path} has no {}", sent.method)]);
        };
        let mut wrong = Vec::new();
        let mut parameters = Vec::new();
        for parameter in [item, operation].iter().filter_map(|node| node["parameters"].as_array()).flatten() {
            match resolve(&self.file, parameter) {
                Some(parameter) => parameters.push(parameter),
                None => wrong.push(format!("the parameter {parameter} is not there")),
            }
        }
        for (name, _) in &sent.query {
            if !parameters.iter().any(|parameter| parameter["in"] == "query" && parameter["name"] == *name) {
                wrong.push(format!("the query parameter {name} is not declared"));
            }
        }
        for parameter in &parameters {
            wrong.extend(self.parameter(parameter, sent, &segments));
        }
        wrong.extend(self.body(operation, &parameters, sent));
        wrong.extend(self.security(operation, sent));
        if wrong.is_empty() { Ok(self.name(&sent.method, &path)) } else { Err(wrong) }
    }

    /// The path of the file that a request's path is like, and the values of its variables. Of several, the
    /// one with the fewest variables.
    fn path(&self, sent: &str) -> Option<(String, Vec<(String, String)>)> {
        let sent: Vec<_> = sent.strip_prefix(&self.base)?.split('/').collect();
        let paths = self.file["paths"].as_object()?.keys().filter_map(|path| {
            let parts: Vec<_> = path.split('/').collect();
            let mut variables = Vec::new();
            for (part, sent) in parts.iter().zip(&sent) {
                match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                    Some(name) if !sent.is_empty() => {
                        let value = percent_decode_str(sent).decode_utf8_lossy().into_owned();
                        variables.push((name.to_owned(), value));
                    }
                    _ if part == sent => {}
                    _ => return None,
                }
            }
            (parts.len() == sent.len()).then(|| (path.clone(), variables))
        });
        paths.min_by_key(|(_, variables)| variables.len())
    }

    fn parameter(&self, parameter: &Value, sent: &Sent, path: &[(String, String)]) -> Vec<String> {
        let name = parameter["name"].as_str().unwrap_or_default();
        let of = |pairs: &[(String, String)]| -> Vec<String> {
            pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect()
        };
        let (place, values) = match parameter["in"].as_str() {
            Some("query") => ("query", of(&sent.query)),
            Some("path") => ("path", of(path)),
            Some("header") => ("header", sent.header(name).map(str::to_owned).into_iter().collect()),
            Some("body") => return Vec::new(),
            _ => return vec![format!("{parameter} is a parameter of an unknown kind")],
        };
        let place = format!("the {place} parameter {name}");
        let required = parameter["required"] == true;
        match values.as_slice() {
            [] if required => vec![format!("{place} is missing")],
            [] => Vec::new(),
            [value] => {
                let schema = schema_of(parameter);
                let value = typed(resolve(&self.file, &schema).unwrap_or(&schema), value);
                complaints(&self.file, &schema, &value, &place)
            }
            _ => vec![format!("{place} is there more than once")],
        }
    }

    fn body(&self, operation: &Value, parameters: &[&Value], sent: &Sent) -> Vec<String> {
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
            None if sent.body.is_empty() => return Vec::new(),
            None => return vec!["there is a body, and none is declared".to_owned()],
            Some(declared) => declared,
        };
        if sent.body.is_empty() {
            return if required { vec!["the body is missing".to_owned()] } else { Vec::new() };
        }
        let media = sent.header("content-type").unwrap_or_default();
        let media = media.split(';').next().unwrap_or_default().trim();
        let Some((_, schema)) = types.iter().find(|(declared, _)| declared.eq_ignore_ascii_case(media))
        else {
            return vec![format!("the content type {media:?} is not declared")];
        };
        match serde_json::from_str(&sent.body) {
            Ok(body) => complaints(&self.file, schema, &body, "the body"),
            Err(error) => vec![format!("the body is no JSON: {error}")],
        }
    }

    /// Whether a request has the header of one of the ways to log in.
    fn security(&self, operation: &Value, sent: &Sent) -> Option<String> {
        let ways = operation.get("security").or_else(|| self.file.get("security"))?.as_array()?;
        let schemes = self.file.get("securityDefinitions");
        let schemes = schemes.or_else(|| self.file.pointer("/components/securitySchemes"))?;
        let has = |name: &String| match schemes[name]["type"].as_str() {
            Some("apiKey") if schemes[name]["in"] == "header" => {
                schemes[name]["name"].as_str().is_some_and(|header| sent.header(header).is_some())
            }
            Some("oauth2" | "http") => sent.header("authorization").is_some(),
            _ => false,
        };
        let met = |way: &Value| way.as_object().is_some_and(|names| names.keys().all(has));
        let unmet = !ways.is_empty() && !ways.iter().any(met);
        unmet.then(|| format!("the credentials are not as declared: {ways:?}"))
    }
}

/// Takes out what only forbids members in requests.
fn may_be_read(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.remove("readOnly");
            members.values_mut().for_each(may_be_read);
        }
        Value::Array(values) => values.iter_mut().for_each(may_be_read),
        _ => {}
    }
}

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// The schema of a parameter: in Swagger, the parameter is its own.
fn schema_of(parameter: &Value) -> Value {
    if let Some(schema) = parameter.get("schema") {
        return schema.clone();
    }
    let mut schema = parameter.clone();
    for other in ["name", "in", "required"] {
        schema.as_object_mut().map(|schema| schema.remove(other));
    }
    schema
}

/// The text of a parameter as the type that its schema names; as text if it can not be one.
fn typed(schema: &Value, text: &str) -> Value {
    let parsed = match schema["type"].as_str() {
        Some("integer") => text.parse().map(|number: i64| number.into()).ok(),
        Some("number") => text.parse().map(|number: f64| number.into()).ok(),
        Some("boolean") => text.parse().map(|flag: bool| flag.into()).ok(),
        _ => None,
    };
    parsed.unwrap_or_else(|| text.into())
}
