//! What a guard may do, and which of the pattern's bindings it looks at.
//!
//! While a guard runs, its message is out of the mailbox. Leaving or suspending the search there
//! would lose the message, so a guard that tries to is refused.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{BinOp, Error, Expr, Pat, Result};

/// Refuses guards that wait, leave, or bind.
pub(super) fn check(guard: &Expr) -> Result<()> {
    if is_let(guard) {
        return Err(Error::new_spanned(
            guard,
            "`if let` guards are not available in receive!: take the message and `match` in the body",
        ));
    }
    let mut escapes = Escapes::default();
    escapes.visit_expr(guard);
    escapes.error.map_or(Ok(()), Err)
}

fn is_let(guard: &Expr) -> bool {
    match guard {
        Expr::Let(_) => true,
        Expr::Binary(chain) if matches!(chain.op, BinOp::And(_)) => {
            is_let(&chain.left) || is_let(&chain.right)
        }
        _ => false,
    }
}

/// Finds the first expression that would carry control out of the guard.
#[derive(Default)]
struct Escapes {
    loops: usize,
    error: Option<Error>,
}

impl Escapes {
    fn refuse(&mut self, tokens: impl ToTokens, what: &str) {
        if self.error.is_none() {
            let text =
                format!("a guard may not {what}: the message would be lost; do it in the body");
            self.error = Some(Error::new_spanned(tokens, text));
        }
    }

    fn inside_loop(&mut self, visit: impl FnOnce(&mut Self)) {
        self.loops += 1;
        visit(self);
        self.loops -= 1;
    }
}

impl<'ast> Visit<'ast> for Escapes {
    fn visit_expr_await(&mut self, node: &'ast syn::ExprAwait) {
        self.refuse(node, "await");
    }
    fn visit_expr_try(&mut self, node: &'ast syn::ExprTry) {
        self.refuse(node, "use `?`");
    }
    fn visit_expr_return(&mut self, node: &'ast syn::ExprReturn) {
        self.refuse(node, "return");
    }
    fn visit_expr_break(&mut self, node: &'ast syn::ExprBreak) {
        if self.loops == 0 {
            self.refuse(node, "break");
        }
    }
    fn visit_expr_continue(&mut self, node: &'ast syn::ExprContinue) {
        if self.loops == 0 {
            self.refuse(node, "continue");
        }
    }
    fn visit_expr_loop(&mut self, node: &'ast syn::ExprLoop) {
        self.inside_loop(|this| visit::visit_expr_loop(this, node));
    }
    fn visit_expr_while(&mut self, node: &'ast syn::ExprWhile) {
        self.inside_loop(|this| visit::visit_expr_while(this, node));
    }
    fn visit_expr_for_loop(&mut self, node: &'ast syn::ExprForLoop) {
        self.inside_loop(|this| visit::visit_expr_for_loop(this, node));
    }
    // These have a control flow of their own.
    fn visit_expr_closure(&mut self, _: &'ast syn::ExprClosure) {}
    fn visit_expr_async(&mut self, _: &'ast syn::ExprAsync) {}
    fn visit_item(&mut self, _: &'ast syn::Item) {}
}

/// The bindings of `pattern` that `guard` mentions.
///
/// The body's copy of the pattern has no guard, so without a mark these would draw warnings about
/// unused variables. Names in capitals are constants or unit structs, not bindings.
pub(super) fn mentioned(guard: &Expr, pattern: &Pat) -> Vec<Ident> {
    let tokens = guard.to_token_stream();
    let mut names = bindings(pattern);
    names.retain(|name| mentions(&tokens, &name.to_string()));
    names
}

/// The names that `pattern` binds, each once.
pub(super) fn bindings(pattern: &Pat) -> Vec<Ident> {
    let mut names = Names(Vec::new());
    names.visit_pat(pattern);
    names.0
}

struct Names(Vec<Ident>);

impl<'ast> Visit<'ast> for Names {
    fn visit_pat_ident(&mut self, node: &'ast syn::PatIdent) {
        let is_constant = node.subpat.is_none()
            && node.by_ref.is_none()
            && node.mutability.is_none()
            && node.ident.to_string().starts_with(char::is_uppercase);
        if !is_constant && !self.0.contains(&node.ident) {
            self.0.push(node.ident.clone());
        }
        visit::visit_pat_ident(self, node);
    }
}

/// Does `name` occur as an identifier, or inside a string that may be a format string?
fn mentions(tokens: &TokenStream, name: &str) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Group(group) => mentions(&group.stream(), name),
        TokenTree::Literal(literal) => literal.to_string().contains(name),
        TokenTree::Punct(_) => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse::Parser;
    use syn::parse_quote;

    fn refusal(guard: Expr) -> String {
        check(&guard).unwrap_err().to_string()
    }

    #[test]
    fn a_guard_may_not_leave_or_wait() {
        assert!(refusal(parse_quote!(ready().await)).contains("await"));
        assert!(refusal(parse_quote!(x == parse(y)?)).contains("`?`"));
        assert!(refusal(parse_quote!({ return })).contains("return"));
        assert!(refusal(parse_quote!({ continue })).contains("continue"));
        assert!(refusal(parse_quote!(a && let Some(x) = y)).contains("if let"));
    }

    #[test]
    fn inner_control_flow_is_its_own() {
        check(&parse_quote!(list.iter().any(|x| { return *x == 1 }))).unwrap();
        check(&parse_quote!({
            loop {
                break true;
            }
        }))
        .unwrap();
        check(&parse_quote!({ if let Some(x) = y { x } else { false } })).unwrap();
        assert!(
            refusal(parse_quote!({
                loop {
                    return;
                }
            }))
            .contains("return")
        );
    }

    #[test]
    fn mentioned_bindings_are_found_and_constants_are_not() {
        let pattern = Pat::parse_single
            .parse2(quote::quote!(Foo { id, amount, a: None, tag: Tag(t) }))
            .unwrap();
        let guard: Expr = parse_quote!(id == wanted && other != None && matches!(f, "{t}"));
        let names: Vec<_> = mentioned(&guard, &pattern).iter().map(Ident::to_string).collect();
        assert_eq!(names, ["id", "t"]);
    }
}
