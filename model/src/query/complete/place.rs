//! Where the cursor stands: in which stage, behind what. Reads half-typed text, so it knows less grammar
//! than the parser and never fails.

/// What may come at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// Anything the user likes: a new name, a number, text in quotes.
    Nothing,
    Condition,
    /// A value of the field.
    Value(String),
    Stage,
    Function,
    Column,
    /// The column of a comparison.
    ColumnOrFilter,
    Words(&'static [&'static str]),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) expected: Expected,
    /// Where the word under the cursor starts.
    pub(super) start: usize,
    /// The pipe of the stage the cursor is in.
    pub(super) stage_start: Option<usize>,
}

/// A piece of the text before the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    /// Bare or in quotes; the quotes are part of it.
    Word(&'a str),
    /// `( ) , : |` and comparisons, character by character.
    Mark(char),
}

struct Cut<'a> {
    /// Everything before the word under the cursor.
    tokens: Vec<Token<'a>>,
    /// Where the word under the cursor starts; the end of the text where none does.
    start: usize,
    /// The pipe of the last stage, and how many tokens stand before what follows it.
    pipe: Option<(usize, usize)>,
    /// The text ends inside quotes.
    in_quotes: bool,
}

impl Place {
    pub(super) fn of(typed: &str) -> Place {
        let cut = cut(typed);
        let expected = match cut.pipe {
            None => in_filter(&cut.tokens),
            Some((_, first)) => in_stage(cut.tokens.get(first..).unwrap_or_default()),
        };
        // Inside quotes only a value or a name can be completed.
        let expected = match expected {
            Expected::Stage | Expected::Function | Expected::Words(_) if cut.in_quotes => Expected::Nothing,
            expected => expected,
        };
        Place { expected, start: cut.start, stage_start: cut.pipe.map(|(at, _)| at) }
    }

    /// What is typed of the word, without an opening quote.
    pub(super) fn prefix<'a>(&self, typed: &'a str) -> &'a str {
        let word = typed.get(self.start..).unwrap_or("");
        word.strip_prefix('"').unwrap_or(word)
    }
}

fn is_mark(character: char) -> bool {
    matches!(character, '(' | ')' | ',' | ':' | '|' | '<' | '>' | '=' | '~')
}

fn cut(typed: &str) -> Cut<'_> {
    let mut cut = Cut { tokens: Vec::new(), start: typed.len(), pipe: None, in_quotes: false };
    let mut at = 0;
    while let Some(first) = typed.get(at..).and_then(|rest| rest.chars().next()) {
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        if is_mark(first) {
            cut.tokens.push(Token::Mark(first));
            at += 1;
            if first == '|' {
                cut.pipe = Some((at - 1, cut.tokens.len()));
            }
            continue;
        }
        // A minus negates the condition, or drops the field, that follows.
        if matches!(first, '-' | '!')
            && !matches!(cut.tokens.last(), Some(Token::Mark(':' | '<' | '>' | '=')))
        {
            at += 1;
            continue;
        }
        let rest = typed.get(at..).unwrap_or("");
        let (length, is_open) = word_length(rest);
        if is_open || at + length == typed.len() {
            cut.start = at;
            cut.in_quotes = is_open;
            return cut;
        }
        cut.tokens.push(Token::Word(rest.get(..length).unwrap_or(rest)));
        at += length;
    }
    cut
}

/// Length of the word or quoted text, and whether its quote is still open.
fn word_length(rest: &str) -> (usize, bool) {
    let is_quoted = rest.starts_with('"');
    let mut characters = rest.char_indices().skip(usize::from(is_quoted));
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => drop(characters.next()),
            '"' if is_quoted => return (at + 1, false),
            '"' => return (at, false),
            other if !is_quoted && (other.is_whitespace() || is_mark(other)) => return (at, false),
            _ => {}
        }
    }
    (rest.len(), is_quoted)
}

fn name_of(word: &str) -> String {
    word.trim_matches('"').replace("\\\"", "\"").replace("\\\\", "\\")
}

