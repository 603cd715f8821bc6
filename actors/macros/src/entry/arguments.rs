//! The `name = value` arguments of the attributes.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Error, Expr, ExprLit, Lit, Meta, Result, Token};

/// Arguments whose names are known, each given once.
pub(super) struct Arguments {
    given: Vec<(String, Expr)>,
}

impl Arguments {
    /// Reads `tokens`; a name that is not among `known` is an error that lists them.
    pub(super) fn parse(tokens: TokenStream, attribute: &str, known: &[&str]) -> Result<Arguments> {
        let metas = Punctuated::<Meta, Token![,]>::parse_terminated.parse2(tokens)?;
        let mut given: Vec<(String, Expr)> = Vec::new();
        for meta in metas {
            let name = meta.path().to_token_stream().to_string().replace(' ', "");
            if !known.contains(&name.as_str()) {
                let text = format!(
                    "#[{attribute}] has no argument `{name}`; it has: {}",
                    known.join(", ")
                );
                return Err(Error::new_spanned(meta.path(), text));
            }
            if given.iter().any(|(earlier, _)| *earlier == name) {
                return Err(Error::new_spanned(&meta, format!("`{name}` is given twice")));
            }
            let value = value(&meta, &name)?;
            given.push((name, value));
        }
        Ok(Arguments { given })
    }

    /// `name: Some(value)` or `name: None`, a field of the options struct.
    pub(super) fn field(&self, name: &str) -> TokenStream {
        let field = syn::Ident::new(name, Span::mixed_site());
        match self.find(name) {
            Some(value) => quote!(#field: ::core::option::Option::Some(#value)),
            None => quote_spanned!(Span::mixed_site()=> #field: ::core::option::Option::None),
        }
    }

    /// An error if both were given, saying why.
    pub(super) fn refuse_pair(&self, one: &str, other: &str, why: &str) -> Result<()> {
        match (self.find(one), self.find(other)) {
            (Some(_), Some(value)) => {
                let text = format!("`{one}` and `{other}` exclude each other: {why}");
                Err(Error::new_spanned(value, text))
            }
            _ => Ok(()),
        }
    }

    fn find(&self, name: &str) -> Option<&Expr> {
        self.given.iter().find(|(given, _)| given == name).map(|(_, value)| value)
    }
}

/// The value of `name = value`. Zero is a seed, but neither a number of threads nor of runs.
fn value(meta: &Meta, name: &str) -> Result<Expr> {
    let Meta::NameValue(pair) = meta else {
        return Err(Error::new_spanned(meta, format!("`{name}` needs a number: `{name} = 2`")));
    };
    if name != "seed" && is_zero(&pair.value) {
        return Err(Error::new_spanned(&pair.value, format!("`{name}` must be at least 1")));
    }
    Ok(pair.value.clone())
}

fn is_zero(value: &Expr) -> bool {
    matches!(value, Expr::Lit(ExprLit { lit: Lit::Int(n), .. }) if n.base10_digits() == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(tokens: TokenStream) -> Result<Arguments> {
        Arguments::parse(tokens, "beamish::test", &["workers", "seed", "seeds"])
    }

    fn error(tokens: TokenStream) -> String {
        parse(tokens).err().unwrap().to_string()
    }

    #[test]
    fn numbers_and_expressions_are_values() {
        let arguments = parse(quote!(workers = cores() / 2, seed = 0,)).ok().unwrap();
        assert!(arguments.field("workers").to_string().contains("Some (cores () / 2)"));
        assert!(arguments.field("seeds").to_string().contains("None"));
    }

    #[test]
    fn errors_list_what_there_is() {
        assert!(error(quote!(wrokers = 2)).contains("it has: workers, seed, seeds"));
        assert!(error(quote!(workers)).contains("`workers = 2`"));
        assert!(error(quote!(workers = 2, workers = 3)).contains("given twice"));
        assert!(error(quote!(workers = 0)).contains("at least 1"));
        assert!(error(quote!(seeds = 0)).contains("at least 1"));
    }
}
