//! Words, quoted text and punctuation of a filter.

/// A piece of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// A field, an operator, or a literal that stands without quotes.
    Word(String),
    /// What was between double quotes, unescaped.
    Text(String),
    Open,
    Close,
    Comma,
}

/// Takes a filter apart.
pub(crate) fn tokens(filter: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = filter.chars().peekable();
    while let Some(next) = rest.next() {
        let token = match next {
            '(' => Token::Open,
            ')' => Token::Close,
            ',' => Token::Comma,
            '"' => Token::Text(quoted(&mut rest)?),
            blank if blank.is_whitespace() => continue,
            first => {
                let mut word = String::from(first);
                while let Some(next) = rest.next_if(|next| !ends_word(*next)) {
                    word.push(next);
                }
                Token::Word(word)
            }
        };
        tokens.push(token);
    }
    Ok(tokens)
}

fn ends_word(next: char) -> bool {
    next.is_whitespace() || matches!(next, '(' | ')' | ',' | '"')
}

/// The rest of a quoted text. A backslash stands before a backslash or a quote, and nothing else.
fn quoted(rest: &mut impl Iterator<Item = char>) -> Result<String, String> {
    let mut text = String::new();
    while let Some(next) = rest.next() {
        match next {
            '"' => return Ok(text),
            '\\' => match rest.next() {
                Some(escaped @ ('"' | '\\')) => text.push(escaped),
                Some(other) => return Err(format!("unknown escape \\{other}")),
                None => break,
            },
            other => text.push(other),
        }
    }
    Err("a quote is not closed".to_owned())
}
