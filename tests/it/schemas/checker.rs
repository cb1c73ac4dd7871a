//! The checker itself: it accepts valid requests and reports each kind of violation.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    schema::violations,
    spec::{SentRequest, Spec},
};

/// A test file: Swagger 2.0.
fn swagger() -> Spec {
    Spec::new(json!({
        "swagger": "2.0",
        "basePath": "/base",
        "securityDefinitions": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}},
        "security": [{"key": []}],
        "paths": {
            "/things": {
                "get": {"parameters": [
                    {"name": "limit", "in": "query", "type": "integer", "minimum": 1, "maximum": 10},
                    {"name": "order", "in": "query", "required": true, "type": "string", "enum": ["up", "down"]},
                ]},
                "post": {"parameters": [{"$ref": "#/parameters/Thing"}]},
            },
            "/things/{id}": {
                "parameters": [
                    {"name": "id", "in": "path", "required": true, "type": "string", "format": "uuid"},
                ],
                "get": {},
            },
            "/things/special": {"get": {}},
        },
        "definitions": {"Thing": {"type": "object", "required": ["name"], "properties": {
            "name": {"type": "string"},
            "parts": {"type": "array", "items": {"$ref": "#/definitions/Part"}},
        }}, "Part": {"type": "object", "properties": {"size": {"type": "integer", "minimum": 0}}}},
    }))
    .with_parameter(
        "Thing",
        json!({"name": "thing", "in": "body", "required": true, "schema": {"$ref": "#/definitions/Thing"}}),
    )
}

/// A test file: `OpenAPI` 3.0.
fn openapi() -> Spec {
    Spec::new(json!({
        "openapi": "3.0.1",
        "servers": [{"url": "https://{tenant}.example.com/v1"}],
        "components": {"securitySchemes": {"bearer": {"type": "oauth2"}}},
        "security": [{"bearer": []}],
        "paths": {"/things": {"patch": {
            "parameters": [{"name": "dry", "in": "query", "schema": {"type": "boolean"}}],
            "requestBody": {"content": {"application/json-patch+json": {"schema": {
                "type": "array",
                "items": {"allOf": [
                    {"type": "object", "properties": {"op": {"type": "string", "enum": ["add", "remove"]}}},
                    {"type": "object", "properties": {"path": {"type": "string", "nullable": true}}},
                ]},
            }}}},
        }}},
    }))
}

fn request(method: &str, url: &str, body: &str) -> SentRequest {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let headers = [("x-key", "k"), ("authorization", "Bearer t"), ("content-type", "application/json")];
    SentRequest {
        method: method.to_owned(),
        path: path.to_owned(),
        query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        body: body.to_owned(),
    }
}

fn patch(url: &str, body: &str) -> SentRequest {
    let mut request = request("PATCH", url, body);
    request.headers.retain(|(name, _)| name != "content-type");
    request
        .headers
        .push(("content-type".to_owned(), "application/json-patch+json; charset=utf-8".to_owned()));
    request
}

#[track_caller]
fn assert_valid(spec: &Spec, request: &SentRequest, operation: &str) {
    assert_eq!(spec.check(request).as_deref(), Ok(operation), "{request:?}");
}

/// Asserts exactly one violation, with a message that contains `words`.
#[track_caller]
fn assert_violation(spec: &Spec, request: &SentRequest, words: &str) {
    let violations = spec.check(request).expect_err(words);
    assert_eq!(violations.len(), 1, "{violations:?}");
    assert!(violations[0].contains(words), "{words:?} is not in {violations:?}");
}

const ID: &str = "5e2b9f3a-4b1e-4c7e-9d55-0c1f7f4f0a01";

