//! The template of a message: what is left when its variable parts are taken out, as blocks do.

use crate::block::for_each_variable;
use crate::column_source::SLOT_SHOWN;

/// Writes the template of a message into `template`.
pub(in crate::query) fn write_template(message: &str, template: &mut String) {
    template.clear();
    let mut copied = 0;
    for_each_variable(message, |start, end| {
        template.push_str(message.get(copied..start).unwrap_or(""));
        template.push_str(SLOT_SHOWN);
        copied = end;
    });
    template.push_str(message.get(copied..).unwrap_or(""));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variable_parts_are_left_out() {
        let template = |message: &str| {
            let mut template = String::new();
            write_template(message, &mut template);
            template
        };
        assert_eq!(template("charge 4711 failed after 30.2 ms"), "charge <*> failed after <*> ms");
        assert_eq!(template("from 10.0.0.1:80, retry"), "from <*>.<*>.<*>.<*>:<*>, retry");
        assert_eq!(template("no variables here: \u{fc}"), "no variables here: \u{fc}");
        assert_eq!(template(""), "");
    }
}
