//! `#[main]` and `#[test]`: an ordinary function that runs the async one inside a runtime.

mod arguments;

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Attribute, Error, ItemFn, Result};

use arguments::Arguments;

pub(crate) fn expand_main(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let arguments = Arguments::parse(arguments, "beamish::main", &["workers"])?;
    let function = parse_function(item, "beamish::main")?;
    let (outer, inner, name) = split(&function);
    let workers = arguments.field("workers");
    Ok(quote_spanned! {Span::mixed_site()=>
        #outer fn #name() -> ::std::process::ExitCode {
            #inner
            ::beamish::__private::run_main(
                ::beamish::__private::MainOptions { #workers },
                #name(),
            )
        }
    })
}

pub(crate) fn expand_test(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let arguments = Arguments::parse(arguments, "beamish::test", &["workers", "seed", "seeds"])?;
    arguments.refuse_pair("seed", "seeds", "one runs a single schedule, the other many")?;
    for seeded in ["seed", "seeds"] {
        arguments.refuse_pair("workers", seeded, "a seeded schedule runs on one thread")?;
    }
    let function = parse_function(item, "beamish::test")?;
    refuse_second_test(&function.attrs)?;
    let (outer, inner, name) = split(&function);
    let fields = ["workers", "seed", "seeds"].map(|field| arguments.field(field));
    Ok(quote_spanned! {Span::mixed_site()=>
        #[::core::prelude::v1::test]
        #outer fn #name() {
            #inner
            ::beamish::__private::run_test(
                ::beamish::__private::TestOptions {
                    name: ::core::concat!(
                        ::core::module_path!(), "::", ::core::stringify!(#name)
                    ),
                    #(#fields,)*
                },
                #name,
            )
        }
    })
}

/// What stands before the outer function's `fn`, the async function itself, and the name of both.
///
/// The async function moves inside the outer one under its own name, as it was written: so its
/// types are checked, and its errors reported, just as they would be without the attribute.
fn split(function: &ItemFn) -> (TokenStream, TokenStream, &syn::Ident) {
    let ItemFn { attrs, vis, sig, block, .. } = function;
    (quote!(#(#attrs)* #vis), quote!(#sig #block), &sig.ident)
}

fn parse_function(item: TokenStream, attribute: &str) -> Result<ItemFn> {
    let function: ItemFn = syn::parse2(item)?;
    let signature = &function.sig;
    let refuse = |span: Span, what: &str| Err(Error::new(span, format!("#[{attribute}] {what}")));
    if signature.asyncness.is_none() {
        return refuse(signature.fn_token.span, "needs an async function: write `async fn`");
    }
    if let Some(parameter) = signature.inputs.first() {
        return Err(Error::new_spanned(
            parameter,
            format!("#[{attribute}] calls this function without arguments: take no parameters"),
        ));
    }
    if !signature.generics.params.is_empty() {
        return refuse(signature.ident.span(), "cannot choose types for a generic function");
    }
    Ok(function)
}

fn refuse_second_test(attributes: &[Attribute]) -> Result<()> {
    let is_test = |attribute: &&Attribute| {
        attribute.path().segments.last().is_some_and(|segment| segment.ident == "test")
    };
    attributes.iter().find(is_test).map_or(Ok(()), |attribute| {
        Err(Error::new_spanned(
            attribute,
            "#[beamish::test] makes this a test; remove the other one",
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn main_error(arguments: TokenStream, item: TokenStream) -> String {
        expand_main(arguments, item).unwrap_err().to_string()
    }

    fn test_error(arguments: TokenStream) -> String {
        expand_test(
            arguments,
            quote!(
                async fn t() {}
            ),
        )
        .unwrap_err()
        .to_string()
    }

    #[test]
    fn main_keeps_what_surrounds_the_function() {
        let item = quote! { /// Docs.
        #[allow(dead_code)] pub(crate) async fn main() -> Result<(), Oops> { run().await } };
        let file: syn::File = syn::parse2(expand_main(quote!(workers = 2), item).unwrap()).unwrap();
        let syn::Item::Fn(outer) = &file.items[0] else { panic!("not a function") };
        assert_eq!(outer.attrs.len(), 2);
        assert!(matches!(outer.vis, syn::Visibility::Restricted(_)));
        assert!(outer.sig.asyncness.is_none());
        let code = quote!(#outer).to_string();
        assert!(code.contains("async fn main () -> Result < () , Oops > { run () . await }"));
        assert!(code.contains("workers : :: core :: option :: Option :: Some (2)"));
    }

    #[test]
    fn a_test_keeps_its_attributes_and_is_named() {
        let item = quote! { #[should_panic] #[ignore = "slow"] async fn falls() { panic!() } };
        let code = expand_test(quote!(seeds = 100), item).unwrap().to_string();
        for part in ["prelude :: v1 :: test", "should_panic", "ignore", "stringify ! (falls)"] {
            assert!(code.contains(part), "{part} is not in {code}");
        }
        assert!(code.contains("seed : :: core :: option :: Option :: None"));
        assert!(code.contains("seeds : :: core :: option :: Option :: Some (100)"));
    }

    #[test]
    fn errors_say_what_to_write() {
        assert!(
            main_error(
                quote!(),
                quote!(
                    fn main() {}
                )
            )
            .contains("async fn")
        );
        assert!(
            main_error(
                quote!(),
                quote!(
                    async fn main(a: u8) {}
                )
            )
            .contains("no parameters")
        );
        assert!(
            main_error(
                quote!(),
                quote!(
                    async fn main<T>() {}
                )
            )
            .contains("generic")
        );
        let twice = expand_test(
            quote!(),
            quote!(
                #[test]
                async fn t() {}
            ),
        )
        .unwrap_err();
        assert!(twice.to_string().contains("remove the other one"));
    }

    #[test]
    fn seeds_and_workers_exclude_each_other() {
        assert!(test_error(quote!(seed = 1, seeds = 2)).contains("`seed` and `seeds`"));
        assert!(test_error(quote!(workers = 1, seed = 2)).contains("one thread"));
    }
}