fn in_filter(tokens: &[Token<'_>]) -> Expected {
    match value_of(tokens) {
        Some(field) => Expected::Value(field),
        None => Expected::Condition,
    }
}

/// The field whose value stands at the end: behind its colon, or inside `field:(` and `field:in(`.
fn value_of(tokens: &[Token<'_>]) -> Option<String> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().rev() {
        match token {
            Token::Mark(')') => depth += 1,
            Token::Mark('(') => {
                if depth == 0 {
                    return field_before(tokens.get(..at)?);
                }
                depth -= 1;
            }
            Token::Mark(':') if at + 1 == tokens.len() => return name_before(tokens.get(..at)?),
            // Behind a comparison stands what nobody can guess: a field without a name has no values.
            Token::Mark('<' | '>' | '~') if at + 1 == tokens.len() => return Some(String::new()),
            _ => {}
        }
    }
    None
}

fn field_before(tokens: &[Token<'_>]) -> Option<String> {
    match tokens {
        [.., Token::Word(name), Token::Mark(':')] => Some(name_of(name)),
        [.., Token::Word(name), Token::Mark(':'), Token::Word(word)] if word.eq_ignore_ascii_case("in") => {
            Some(name_of(name))
        }
        [rest @ .., Token::Mark('(')] => field_before(rest),
        _ => None,
    }
}

fn name_before(tokens: &[Token<'_>]) -> Option<String> {
    match tokens.last() {
        Some(Token::Word(name)) => Some(name_of(name)),
        _ => None,
    }
}

/// The tokens are those behind the pipe.
fn in_stage(tokens: &[Token<'_>]) -> Expected {
    let Some((Token::Word(stage), rest)) = tokens.split_first() else { return Expected::Stage };
    match stage.to_ascii_lowercase().as_str() {
        "stats" => in_stats(rest),
        "where" => in_where(rest),
        "sort" => match rest.last() {
            None | Some(Token::Mark(',')) => Expected::Column,
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("by") && rest.len() == 1 => Expected::Column,
            Some(_) => Expected::Words(&["desc", "asc", "|"]),
        },
        "top" => in_top(rest),
        "uniq" => match rest.last() {
            None => Expected::Words(&["by"]),
            last => column_or(last, &["|"]),
        },
        "fields" => column_or(rest.last(), &["|"]),
        "context" => match rest.last() {
            None => Expected::Nothing,
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("by") => Expected::Column,
            Some(Token::Word(word))
                if ["before", "after"].iter().any(|known| word.eq_ignore_ascii_case(known)) =>
            {
                Expected::Nothing
            }
            Some(_) => Expected::Words(&["before", "after", "by", "|"]),
        },
        _ if rest.is_empty() => Expected::Nothing,
        _ => Expected::Words(&["|"]),
    }
}

/// A column where a list begins or goes on, the words elsewhere.
fn column_or(last: Option<&Token<'_>>, words: &'static [&'static str]) -> Expected {
    match last {
        None | Some(Token::Mark(',' | '(')) => Expected::Column,
        Some(Token::Word(word)) if word.eq_ignore_ascii_case("by") => Expected::Column,
        Some(_) => Expected::Words(words),
    }
}

fn is_word(token: &Token<'_>, keyword: &str) -> bool {
    matches!(token, Token::Word(word) if word.eq_ignore_ascii_case(keyword))
}

/// The parenthesis that is still open, and the word before it.
fn open_call<'a>(tokens: &[Token<'a>]) -> Option<(usize, &'a str)> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().rev() {
        match token {
            Token::Mark(')') => depth += 1,
            Token::Mark('(') if depth == 0 => {
                return match at.checked_sub(1).and_then(|before| tokens.get(before)) {
                    Some(Token::Word(word)) => Some((at, word)),
                    _ => Some((at, "")),
                };
            }
            Token::Mark('(') => depth -= 1,
            _ => {}
        }
    }
    None
}

fn in_stats(tokens: &[Token<'_>]) -> Expected {
    let condition =
        tokens.windows(2).rposition(|pair| is_word(&pair[0], "if") && pair[1] == Token::Mark('('));
    if let Some(at) = condition {
        let inside = tokens.get(at + 2..).unwrap_or_default();
        let opened = inside.iter().filter(|token| **token == Token::Mark('(')).count();
        let closed = inside.iter().filter(|token| **token == Token::Mark(')')).count();
        if closed <= opened {
            return in_filter(inside);
        }
    }
    let has_by = tokens.iter().any(|token| is_word(token, "by"));
    if let Some((_, function)) = open_call(tokens) {
        let takes_field = !["time", "count", "rate"].iter().any(|known| function.eq_ignore_ascii_case(known));
        return if takes_field { Expected::Column } else { Expected::Nothing };
    }
    match tokens.last() {
        Some(token) if is_word(token, "as") => Expected::Nothing,
        Some(token) if has_by && (is_word(token, "by") || *token == Token::Mark(',')) => Expected::Column,
        None | Some(Token::Mark(',')) => Expected::Function,
        Some(_) if has_by => Expected::Words(&["as", "|"]),
        Some(Token::Mark(')')) => Expected::Words(&["by", "as", "if (", "|"]),
        Some(_) => Expected::Words(&["by", "if (", "|"]),
    }
}

fn in_where(tokens: &[Token<'_>]) -> Expected {
    if let Some(field) = value_of(tokens) {
        return Expected::Value(field);
    }
    match tokens {
        [.., Token::Word(name), Token::Mark('=')] => Expected::Value(name_of(name)),
        [] | [.., Token::Mark('(')] => Expected::ColumnOrFilter,
        [.., last] if ["AND", "OR", "NOT"].iter().any(|known| *last == Token::Word(known)) => {
            Expected::ColumnOrFilter
        }
        [.., Token::Word(_), Token::Word(_)] | [Token::Word(_)] => Expected::Nothing,
        _ => Expected::Words(&["AND", "OR", "NOT", "|"]),
    }
}

fn in_top(tokens: &[Token<'_>]) -> Expected {
    let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    if tokens.iter().any(|token| is_word(token, "by")) {
        return match open_call(tokens) {
            Some((_, function)) if function.eq_ignore_ascii_case("sum") => Expected::Column,
            Some(_) => Expected::Nothing,
            None if tokens.last().is_some_and(|token| is_word(token, "by")) => {
                Expected::Words(&["count()", "sum("])
            }
            None => Expected::Words(&["as", "if (", "|"]),
        };
    }
    match tokens.last() {
        None | Some(Token::Mark(',')) => Expected::Column,
        Some(Token::Word(word)) if tokens.len() == 1 && is_number(word) => Expected::Column,
        Some(_) => Expected::Words(&["by", "|"]),
    }
}
