//! The template of a message: what is left when its variable parts are taken out.

/// What stands for a variable part.
const VARIABLE: &str = "<*>";

/// Writes the template of a message into `template`: words that hold a digit, and quoted text, are variable.
pub(super) fn write_template(message: &str, template: &mut String) {
    template.clear();
    let mut rest = message;
    while let Some(first) = rest.chars().next() {
        let word_end = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(if word_end == 0 { first.len_utf8() } else { word_end });
        rest = behind;
        if word_end > 0 && word.bytes().any(|byte| byte.is_ascii_digit()) {
            // 10.0.0.1 and 2024-01-31 are one variable, not four.
            if !template.ends_with(VARIABLE) || message.len() == rest.len() + word.len() {
                template.push_str(VARIABLE);
            }
        } else {
            template.push_str(word);
        }
    }
}

/// Marks that hold numbers, ids, addresses and paths together.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':' | '/' | '%' | '+' | '@' | '#')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(message: &str) -> String {
        let mut template = String::new();
        write_template(message, &mut template);
        template
    }

    #[test]
    fn words_with_digits_are_variable() {
        assert_eq!(
            template("charge 4711 failed after 30.2ms (10.0.0.1:80)"),
            "charge <*> failed after <*> (<*>)"
        );
        assert_eq!(template("user=abc123, retry"), "user=<*>, retry");
        assert_eq!(template("no variables here: ü"), "no variables here: ü");
        assert_eq!(template(""), "");
        assert_eq!(template("7"), "<*>");
    }
}
