//! Resolves GROUP BY with ROLLUP, CUBE and GROUPING SETS, also together with other keys.
//!
//! Each item becomes a list of grouping sets. Several items become all combinations of their sets.
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#group_by_grouping_sets>.

use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::GroupingSet;
use datafusion::sql::sqlparser::ast::{self, Spanned};

use crate::QueryError;
use crate::error_location::error_at;

/// BigQuery's limit for CUBE: <https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#group_by_cube>.
const MAX_GROUPING_SETS: usize = 4_096;

/// Maximum number of keys of all grouping sets.
const MAX_KEYS: usize = 50_000;

/// Resolves the grouping sets. Returns `None` if all keys are plain expressions.
pub(crate) fn resolve_grouping_sets(
    keys: &[ast::Expr],
    key: impl Fn(&ast::Expr) -> Result<Expr, QueryError>,
) -> Result<Option<Expr>, QueryError> {
    if !keys.iter().any(|key| matches!(key, ast::Expr::Rollup(_) | ast::Expr::Cube(_) | ast::Expr::GroupingSets(_))) {
        return Ok(None);
    }
    let mut all: Vec<Vec<Expr>> = vec![Vec::new()];
    for syntax in keys {
        let sets = expand_key(syntax, &key)?;
        if all.len().saturating_mul(sets.len()) > MAX_GROUPING_SETS {
            return Err(error_at(format!("GROUP BY has more than {MAX_GROUPING_SETS} grouping sets"), syntax));
        }
        if all.len().saturating_mul(key_count(&sets)).saturating_add(sets.len().saturating_mul(key_count(&all))) > MAX_KEYS {
            return Err(QueryError::too_complex(syntax.span().start));
        }
        all = all.iter().flat_map(|left| sets.iter().map(|right| merge_keys(left, right))).collect();
    }
    Ok(Some(Expr::GroupingSet(GroupingSet::GroupingSets(all))))
}

fn expand_key(syntax: &ast::Expr, key: &impl Fn(&ast::Expr) -> Result<Expr, QueryError>) -> Result<Vec<Vec<Expr>>, QueryError> {
    let resolved =
        |sets: &[Vec<ast::Expr>]| -> Result<Vec<Vec<Expr>>, QueryError> { sets.iter().map(|set| set.iter().map(key).collect()).collect() };
    Ok(match syntax {
        ast::Expr::Rollup(units) => {
            let units = resolved(units)?;
            if key_count(&units).saturating_mul(units.len()) > MAX_KEYS {
                return Err(QueryError::too_complex(syntax.span().start));
            }
            (0..=units.len()).rev().map(|length| units[..length].concat()).collect()
        }
        ast::Expr::Cube(units) => {
            let units = resolved(units)?;
            if units.len() >= usize::BITS as usize || 1_usize << units.len() > MAX_GROUPING_SETS {
                return Err(error_at(format!("GROUP BY has more than {MAX_GROUPING_SETS} grouping sets"), syntax));
            }
            let chosen = |mask: usize| units.iter().enumerate().filter(move |(index, _)| mask & (1 << index) != 0);
            (0..1_usize << units.len()).rev().map(|mask| chosen(mask).flat_map(|(_, unit)| unit.clone()).collect()).collect()
        }
        ast::Expr::GroupingSets(sets) => resolved(sets)?,
        plain => vec![vec![key(plain)?]],
    })
}

fn key_count(sets: &[Vec<Expr>]) -> usize {
    sets.iter().map(Vec::len).sum()
}

/// The union of two sets of keys.
fn merge_keys(left: &[Expr], right: &[Expr]) -> Vec<Expr> {
    let mut all = left.to_vec();
    for key in right {
        if !all.contains(key) {
            all.push(key.clone());
        }
    }
    all
}
