//! Rewrites tokens for GoogleSQL syntax that the parser does not support.
//!
//! An inserted token has the location of the token that it replaces.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan, Word};

pub(crate) fn adapt(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut tokens: Vec<TokenWithSpan> =
        tokens.into_iter().filter(|token| !matches!(token.token, Token::Whitespace(_))).flat_map(split_double_equals).collect();
    unmark_keywords_after_points(&mut tokens);
    unmark_table_keyword(&mut tokens);
    rewrite_typed_arrays(tokens)
}

/// Splits `==`, which is not an operator of GoogleSQL, into two tokens.
fn split_double_equals(token: TokenWithSpan) -> Vec<TokenWithSpan> {
    let span = token.span;
    if token.token != Token::DoubleEq {
        return vec![token];
    }
    let middle = Location { column: span.start.column + 1, ..span.start };
    [Span::new(span.start, middle), Span::new(middle, span.end)].map(|span| TokenWithSpan { token: Token::Eq, span }).to_vec()
}

/// A keyword after a point is a name, as in `SAFE.SUBSTR` and `t.end`.
fn unmark_keywords_after_points(tokens: &mut [TokenWithSpan]) {
    let mut after_point = false;
    for token in tokens {
        if let (true, Token::Word(word)) = (after_point, &mut token.token) {
            word.keyword = Keyword::NoKeyword;
        }
        after_point = token.token == Token::Period;
    }
}

/// TABLE is a name at the position of a table's name, except in `TABLE(…)`.
fn unmark_table_keyword(tokens: &mut [TokenWithSpan]) {
    for index in 1..tokens.len() {
        let after_from = matches!(
            &tokens[index - 1].token,
            Token::Word(Word { keyword: Keyword::FROM | Keyword::JOIN | Keyword::WITH, .. }) | Token::Comma
        );
        let before_arguments = tokens.get(index + 1).is_some_and(|next| next.token == Token::LParen);
        if let (true, false, Token::Word(word @ Word { keyword: Keyword::TABLE, .. })) =
            (after_from, before_arguments, &mut tokens[index].token)
        {
            word.keyword = Keyword::NoKeyword;
        }
    }
}

/// Rewrites `ARRAY<T>[…]` to `CAST([…] AS ARRAY<T>)`.
fn rewrite_typed_arrays(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut adapted = Vec::with_capacity(tokens.len());
    let mut closing: Vec<(usize, Vec<TokenWithSpan>)> = Vec::new();
    let mut depth = 0;
    let mut index = 0;
    while index < tokens.len() {
        let token = &tokens[index];
        if let Some(end) = find_array_type_end(&tokens, index) {
            let written = |token: Token| TokenWithSpan { token, span: tokens[index].span };
            adapted.extend([written(word("CAST", Keyword::CAST)), written(Token::LParen)]);
            let mut tail = vec![written(word("AS", Keyword::AS))];
            tail.extend_from_slice(&tokens[index..end]);
            tail.push(written(Token::RParen));
            closing.push((depth, tail));
            index = end;
            continue;
        }
        match token.token {
            Token::LBracket => depth += 1,
            Token::RBracket => depth -= 1,
            _ => {}
        }
        adapted.push(token.clone());
        if token.token == Token::RBracket
            && let Some((_, tail)) = closing.pop_if(|(opened, _)| *opened == depth)
        {
            adapted.extend(tail);
        }
        index += 1;
    }
    adapted
}

/// The index after `ARRAY<…>`, if the tokens at `from` are that and a `[` follows.
fn find_array_type_end(tokens: &[TokenWithSpan], from: usize) -> Option<usize> {
    let Token::Word(Word { keyword: Keyword::ARRAY, .. }) = tokens[from].token else { return None };
    let mut open = 0;
    for (index, token) in tokens.iter().enumerate().skip(from + 1) {
        match token.token {
            Token::Lt => open += 1,
            Token::Gt => open -= 1,
            Token::ShiftRight => open -= 2,
            Token::Word(_) | Token::Comma if open > 0 => continue,
            _ => return None,
        }
        if open <= 0 {
            let is_literal = tokens.get(index + 1).is_some_and(|next| next.token == Token::LBracket);
            return (is_literal && open == 0).then_some(index + 1);
        }
    }
    None
}

fn word(text: &str, keyword: Keyword) -> Token {
    Token::Word(Word { value: text.to_owned(), quote_style: None, keyword })
}
