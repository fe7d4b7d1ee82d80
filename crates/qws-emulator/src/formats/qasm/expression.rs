//! Angles: numbers, `pi`, parameters, the four operations, powers and six functions.

use std::collections::HashMap;
use std::f64::consts::PI;

use super::lexer::{Lexer, Token};

/// Parentheses within parentheses; a limit, because they are read by recursion.
const MAX_DEPTH: usize = 64;

#[derive(Clone, Debug)]
pub(crate) enum Expression<'a> {
    Number(f64),
    Parameter(&'a str),
    Negative(Box<Expression<'a>>),
    Binary(char, Box<Expression<'a>>, Box<Expression<'a>>),
    Function(fn(f64) -> f64, Box<Expression<'a>>),
}

impl Expression<'_> {
    /// The value, with the parameters of the gate that it stands in.
    pub(crate) fn value(&self, parameters: &HashMap<&str, f64>) -> Result<f64, String> {
        let value = match self {
            Self::Number(number) => *number,
            Self::Parameter(name) => {
                *parameters.get(name).ok_or_else(|| format!("`{name}` is no parameter here"))?
            }
            Self::Negative(inner) => -inner.value(parameters)?,
            Self::Function(function, inner) => function(inner.value(parameters)?),
            Self::Binary(sign, left, right) => {
                let (left, right) = (left.value(parameters)?, right.value(parameters)?);
                match sign {
                    '+' => left + right,
                    '-' => left - right,
                    '*' => left * right,
                    '/' => left / right,
                    _ => left.powf(right),
                }
            }
        };
        if value.is_finite() { Ok(value) } else { Err("an angle is not finite".to_owned()) }
    }
}

pub(crate) fn parse<'a>(lexer: &mut Lexer<'a>) -> Result<Expression<'a>, String> {
    sum(lexer, 0)
}

fn binary<'a>(sign: char, left: Expression<'a>, right: Expression<'a>) -> Expression<'a> {
    Expression::Binary(sign, Box::new(left), Box::new(right))
}

fn sum<'a>(lexer: &mut Lexer<'a>, depth: usize) -> Result<Expression<'a>, String> {
    if depth > MAX_DEPTH {
        return Err(format!("an angle is nested more than {MAX_DEPTH} deep"));
    }
    let mut left = product(lexer, depth)?;
    while let Token::Sign(sign @ ('+' | '-')) = lexer.peek()? {
        lexer.next()?;
        left = binary(sign, left, product(lexer, depth)?);
    }
    Ok(left)
}

fn product<'a>(lexer: &mut Lexer<'a>, depth: usize) -> Result<Expression<'a>, String> {
    let mut left = power(lexer, depth)?;
    while let Token::Sign(sign @ ('*' | '/')) = lexer.peek()? {
        lexer.next()?;
        left = binary(sign, left, power(lexer, depth)?);
    }
    Ok(left)
}

/// Binds more tightly than a minus before it, and to the right: `-a^b^c` is `-(a^(b^c))`.
fn power<'a>(lexer: &mut Lexer<'a>, depth: usize) -> Result<Expression<'a>, String> {
    if depth > MAX_DEPTH {
        return Err(format!("an angle is nested more than {MAX_DEPTH} deep"));
    }
    if lexer.peek()? == Token::Sign('-') {
        lexer.next()?;
        return Ok(Expression::Negative(Box::new(power(lexer, depth + 1)?)));
    }
    let base = atom(lexer, depth)?;
    if lexer.peek()? != Token::Sign('^') {
        return Ok(base);
    }
    lexer.next()?;
    Ok(binary('^', base, power(lexer, depth + 1)?))
}

fn atom<'a>(lexer: &mut Lexer<'a>, depth: usize) -> Result<Expression<'a>, String> {
    let function: fn(f64) -> f64 = match lexer.next()? {
        Token::Number(number) => return Ok(Expression::Number(number)),
        Token::Name("pi") => return Ok(Expression::Number(PI)),
        Token::Sign('(') => {
            let inner = sum(lexer, depth + 1)?;
            lexer.expect(')')?;
            return Ok(inner);
        }
        Token::Name("sin") => f64::sin,
        Token::Name("cos") => f64::cos,
        Token::Name("tan") => f64::tan,
        Token::Name("exp") => f64::exp,
        Token::Name("ln") => f64::ln,
        Token::Name("sqrt") => f64::sqrt,
        Token::Name(parameter) => return Ok(Expression::Parameter(parameter)),
        other => return Err(format!("expected an angle, found {other}")),
    };
    lexer.expect('(')?;
    let inner = sum(lexer, depth + 1)?;
    lexer.expect(')')?;
    Ok(Expression::Function(function, Box::new(inner)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Result<f64, String> {
        let text = format!("{text};");
        parse(&mut Lexer::new(&text))?.value(&HashMap::from([("t", 2.0)]))
    }

    #[test]
    fn operations_bind_as_in_mathematics() {
        for (text, expected) in [
            ("pi/2", PI / 2.0),
            ("-pi/4 + 1", 1.0 - PI / 4.0),
            ("1 - 2 - 3", -4.0),
            ("2*3^2", 18.0),
            ("-2^2", -4.0),
            ("(1+t)*-2", -6.0),
            ("2^3^2", 512.0),
            ("cos(0) + sqrt(4)", 3.0),
            ("1.5e-1", 0.15),
        ] {
            assert!((value(text).unwrap() - expected).abs() < 1e-12, "{text}");
        }
    }

    #[test]
    fn what_is_no_angle_is_said() {
        assert_eq!(value("1/0"), Err("an angle is not finite".to_owned()));
        assert_eq!(value("u"), Err("`u` is no parameter here".to_owned()));
        assert_eq!(value("*"), Err("expected an angle, found `*`".to_owned()));
        assert!(value(&"(".repeat(100)).unwrap_err().contains("nested"));
        assert!(value(&"-".repeat(100_000)).unwrap_err().contains("nested"));
    }
}
