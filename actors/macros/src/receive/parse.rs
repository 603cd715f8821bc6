//! The grammar of `receive!`.

use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Error, Expr, Lit, Pat, Result, Token, Type};

use super::guard;

/// Everything between the braces of `receive! { .. }`.
pub(super) struct Receive {
    pub(super) clauses: Vec<Clause>,
    pub(super) after: Option<After>,
}

/// `PATTERN: TYPE if GUARD => BODY`.
pub(super) struct Clause {
    pub(super) attributes: Vec<Attribute>,
    pub(super) pattern: Pat,
    pub(super) ty: Type,
    pub(super) guard: Option<Expr>,
    pub(super) body: Expr,
}

/// `after WAIT => BODY`.
pub(super) struct After {
    pub(super) wait: Wait,
    pub(super) body: Expr,
}

/// How long to wait for a message.
pub(super) enum Wait {
    /// `after never`
    Never,
    /// `after 0`
    Zero,
    /// An expression of type `Duration`.
    For(Expr),
}

impl Parse for Receive {
    fn parse(input: ParseStream) -> Result<Receive> {
        if input.is_empty() {
            return Err(input.error(
                "receive! needs a clause: `PATTERN: TYPE => BODY`, for instance \
                 `other: Message => drop(other)`",
            ));
        }
        let mut clauses = Vec::new();
        let mut after = None;
        while !input.is_empty() {
            if at_after(input) {
                if after.is_some() {
                    return Err(input.error("receive! takes one `after` clause; this is a second"));
                }
                after = Some(input.parse()?);
            } else if after.is_some() {
                return Err(input.error("`after` must be the last clause; move this one above it"));
            } else {
                clauses.push(input.parse()?);
            }
        }
        Ok(Receive { clauses, after })
    }
}

impl Parse for Clause {
    fn parse(input: ParseStream) -> Result<Clause> {
        let attributes = input.call(Attribute::parse_outer)?;
        let pattern = Pat::parse_multi_with_leading_vert(input)?;
        let ty = parse_type(input, &pattern)?;
        let guard = if input.peek(Token![if]) { Some(parse_guard(input)?) } else { None };
        let body = parse_body(input)?;
        Ok(Clause { attributes, pattern, ty, guard, body })
    }
}

impl Parse for After {
    fn parse(input: ParseStream) -> Result<After> {
        let _keyword: syn::Ident = input.parse()?;
        if input.peek(Token![=>]) {
            return Err(
                input.error("expected a time: `after DURATION`, `after 0` or `after never`")
            );
        }
        Ok(After { wait: classify(input.parse()?)?, body: parse_body(input)? })
    }
}

/// Is the next token the word `after`, and not a pattern that happens to start with that name?
fn at_after(input: ParseStream) -> bool {
    let ahead = input.fork();
    let is_word = ahead.parse::<syn::Ident>().is_ok_and(|word| word == "after");
    let is_binding = (ahead.peek(Token![:]) && !ahead.peek(Token![::]))
        || ahead.peek(Token![@])
        || ahead.peek(Token![|]);
    is_word && !is_binding
}

fn parse_type(input: ParseStream, pattern: &Pat) -> Result<Type> {
    if !input.peek(Token![:]) || input.peek(Token![::]) {
        return Err(Error::new_spanned(
            pattern,
            "this clause does not say which type of message it takes: write `PATTERN: TYPE => BODY` \
             (the type `Message` takes any message)",
        ));
    }
    input.parse::<Token![:]>()?;
    if input.peek(Token![=>]) || input.peek(Token![if]) {
        return Err(input.error("expected the message's type here (`Message` takes any message)"));
    }
    input.parse()
}

fn parse_guard(input: ParseStream) -> Result<Expr> {
    input.parse::<Token![if]>()?;
    let guard = input.parse()?;
    guard::check(&guard)?;
    Ok(guard)
}

