//! The plain values inside a field kept as JSON text: a condition on `tags` means its elements.

use serde_json::Value;

use super::number::Number;

/// One plain value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar<'a> {
    Bool(bool),
    Number(Number),
    Text(&'a str),
}

/// True when the test accepts a plain value of the JSON text: the value itself, or an element of it
/// when it is an array, arrays in arrays included. Objects inside arrays are not looked into. Text
/// that is no JSON has no values.
pub fn any_scalar(json: &str, accepts: impl FnMut(Scalar<'_>) -> bool) -> bool {
    match serde_json::from_str(json) {
        Ok(value) => any_in(&value, accepts),
        Err(_) => false,
    }
}

fn any_in(value: &Value, mut accepts: impl FnMut(Scalar<'_>) -> bool) -> bool {
    // A stack instead of recursion; serde_json bounds the depth of what it reads.
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        let scalar = match value {
            Value::Array(elements) => {
                open.extend(elements);
                continue;
            }
            Value::Bool(value) => Scalar::Bool(*value),
            Value::String(value) => Scalar::Text(value),
            Value::Number(value) => match (value.as_i64(), value.as_f64()) {
                (Some(int), _) => Scalar::Number(Number::Int(int)),
                (None, Some(float)) => Scalar::Number(Number::Float(float)),
                (None, None) => continue,
            },
            Value::Null | Value::Object(_) => continue,
        };
        if accepts(scalar) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_of_arrays_are_seen_and_objects_are_not() {
        let has = |json: &str, wanted: Scalar<'_>| any_scalar(json, |scalar| scalar == wanted);
        let json = r#"["a\n", 7, [true], {"id":8}, null, 1.5]"#;
        assert!(has(json, Scalar::Text("a\n")));
        assert!(has(json, Scalar::Number(Number::Int(7))));
        assert!(has(json, Scalar::Bool(true)));
        assert!(has(json, Scalar::Number(Number::Float(1.5))));
        assert!(!has(json, Scalar::Number(Number::Int(8))));
        assert!(!any_scalar("[broken", |_| true));
        assert!(!any_scalar("null", |_| true));
    }
}
