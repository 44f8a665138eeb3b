//! Questions that are asked by GET with parameters in the address, or by POST with the same names in a JSON object: written once
//! at the handler, told apart here.

use serde_json::{Map, Value, json};

/// Marks such a question.
const TWOFOLD: &str = "x-twofold";

/// Makes the parameters of the POST the properties of an object.
pub(super) fn tell_apart(item: &mut Value) {
    for name in ["get", "post"] {
        let Some(operation) = item.get_mut(name).and_then(Value::as_object_mut) else { continue };
        let is_twofold = operation.remove(TWOFOLD).is_some();
        if is_twofold && name == "post" {
            let parameters = operation.remove("parameters").unwrap_or_default();
            let schema = object_of(parameters.as_array().map_or(&[], Vec::as_slice));
            let content = json!({ "application/json": { "schema": schema } });
            operation.insert("requestBody".into(), json!({ "required": true, "content": content }));
        }
    }
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
}
