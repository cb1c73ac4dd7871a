//! The checker itself: it takes good requests, and complains of each thing that can be wrong.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    schema::complaints,
    spec::{Sent, Spec},
};

/// A file of no vendor: Swagger 2.0.
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

/// Another: `OpenAPI` 3.0.
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

fn sent(method: &str, url: &str, body: &str) -> Sent {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let headers = [("x-key", "k"), ("authorization", "Bearer t"), ("content-type", "application/json")];
    Sent {
        method: method.to_owned(),
        path: path.to_owned(),
        query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        body: body.to_owned(),
    }
}

fn patch(url: &str, body: &str) -> Sent {
    let mut sent = sent("PATCH", url, body);
    sent.headers.retain(|(name, _)| name != "content-type");
    sent.headers.push(("content-type".to_owned(), "application/json-patch+json; charset=utf-8".to_owned()));
    sent
}

#[track_caller]
fn takes(spec: &Spec, sent: &Sent, operation: &str) {
    assert_eq!(spec.check(sent).as_deref(), Ok(operation), "{sent:?}");
}

/// Exactly one complaint, which holds `words`.
#[track_caller]
fn refuses(spec: &Spec, sent: &Sent, words: &str) {
    let wrong = spec.check(sent).expect_err(words);
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert!(wrong[0].contains(words), "{words:?} is not in {wrong:?}");
}

const ID: &str = "5e2b9f3a-4b1e-4c7e-9d55-0c1f7f4f0a01";

#[test]
fn good_requests_are_taken_for_what_they_are() {
    let spec = swagger();
    let expected =
        ["GET /base/things", "POST /base/things", "GET /base/things/special", "GET /base/things/{id}"];
    let operations: BTreeSet<_> = spec.operations().collect();
    assert_eq!(operations, expected.map(str::to_owned).into());
    takes(&spec, &sent("GET", "/base/things?order=up&limit=10", ""), expected[0]);
    takes(&spec, &sent("GET", "/base/things?order=down", ""), expected[0]);
    takes(&spec, &sent("POST", "/base/things", r#"{"name":"a","parts":[{"size":0},{}]}"#), expected[1]);
    takes(&spec, &sent("GET", "/base/things/special", ""), expected[2]);
    takes(&spec, &sent("GET", &format!("/base/things/{ID}"), ""), expected[3]);
    let body = r#"[{"op":"add","path":null},{}]"#;
    takes(&openapi(), &patch("/v1/things?dry=true", body), "PATCH /v1/things");
    takes(&openapi(), &patch("/v1/things", ""), "PATCH /v1/things");
}

#[test]
fn operations_that_are_not_there_are_found() {
    refuses(&swagger(), &sent("GET", "/things", ""), "no path is like /things");
    refuses(&swagger(), &sent("GET", "/base/thing", ""), "no path is like");
    refuses(&swagger(), &sent("GET", "/base/things/a/b", ""), "no path is like");
    refuses(&swagger(), &sent("GET", "/base/things/", ""), "no path is like");
    refuses(&swagger(), &sent("DELETE", "/base/things", ""), "/things has no DELETE");
}

#[test]
fn wrong_parameters_are_found() {
    for (query, words) in [
        ("order=up&limit=ten", "limit is not what type"),
        ("order=up&limit=0", "limit is not what minimum"),
        ("order=up&limit=11", "limit is not what maximum"),
        ("order=up&limit=1&limit=2", "limit is there more than once"),
        ("order=sideways", "order is not what enum"),
        ("limit=1", "order is missing"),
        ("order=up&Limit=1", "Limit is not declared"),
    ] {
        refuses(&swagger(), &sent("GET", &format!("/base/things?{query}"), ""), words);
    }
    refuses(&swagger(), &sent("GET", "/base/things/5e2b9f3a", ""), "id is not what format");
    refuses(&openapi(), &patch("/v1/things?dry=1", ""), "dry is not what type");
}

#[test]
fn wrong_bodies_are_found() {
    for (body, words) in [
        ("", "the body is missing"),
        ("name=a", "the body is no JSON"),
        ("[]", "the body is not what type"),
        ("{}", "the body is not what required"),
        (r#"{"name":1}"#, "the body.name is not what type"),
        (r#"{"name":null}"#, "the body.name is not what type"),
        (r#"{"name":"a","nmae":"b"}"#, "undeclared members: nmae"),
        (r#"{"name":"a","parts":[{},{"size":-1}]}"#, "the body.parts[1].size is not what minimum"),
        (r#"{"name":"a","parts":[{"weight":1}]}"#, "the body.parts[0] has undeclared members: weight"),
    ] {
        let wrong = swagger().check(&sent("POST", "/base/things", body)).expect_err(words);
        assert!(wrong.iter().any(|wrong| wrong.contains(words)), "{words:?} is not in {wrong:?}");
    }
    refuses(&swagger(), &sent("GET", "/base/things/special", "{}"), "none is declared");
    refuses(&openapi(), &sent("PATCH", "/v1/things", "[]"), "\"application/json\" is not declared");
    refuses(&openapi(), &patch("/v1/things", r#"[{"op":"copy"}]"#), "the body[0].op is not what enum");
    refuses(&openapi(), &patch("/v1/things", r#"[{"from":"a"}]"#), "undeclared members: from");
}

#[test]
fn missing_credentials_are_found() {
    let mut bare = sent("GET", "/base/things?order=up", "");
    bare.headers.retain(|(name, _)| name != "x-key");
    refuses(&swagger(), &bare, "the credentials are not as declared");
    let mut bare = patch("/v1/things", "");
    bare.headers.retain(|(name, _)| name != "authorization");
    refuses(&openapi(), &bare, "the credentials are not as declared");
}

#[test]
fn what_the_checker_does_not_know_is_an_error_and_not_passed_over() {
    let check = |schema: Value, value: Value| complaints(&Value::Null, &schema, &value, "it").len();
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
fn members_are_open_where_the_schema_says_so_and_only_there() {
    let check = |schema: Value, value: Value| complaints(&Value::Null, &schema, &value, "it").len();
    let value = || json!({"a": 1, "b": "c"});
    let a = json!({"properties": {"a": {"type": "integer"}}});
    let with = |rule: Value| json!({"properties": {"a": {}}, "additionalProperties": rule});
    assert_eq!(check(a.clone(), value()), 1);
    assert_eq!(check(with(json!(false)), value()), 1);
    assert_eq!(check(with(json!(true)), value()), 0);
    assert_eq!(check(with(json!({"type": "string"})), value()), 0);
    assert_eq!(check(with(json!({"type": "integer"})), value()), 1);
    assert_eq!(check(json!({"type": "object"}), value()), 0, "a free form");
    assert_eq!(check(json!({"allOf": [a, {"properties": {"b": {}}}]}), value()), 0);
    assert_eq!(check(json!({"properties": {"a": {"readOnly": true}, "b": {}}}), value()), 1);
}
