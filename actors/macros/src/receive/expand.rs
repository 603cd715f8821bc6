//! The code that `receive!` stands for.
//!
//! Bodies may say `break`, `continue` and `?`, and mean the user's loop and function, so they
//! cannot stand inside the loop that walks the mailbox. Hence two phases:
//!
//! 1. The search, a loop of ours, takes one message after the other and asks each group of
//!    clauses (neighbours with the same type) whether it matches. Asking must not take the value
//!    apart, so the patterns stand in arms that can never be entered: each arm's guard notes its
//!    number where the user's guard agrees, and says no. What did not match goes back whole.
//! 2. One `match`, outside of any loop, on the number and the value that the search found. Its
//!    arms have the user's patterns, without the guards, and the bodies.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Pat, Type};

use super::guard;
use super::parse::{Clause, Receive, Wait};
use super::split;

/// Neighbouring clauses that take the same type: their message is unpacked once for all of them.
struct Group<'a> {
    variant: Ident,
    ty: &'a Type,
    arms: Vec<Arm<'a>>,
}

/// One clause, with the numbers of its patterns.
struct Arm<'a> {
    clause: &'a Clause,
    patterns: Vec<(u16, Pat)>,
}

pub(super) fn expand(receive: &Receive) -> TokenStream {
    let groups = group(&receive.clauses);
    let found = found_enum(receive, &groups);
    let search = search(receive, &groups);
    let bodies = bodies(receive, &groups);
    // Locals of the expansion are mixed-site: the user's code can neither see nor shadow them.
    quote_spanned! {Span::mixed_site()=> {
        #found
        let found = { #search };
        #bodies
    }}
}

fn group(clauses: &[Clause]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for clause in clauses {
        if !groups.last().is_some_and(|last| same(last.ty, &clause.ty)) {
            let variant = format_ident!("Group{}", groups.len(), span = Span::mixed_site());
            groups.push(Group { variant, ty: &clause.ty, arms: Vec::new() });
        }
        let Some(last) = groups.last_mut() else { continue };
        let used: usize = last.arms.iter().map(|arm| arm.patterns.len()).sum();
        last.arms.push(Arm { clause, patterns: numbered(clause, used) });
    }
    groups
}

fn same(one: &Type, other: &Type) -> bool {
    one.to_token_stream().to_string() == other.to_token_stream().to_string()
}

/// The clause's patterns with their numbers, which start at one.
fn numbered(clause: &Clause, used: usize) -> Vec<(u16, Pat)> {
    let patterns = match clause.guard {
        Some(_) => split::alternatives(&clause.pattern),
        None => vec![clause.pattern.clone()],
    };
    let number = |index: usize| u16::try_from(used + index + 1).unwrap_or(u16::MAX);
    patterns.into_iter().enumerate().map(|(index, pattern)| (number(index), pattern)).collect()
}

/// The name is long because items are not hygienic: bodies can see it.
fn found_name() -> Ident {
    Ident::new("__BeamishFound", Span::mixed_site())
}

fn found_enum(receive: &Receive, groups: &[Group<'_>]) -> TokenStream {
    let name = found_name();
    let variants: Vec<_> = groups.iter().map(|group| &group.variant).collect();
    let after = receive.after.as_ref().map(|_| quote!(After,));
    quote_spanned! {Span::mixed_site()=>
        enum #name<#(#variants),*> { #(#variants(u16, #variants),)* #after }
    }
}

fn search(receive: &Receive, groups: &[Group<'_>]) -> TokenStream {
    let name = found_name();
    let timeout = timeout(receive);
    let timed_out = match receive.after {
        Some(_) => quote!(break #name::After),
        None => quote!(::core::unreachable!("a receive without a time-out timed out")),
    };
    let tries = groups.iter().map(try_group);
    quote_spanned! {Span::mixed_site()=>
        let mut selector = ::beamish::__private::Selector::new(#timeout);
        loop {
            let message = match selector.next().await {
                ::core::option::Option::Some(message) => message,
                ::core::option::Option::None => #timed_out,
            };
            #(#tries)*
            selector.reject(message);
        }
    }
}

fn timeout(receive: &Receive) -> TokenStream {
    let duration = quote!(::core::time::Duration);
    match receive.after.as_ref().map(|after| &after.wait) {
        None | Some(Wait::Never) => quote!(::core::option::Option::None::<#duration>),
        Some(Wait::Zero) => quote!(::core::option::Option::Some(#duration::ZERO)),
        Some(Wait::For(wait)) => quote_spanned! {Span::mixed_site()=>
            ::core::option::Option::Some({ let wait: #duration = #wait; wait })
        },
    }
}

/// Asks one group about `message`; goes on with the message if the answer is no.
fn try_group(group: &Group<'_>) -> TokenStream {
    let (name, variant) = (found_name(), &group.variant);
    let ty = group.ty;
    let take = quote_spanned!(ty.span()=> take::<#ty>);
    let arms = group.arms.iter().flat_map(|arm| {
        arm.patterns.iter().map(|(number, pattern)| test_arm(arm.clause, *number, pattern))
    });
    quote_spanned! {Span::mixed_site()=>
        let message = match message.#take() {
            ::core::result::Result::Ok((value, shell)) => {
                let mut hit = 0u16;
                #[allow(unused_variables, unused_mut, unreachable_patterns, clippy::all)]
                match value {
                    #(#arms)*
                    _ => {}
                }
                if hit != 0 {
                    ::core::mem::drop(shell);
                    selector.accept();
                    break #name::#variant(hit, value);
                }
                shell.restore(value)
            }
            ::core::result::Result::Err(message) => message,
        };
    }
}

/// An arm that notes its number if pattern and guard agree, and is never entered.
fn test_arm(clause: &Clause, number: u16, pattern: &Pat) -> TokenStream {
    let attributes = &clause.attributes;
    let note = match &clause.guard {
        None => quote_spanned!(Span::mixed_site()=> hit = #number;),
        Some(guard) => quote_spanned! {Span::mixed_site()=>
            let agrees: bool = #guard;
            if agrees { hit = #number; }
        },
    };
    quote_spanned! {Span::mixed_site()=>
        #(#attributes)*
        #pattern if hit == 0 && { #note false } => ::core::unreachable!(),
    }
}

fn bodies(receive: &Receive, groups: &[Group<'_>]) -> TokenStream {
    let name = found_name();
    let arms = groups
        .iter()
        .flat_map(|group| group.arms.iter().map(move |arm| body_arm(&group.variant, arm)));
    let after = receive.after.as_ref().map(|after| {
        let body = &after.body;
        quote!(#name::After => #body,)
    });
    quote_spanned! {Span::mixed_site()=>
        match found {
            #(#arms)*
            #after
            #[allow(unreachable_patterns)]
            _ => ::core::unreachable!("a message matched in the search and not in the body's arm"),
        }
    }
}

fn body_arm(variant: &Ident, arm: &Arm<'_>) -> TokenStream {
    let name = found_name();
    let Clause { attributes, pattern, guard, body, .. } = arm.clause;
    let patterns = arm.patterns.iter().map(
        |(number, pattern)| quote_spanned!(Span::mixed_site()=> #name::#variant(#number, #pattern)),
    );
    let body = marked(guard.as_ref(), pattern, body);
    quote!(#(#attributes)* #(#patterns)|* => #body,)
}

/// The body, after a use of each binding that only the guard may have looked at.
fn marked(guard: Option<&Expr>, pattern: &Pat, body: &Expr) -> TokenStream {
    let names = guard.map(|guard| guard::mentioned(guard, pattern)).unwrap_or_default();
    if names.is_empty() { quote!(#body) } else { quote!({ #(let _ = &#names;)* #body }) }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    fn text(input: proc_macro2::TokenStream) -> String {
        crate::receive::expand(input).unwrap().to_string()
    }

    fn count(text: &str, part: &str) -> usize {
        text.matches(part).count()
    }

    #[test]
    fn neighbours_with_one_type_are_unpacked_once() {
        let code = text(quote!(A(x): T => x, B(x): T => x, _: U => 0, C(x): T => x));
        assert_eq!(count(&code, "take ::"), 3);
        syn::parse2::<syn::Expr>(crate::receive::expand(quote!(A(x): T => x)).unwrap()).unwrap();
    }

    #[test]
    fn bodies_stand_after_the_only_loop() {
        let code = text(quote!(_: T => break, after 0 => continue));
        assert_eq!(count(&code, "loop"), 1);
        let end = code.find("match found").unwrap();
        assert!(code.rfind("loop").unwrap() < end);
        assert!(code.find("continue").unwrap() > end);
    }

    #[test]
    fn a_guarded_or_pattern_gets_a_number_per_alternative() {
        let code = text(quote!((x, _) | (_, x): P if x == 7 => x));
        assert!(code.contains("(1u16 , (x , _)) | __BeamishFound :: Group0 (2u16 , (_ , x))"));
        assert_eq!(count(&code, "x == 7"), 2);
    }

    #[test]
    fn waiting_for_time_alone_needs_no_clause() {
        let code = text(quote!(after limit() => ()));
        assert!(code.contains("enum __BeamishFound < > { After , }"));
    }
}
