//! Fields of one name: those that a record has several times, as some protocols allow, and those whose name its protocol takes.

use super::fixed::CLIENT;
use super::record::{Draft, Value};

impl Draft<'_> {
    /// Makes fields of one name one field: an array of their values, in their order.
    pub(super) fn join_repeated(&mut self) {
        let mut at = 0;
        while at < self.fields.len() {
            if self.is_repeated(at) {
                self.join(at);
            }
            at += 1;
        }
    }

    /// Puts fields behind `client.` whose names the protocol has a meaning for.
    pub(super) fn make_way_for(&mut self, names: &[&str]) {
        for at in 0..self.fields.len() {
            let Some((name, value)) = self.fields.get(at).copied() else { break };
            if names.contains(&self.text(name)) {
                let name = self.joined(CLIENT, name);
                if let Some(field) = self.fields.get_mut(at) {
                    *field = (name, value);
                }
            }
        }
    }

    fn is_repeated(&self, at: usize) -> bool {
        let Some(((name, _), later)) = self.fields.get(at..).and_then(<[_]>::split_first) else {
            return false;
        };
        let name = self.text(*name);
        later.iter().any(|(other, _)| self.text(*other) == name)
    }

    #[cold]
    fn join(&mut self, at: usize) {
        let Some((name, _)) = self.fields.get(at).copied() else { return };
        let (mut values, mut kept) = (Vec::new(), Vec::with_capacity(self.fields.len()));
        for (other, value) in std::mem::take(&mut self.fields) {
            let is_same = self.text(other) == self.text(name);
            if is_same {
                values.push(self.json_of(value));
            }
            if !is_same || values.len() == 1 {
                kept.push((other, value));
            }
        }
        let array = self.own_text(&serde_json::Value::Array(values).to_string());
        if let Some(field) = kept.get_mut(at) {
            field.1 = Value::Array(array);
        }
        self.fields = kept;
    }
}

#[cfg(test)]
mod tests {
    use super::super::scan_text::Text;
    use super::*;

    #[test]
    fn what_comes_several_times_is_an_array_of_its_values() {
        let mut draft = Draft::default();
        let number = |number| Value::Int(number);
        let text = |text| Value::Text(Text::Sent(text));
        for (name, value) in [
            ("ip", text("::1")),
            ("n", number(1)),
            ("ip", text("10.0.0.1")),
            ("n", number(2)),
            ("ip", number(3)),
        ] {
            draft.fields.push((Text::Sent(name), value));
        }
        draft.fields.push((Text::Sent("once"), number(7)));
        draft.join_repeated();
        assert_eq!(draft.to_json(), r#"{"ip":["::1","10.0.0.1",3],"n":[1,2],"once":7}"#);
    }
}
