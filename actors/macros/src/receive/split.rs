//! Guarded or-patterns, one alternative at a time.
//!
//! With `(x, _) | (_, x): Pair if x == 7` the guard decides which alternative matched, but the
//! body's copy of the pattern has no guard and would always bind by the first. So the search
//! numbers each alternative on its own, and the body's arm asks for the number that was found.

use syn::Pat;
use syn::visit_mut::{self, VisitMut};

use super::guard::bindings;

/// The patterns that together mean `pattern`, in order, none with an or-pattern that binds.
pub(super) fn alternatives(pattern: &Pat) -> Vec<Pat> {
    let Some(cases) = choose(&mut pattern.clone(), 0) else { return vec![pattern.clone()] };
    let choice = |index| {
        let mut chosen = pattern.clone();
        choose(&mut chosen, index);
        chosen
    };
    (0..cases).flat_map(|index| alternatives(&choice(index))).collect()
}

/// Replaces the first binding or-pattern by its alternative `index`; says how many it has.
fn choose(pattern: &mut Pat, index: usize) -> Option<usize> {
    let mut chooser = Chooser { index, cases: None };
    chooser.visit_pat_mut(pattern);
    chooser.cases
}

struct Chooser {
    index: usize,
    cases: Option<usize>,
}

impl VisitMut for Chooser {
    fn visit_pat_mut(&mut self, pattern: &mut Pat) {
        if self.cases.is_some() {
            return;
        }
        match binding_alternatives(pattern) {
            Some(cases) => {
                self.cases = Some(cases.len());
                *pattern = cases[self.index].clone();
            }
            None => visit_mut::visit_pat_mut(self, pattern),
        }
    }
}

/// The alternatives of an or-pattern with bindings, with or without parentheses around it.
fn binding_alternatives(pattern: &Pat) -> Option<Vec<Pat>> {
    match pattern {
        Pat::Paren(paren) => binding_alternatives(&paren.pat),
        Pat::Or(or) if !bindings(pattern).is_empty() => Some(or.cases.iter().cloned().collect()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::{ToTokens, quote};
    use syn::parse::Parser;

    fn split(tokens: proc_macro2::TokenStream) -> Vec<String> {
        let pattern = Pat::parse_multi_with_leading_vert.parse2(tokens).unwrap();
        let text = |pattern: &Pat| pattern.to_token_stream().to_string().replace(' ', "");
        alternatives(&pattern).iter().map(text).collect()
    }

    #[test]
    fn alternatives_that_bind_are_multiplied_out() {
        assert_eq!(split(quote!((x, _) | (_, x))), ["(x,_)", "(_,x)"]);
        assert_eq!(
            split(quote!(F(A(x) | (B(x) | C(x)), y))),
            ["F(A(x),y)", "F(B(x),y)", "F(C(x),y)"]
        );
        assert_eq!(split(quote!((A(x) | B(x), A(y) | B(y)))).len(), 4);
    }

    #[test]
    fn alternatives_without_bindings_stay_together() {
        assert_eq!(split(quote!(F(1 | 2, y))), ["F(1|2,y)"]);
        assert_eq!(split(quote!(RED | GREEN)), ["RED|GREEN"]);
    }
}
