//! Counts the nodes of resolved expressions.
//!
//! Some syntax copies expressions: `NULLIF(x, y)` contains `x` twice, and an alias is replaced by its expression. A short
//! text can therefore become a very large expression.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::Expr;
use datafusion::sql::sqlparser::ast::{self, Spanned};

use super::Resolver;
use crate::error::QueryError;

/// Maximum number of nodes of all resolved expressions of a query. A node counts once for each expression that contains
/// it, because DataFusion's time for an expression grows with the depth of its nodes.
pub(super) const MAX_NODES: usize = 500_000;

/// Maximum number of nodes of the arguments of COALESCE and NULLIF.
const MAX_COPIED_NODES: usize = 200;

impl Resolver<'_> {
    /// Counts the nodes of a resolved expression. Fails if the query exceeds the limit.
    pub(super) fn count_nodes(&self, expr: &Expr, syntax: &ast::Expr) -> Result<(), QueryError> {
        self.count_copies(expr, 1, syntax)
    }

    /// Fails if an expression is too large to be copied by syntax that can be nested, so that each level doubles the size.
    pub(super) fn check_copy(&self, expr: &Expr, syntax: &ast::Expr) -> Result<(), QueryError> {
        match node_count(expr, MAX_COPIED_NODES) > MAX_COPIED_NODES {
            true => Err(QueryError::too_complex(syntax.span().start)),
            false => Ok(()),
        }
    }

    /// Counts the nodes of copies of an expression, before they are made.
    pub(super) fn count_copies(&self, expr: &Expr, copies: usize, syntax: &ast::Expr) -> Result<(), QueryError> {
        let remaining = self.remaining_nodes.get();
        let nodes = node_count(expr, remaining).saturating_mul(copies);
        let remaining = remaining.checked_sub(nodes).ok_or_else(|| QueryError::too_complex(syntax.span().start))?;
        self.remaining_nodes.set(remaining);
        Ok(())
    }
}

/// The number of nodes, at most `limit + 1`.
fn node_count(expr: &Expr, limit: usize) -> usize {
    let mut count = 0;
    let counted = expr.apply(|_| {
        count += 1;
        Ok(if count > limit { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    // The closure returns no error.
    counted.map_or(usize::MAX, |_| count)
}
