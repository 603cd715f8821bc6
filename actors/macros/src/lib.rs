//! The procedural macros of `beamish`: [`receive!`](macro@receive), [`#[main]`](macro@main) and
//! [`#[test]`](macro@test).
//!
//! Use them through the `beamish` crate. It re-exports them, and its documentation of each, with
//! examples that compile, stands in front of the sentence here. The code that they produce names
//! `::beamish::__private`, an interface that belongs to these macros alone and changes with them.

mod entry;
mod receive;

use proc_macro::TokenStream;

/// Its search through the mailbox and its bodies expand to separate code, so that a body's control
/// flow is that of the code around the macro.
#[proc_macro]
pub fn receive(input: TokenStream) -> TokenStream {
    finish(receive::expand(input.into()))
}

/// The function keeps its attributes and its visibility.
#[proc_macro_attribute]
pub fn main(arguments: TokenStream, item: TokenStream) -> TokenStream {
    finish(entry::expand_main(arguments.into(), item.into()))
}

/// The function keeps its attributes and its visibility.
#[proc_macro_attribute]
pub fn test(arguments: TokenStream, item: TokenStream) -> TokenStream {
    finish(entry::expand_test(arguments.into(), item.into()))
}

fn finish(expansion: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    expansion.unwrap_or_else(|error| error.into_compile_error()).into()
}
