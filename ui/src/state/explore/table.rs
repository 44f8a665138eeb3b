//! Rows of a table in the order the reader wants.

use std::cmp::Ordering;

use serde_json::Value;

use super::series::text;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    pub column: usize,
    pub is_descending: bool,
}

impl Order {
    /// After the head of a column was pressed: the largest first, then the other way round.
    pub fn pressed(was: Option<Order>, column: usize) -> Order {
        let is_descending = was.is_none_or(|was| was.column != column || !was.is_descending);
        Order { column, is_descending }
    }
}

/// Rows without a value come last either way; equal ones keep their order.
pub fn ordered(rows: &[Vec<Value>], order: Option<Order>) -> Vec<&Vec<Value>> {
    let mut rows: Vec<&Vec<Value>> = rows.iter().collect();
    if let Some(Order { column, is_descending }) = order {
        rows.sort_by(|a, b| compare(a.get(column), b.get(column), is_descending));
    }
    rows
}

fn compare(a: Option<&Value>, b: Option<&Value>, is_descending: bool) -> Ordering {
    let is_missing = |value: Option<&Value>| value.is_none_or(Value::is_null);
    let order = match (a, b) {
        (a, b) if is_missing(a) || is_missing(b) => return is_missing(a).cmp(&is_missing(b)),
        (Some(a), Some(b)) => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => text(a).cmp(&text(b)),
        },
        _ => Ordering::Equal,
    };
    if is_descending { order.reverse() } else { order }
}

/// A cell; long fractions are cut where nobody reads them.
pub fn shown(value: &Value) -> String {
    match value {
        Value::Null => "(none)".to_owned(),
        Value::Number(number) if number.is_f64() => {
            let number = number.as_f64().unwrap_or_default();
            if number.abs() >= 0.001 || number == 0.0 {
                let rounded = format!("{number:.3}");
                rounded.trim_end_matches('0').trim_end_matches('.').to_owned()
            } else {
                number.to_string()
            }
        }
        other => text(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_press_orders_by_the_largest_and_another_by_the_smallest() {
        let rows =
            vec![vec![json!("a"), json!(2)], vec![json!("b"), json!(null)], vec![json!("c"), json!(10)]];
        let names = |order| {
            ordered(&rows, order)
                .iter()
                .map(|row| row.first().map(text).unwrap_or_default())
                .collect::<String>()
        };
        assert_eq!(names(None), "abc");
        let first = Order::pressed(None, 1);
        assert_eq!(names(Some(first)), "cab");
        assert_eq!(names(Some(Order::pressed(Some(first), 1))), "acb");
        assert_eq!(Order::pressed(Some(first), 0), Order { column: 0, is_descending: true });
    }

    #[test]
    fn cells_are_read_at_a_glance() {
        assert_eq!(
            [json!(1.50001), json!(0.00001), json!(3), json!(null), json!("x")].map(|value| shown(&value)),
            ["1.5", "0.00001", "3", "(none)", "x"]
        );
    }
}
