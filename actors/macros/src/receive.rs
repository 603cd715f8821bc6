//! `receive!`: from clauses to a search through the mailbox and one `match` on what it found.

mod expand;
mod guard;
mod parse;
mod split;

use proc_macro2::TokenStream;

pub(crate) fn expand(input: TokenStream) -> syn::Result<TokenStream> {
    syn::parse2::<parse::Receive>(input).map(|receive| expand::expand(&receive))
}