/// `=> BODY`, and the comma after it where the clause needs or has one.
fn parse_body(input: ParseStream) -> Result<Expr> {
    if !input.peek(Token![=>]) {
        return Err(input.error("expected `=> BODY` here"));
    }
    input.parse::<Token![=>]>()?;
    let body = Expr::parse_with_earlier_boundary_rule(input)?;
    let has_comma = input.parse::<Option<Token![,]>>()?.is_some();
    if !has_comma && !input.is_empty() && !ends_itself(&body) {
        return Err(input.error("expected `,` between this clause and the one before it"));
    }
    Ok(body)
}

/// The expressions that need no comma after them in a `match` arm.
fn ends_itself(body: &Expr) -> bool {
    matches!(
        body,
        Expr::Block(_)
            | Expr::Unsafe(_)
            | Expr::If(_)
            | Expr::Match(_)
            | Expr::While(_)
            | Expr::Loop(_)
            | Expr::ForLoop(_)
            | Expr::TryBlock(_)
            | Expr::Const(_)
    )
}

fn classify(wait: Expr) -> Result<Wait> {
    match &wait {
        Expr::Path(path) if path.path.is_ident("never") => Ok(Wait::Never),
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(number) if number.base10_digits() == "0" => Ok(Wait::Zero),
            other => Err(Error::new_spanned(
                other,
                "`after` takes a Duration, such as `Duration::from_millis(100)`; the only bare \
                 number is 0, which looks once and does not wait",
            )),
        },
        _ => Ok(Wait::For(wait)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    fn error(input: proc_macro2::TokenStream) -> String {
        match syn::parse2::<Receive>(input) {
            Ok(_) => panic!("parsed"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn patterns_of_every_kind_parse() {
        let receive: Receive = syn::parse2(quote! {
            Donation { id, amount }: Donation if id == wanted => record(amount),
            _: Stop => return,
            whole @ Foo(..): Foo => { keep(whole) }
            A(x) | B(x): crate::Either<u8, Vec<u8>> => x,
            | -1..=3 | LIMIT: i64 => if a { b } else { c }
            "stop": &'static str => {}
            (mut a, [first, ..]): (u8, [u8; 4])=>a = first,
            after: Vec<Vec<u8>> => drop(after),
            self::wire::Up::<u8>(n): self::wire::Up<u8> if n > 3 && n < 5 => n,
            other: Message => other.await?,
            after Duration::from_secs(5) => None,
        })
        .unwrap();
        assert_eq!(receive.clauses.len(), 10);
        assert!(matches!(receive.after.unwrap().wait, Wait::For(_)));
    }

    #[test]
    fn after_takes_zero_never_or_a_duration() {
        let wait = |input| syn::parse2::<Receive>(input).unwrap().after.unwrap().wait;
        assert!(matches!(wait(quote!(after 0 => ())), Wait::Zero));
        assert!(matches!(wait(quote!(after never => ())), Wait::Never));
        assert!(matches!(wait(quote!(after limit => ())), Wait::For(_)));
        assert!(error(quote!(after 500 => ())).contains("Duration::from_millis"));
        assert!(error(quote!(after => ())).contains("expected a time"));
    }

    #[test]
    fn errors_say_what_to_write() {
        assert!(error(quote!()).contains("PATTERN: TYPE => BODY"));
        assert!(error(quote!(Stop => ())).contains("which type of message"));
        assert!(error(quote!(x::y => ())).contains("which type of message"));
        assert!(error(quote!(_: => ())).contains("the message's type"));
        assert!(error(quote!(_: Stop, _: Go => ())).contains("=> BODY"));
        assert!(error(quote!(_: Stop => a() _: Go => b())).contains("between this clause"));
        assert!(error(quote!(after 0 => (), _: Stop => ())).contains("must be the last"));
        assert!(error(quote!(after 0 => (), after 0 => ())).contains("a second"));
    }
}
