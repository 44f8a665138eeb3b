//! The name of a saved view, made from its title.

/// More the node does not take.
const LETTERS_MAX: usize = 64;

/// `slow-checkout` from `Slow checkout!`; nothing where no letter or digit of a-z, 0-9 is left.
pub fn name_of(title: &str) -> String {
    let mut name = String::new();
    for letter in title.to_lowercase().chars() {
        if letter.is_ascii_alphanumeric() {
            name.push(letter);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
        if name.len() >= LETTERS_MAX {
            break;
        }
    }
    name.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_becomes_a_name_that_the_node_takes() {
        assert_eq!(name_of("  Slow checkout (EU)! "), "slow-checkout-eu");
        assert_eq!(name_of("???"), "");
        let long = name_of(&"ab ".repeat(60));
        assert!(insighthub_model::api::views::check_view_name(&long).is_ok(), "{long}");
    }
}
