//! Questions that are asked by GET with parameters in the address, or by POST with the same names in a JSON object or a form:
//! written once at the handler, told apart here.

use serde_json::{Map, Value, json};

/// Marks such a question.
const TWOFOLD: &str = "x-twofold";
const FORM: &str = "application/x-www-form-urlencoded";

/// Makes the parameters of the POST the properties of an object.
pub(super) fn tell_apart(item: &mut Value) {
    for name in ["get", "post"] {
        let Some(operation) = item.get_mut(name).and_then(Value::as_object_mut) else { continue };
        let kind = operation.remove(TWOFOLD);
        let Some(kind) = kind.filter(|_| name == "post") else { continue };
        let parameters = operation.remove("parameters").unwrap_or_default();
        let parameters = parameters.as_array().map_or(&[][..], Vec::as_slice);
        let (of_path, others): (Vec<Value>, Vec<Value>) =
            parameters.iter().cloned().partition(|parameter| parameter.get("in") == Some(&json!("path")));
        // Parameters may stand in the address of a form as well, and then it may be empty.
        let (required, content) = match kind.as_str() {
            Some("form") => (false, json!({ FORM: { "schema": form_of(&others) } })),
            _ => (true, json!({ "application/json": { "schema": object_of(&others) } })),
        };
        operation.insert("requestBody".into(), json!({ "required": required, "content": content }));
        if !of_path.is_empty() {
            operation.insert("parameters".into(), of_path.into());
        }
    }
}

/// In a form every value is a text, as in an address.
fn form_of(parameters: &[Value]) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for parameter in parameters {
        let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default();
        if parameter.get("required") == Some(&Value::Bool(true)) {
            required.push(name);
        }
        let mut schema = parameter.get("schema").cloned().unwrap_or_default();
        if let (Some(schema), Some(description)) = (schema.as_object_mut(), parameter.get("description")) {
            schema.insert("description".into(), description.clone());
        }
        properties.insert(name.to_owned(), schema);
    }
    json!({ "type": "object", "properties": properties, "required": required })
}

fn object_of(parameters: &[Value]) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for parameter in parameters {
        let schema = parameter.get("schema").cloned().unwrap_or_default();
        let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default();
        // In an object conditions on fields go into the query, which has one name only.
        if schema.get("additionalProperties").is_some() || name == "q" {
            continue;
        }
        if parameter.get("required") == Some(&Value::Bool(true)) {
            required.push(name);
        }
        let mut schema = as_property(schema);
        if let (Some(schema), Some(description)) = (schema.as_object_mut(), parameter.get("description")) {
            schema.insert("description".into(), description.clone());
        }
        properties.insert(name.to_owned(), schema);
    }
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

/// What may stand in an object: the value, its text, a list of one, or nothing.
fn as_property(mut schema: Value) -> Value {
    let Some(said) = schema.as_object_mut() else { return schema };
    let scalars = json!(["string", "number", "boolean", "null"]);
    let types = match text_of(said.get("type")) {
        Some("integer") => json!(["integer", "string", "null", "array"]),
        Some("number") => json!(["number", "string", "null", "array"]),
        _ => json!(["string", "number", "boolean", "null", "array"]),
    };
    said.insert("type".into(), types);
    said.insert("items".into(), json!({ "type": scalars }));
    schema
}

/// The type, of one that may also be null.
fn text_of(said: Option<&Value>) -> Option<&str> {
    match said? {
        Value::Array(types) => types.iter().filter_map(Value::as_str).find(|name| *name != "null"),
        other => other.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_the_address_are_properties_of_the_object() {
        let operation = json!({ TWOFOLD: true, "parameters": [
            { "name": "limit", "in": "query", "required": false, "description": "rows",
              "schema": { "type": ["integer", "null"], "minimum": 1, "maximum": 9 } },
            { "name": "from", "in": "query", "required": true, "schema": { "type": "string" } },
            { "name": "q", "in": "query", "schema": { "type": "string" } },
            { "name": "any", "in": "query", "schema": { "type": "object", "additionalProperties": {} } },
        ] });
        let mut item = json!({ "get": operation, "post": operation });
        tell_apart(&mut item);
        assert_eq!(item["get"]["parameters"].as_array().unwrap().len(), 4);
        assert!(item["get"].get("requestBody").is_none() && item["post"].get("parameters").is_none());
        let schema = &item["post"]["requestBody"]["content"]["application/json"]["schema"];
        assert_eq!(schema["required"], json!(["from"]));
        assert_eq!(schema["properties"].as_object().unwrap().len(), 2);
        let limit = &schema["properties"]["limit"];
        assert_eq!((&limit["minimum"], &limit["description"]), (&json!(1), &json!("rows")));
        assert_eq!(limit["type"], json!(["integer", "string", "null", "array"]));
    }

    #[test]
    fn a_form_has_what_is_not_in_the_path() {
        let operation = json!({ TWOFOLD: "form", "parameters": [
            { "name": "name", "in": "path", "required": true, "schema": { "type": "string" } },
            { "name": "query", "in": "query", "required": true, "schema": { "type": "string" } },
        ] });
        let mut item = json!({ "post": operation });
        tell_apart(&mut item);
        assert_eq!(item["post"]["parameters"].as_array().unwrap().len(), 1);
        let schema = &item["post"]["requestBody"]["content"][FORM]["schema"];
        assert_eq!(
            (&schema["required"], &schema["properties"]["query"]["type"]),
            (&json!(["query"]), &json!("string"))
        );
        assert!(schema["properties"].get("name").is_none());
    }
}