#[test]
fn accepts_valid_requests() {
    let spec = swagger();
    let expected =
        ["GET /base/things", "POST /base/things", "GET /base/things/special", "GET /base/things/{id}"];
    let operations: BTreeSet<_> = spec.operations().collect();
    assert_eq!(operations, expected.map(str::to_owned).into());
    assert_valid(&spec, &request("GET", "/base/things?order=up&limit=10", ""), expected[0]);
    assert_valid(&spec, &request("GET", "/base/things?order=down", ""), expected[0]);
    assert_valid(
        &spec,
        &request("POST", "/base/things", r#"{"name":"a","parts":[{"size":0},{}]}"#),
        expected[1],
    );
    assert_valid(&spec, &request("GET", "/base/things/special", ""), expected[2]);
    assert_valid(&spec, &request("GET", &format!("/base/things/{ID}"), ""), expected[3]);
    let body = r#"[{"op":"add","path":null},{}]"#;
    assert_valid(&openapi(), &patch("/v1/things?dry=true", body), "PATCH /v1/things");
    assert_valid(&openapi(), &patch("/v1/things", ""), "PATCH /v1/things");
}

#[test]
fn reports_unknown_operations() {
    assert_violation(&swagger(), &request("GET", "/things", ""), "no path matches /things");
    assert_violation(&swagger(), &request("GET", "/base/thing", ""), "no path matches");
    assert_violation(&swagger(), &request("GET", "/base/things/a/b", ""), "no path matches");
    assert_violation(&swagger(), &request("GET", "/base/things/", ""), "no path matches");
    assert_violation(&swagger(), &request("DELETE", "/base/things", ""), "/things has no DELETE");
}

#[test]
fn reports_invalid_parameters() {
    for (query, words) in [
        ("order=up&limit=ten", "limit violates type"),
        ("order=up&limit=0", "limit violates minimum"),
        ("order=up&limit=11", "limit violates maximum"),
        ("order=up&limit=1&limit=2", "limit occurs more than once"),
        ("order=sideways", "order violates enum"),
        ("limit=1", "order is missing"),
        ("order=up&Limit=1", "Limit is not declared"),
    ] {
        assert_violation(&swagger(), &request("GET", &format!("/base/things?{query}"), ""), words);
    }
    assert_violation(&swagger(), &request("GET", "/base/things/5e2b9f3a", ""), "id violates format");
    assert_violation(&openapi(), &patch("/v1/things?dry=1", ""), "dry violates type");
}

#[test]
fn reports_invalid_bodies() {
    for (body, words) in [
        ("", "the body is missing"),
        ("name=a", "the body is not JSON"),
        ("[]", "the body violates type"),
        ("{}", "the body violates required"),
        (r#"{"name":1}"#, "the body.name violates type"),
        (r#"{"name":null}"#, "the body.name violates type"),
        (r#"{"name":"a","nmae":"b"}"#, "undeclared members: nmae"),
        (r#"{"name":"a","parts":[{},{"size":-1}]}"#, "the body.parts[1].size violates minimum"),
        (r#"{"name":"a","parts":[{"weight":1}]}"#, "the body.parts[0] has undeclared members: weight"),
    ] {
        let violations = swagger().check(&request("POST", "/base/things", body)).expect_err(words);
        assert!(
            violations.iter().any(|violation| violation.contains(words)),
            "{words:?} is not in {violations:?}"
        );
    }
    assert_violation(&swagger(), &request("GET", "/base/things/special", "{}"), "none is declared");
    assert_violation(
        &openapi(),
        &request("PATCH", "/v1/things", "[]"),
        "\"application/json\" is not declared",
    );
    assert_violation(&openapi(), &patch("/v1/things", r#"[{"op":"copy"}]"#), "the body[0].op violates enum");
    assert_violation(&openapi(), &patch("/v1/things", r#"[{"from":"a"}]"#), "undeclared members: from");
}

#[test]
fn reports_missing_credentials() {
    let mut bare = request("GET", "/base/things?order=up", "");
    bare.headers.retain(|(name, _)| name != "x-key");
    assert_violation(&swagger(), &bare, "no declared security scheme is satisfied");
    let mut bare = patch("/v1/things", "");
    bare.headers.retain(|(name, _)| name != "authorization");
    assert_violation(&openapi(), &bare, "no declared security scheme is satisfied");
}

#[test]
fn reports_unsupported_keywords() {
    let check = |schema: Value, value: Value| violations(&Value::Null, &schema, &value, "it").len();
    for schema in [
        json!({"pattern": "^a"}),
        json!({"type": "string", "oneOf": []}),
        json!({"type": "text"}),
        json!({"format": "hostname"}),
        json!({"$ref": "#/definitions/Missing"}),
        json!("a"),
    ] {
        assert_eq!(check(schema.clone(), json!("a")), 1, "{schema}");
    }
    let nested = json!({"properties": {"a": {"items": {"maxLength": 1}}}});
    assert_eq!(check(nested, json!({"a": ["b"]})), 1);
    assert_eq!(check(json!({"x-note": "b", "title": "c"}), json!("a")), 0);
}

#[test]
fn undeclared_members_need_permission() {
    let check = |schema: Value, value: Value| violations(&Value::Null, &schema, &value, "it").len();
    let value = || json!({"a": 1, "b": "c"});
    let a = json!({"properties": {"a": {"type": "integer"}}});
    let with = |rule: Value| json!({"properties": {"a": {}}, "additionalProperties": rule});
    assert_eq!(check(a.clone(), value()), 1);
    assert_eq!(check(with(json!(false)), value()), 1);
    assert_eq!(check(with(json!(true)), value()), 0);
    assert_eq!(check(with(json!({"type": "string"})), value()), 0);
    assert_eq!(check(with(json!({"type": "integer"})), value()), 1);
    assert_eq!(check(json!({"type": "object"}), value()), 0, "a free-form object");
    assert_eq!(check(json!({"allOf": [a, {"properties": {"b": {}}}]}), value()), 0);
    assert_eq!(check(json!({"properties": {"a": {"readOnly": true}, "b": {}}}), value()), 1);
}
