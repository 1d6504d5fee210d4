//! Resolves names and paths: `a`, `t.a`, `t.a.b`.
//!
//! The search order is: the aliases of the select list, if the clause can refer to them; the aliases of FROM items;
//! columns of USING; columns of tables; then the same in the enclosing query. The rest of the path names members of
//! STRUCTs.
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#scoping_rules>.

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column as PlanColumn, Span as PlanSpan};
use datafusion::logical_expr::Expr;
use datafusion::sql::sqlparser::ast::Ident;

use super::Resolver;
use crate::QueryError;
use crate::error_location::{error_at_span, unsupported_at};
use crate::resolve::scope::{CapturedColumn, Clause, Env, OuterQuery, RangeVariable, ScopeColumn, TypedExpr, is_same_name};
use crate::types;

impl Resolver<'_> {
    pub(crate) fn resolve_path(&self, env: &Env<'_>, path: &[Ident]) -> Result<TypedExpr, QueryError> {
        let Some((found, used)) = self.find_name(env, path)? else {
            return Err(unrecognized_error(env, path));
        };
        let value = path[used..].iter().try_fold(found, |value, member| self.resolve_member(value, member))?;
        match types::unreadable(&value.field) {
            Some(name) => Err(unsupported_at(&format!("queries of {name} columns"), path[0].span)),
            None => Ok(value),
        }
    }

    /// Finds the value of the first names of the path. Returns the value and the number of names.
    fn find_name(&self, env: &Env<'_>, path: &[Ident]) -> Result<Option<(TypedExpr, usize)>, QueryError> {
        let first = &path[0];
        if first.value.starts_with('@') {
            return Ok(Some((self.resolve_named_parameter(first)?, 1)));
        }
        let aliased = || env.aliases.iter().filter(|(name, _)| is_same_name(name, &first.value));
        // The arguments of an aggregate function cannot refer to the select list.
        if env.clause != Clause::Aggregate && path.len() == 1 {
            let mut found = aliased();
            if let Some((_, value)) = found.next() {
                if found.any(|(_, other)| other.expr != value.expr) {
                    return Err(ambiguous_error(first));
                }
                return Ok(Some((value.clone(), 1)));
            }
        }
        if let Some(range) = env.scope.ranges.iter().find(|range| range.is_named(&first.value)) {
            if let Some(element) = &range.element {
                return Ok(Some((element.clone(), 1)));
            }
            return match path.get(1) {
                None => Ok(Some((self.build_row_struct(range, first)?, 1))),
                Some(second) => match find_in_range(range, second)? {
                    Some(column) => Ok(Some((with_location(column.value.clone(), second), 2))),
                    None => {
                        let message = format!("Name {} not found inside {}", second.value, first.value);
                        Err(error_at_span(message, second.span))
                    }
                },
            };
        }
        if let Some(found) = self.find_column(env, first)? {
            return Ok(Some((found, 1)));
        }
        match env.outer {
            Some(outer) => Ok(self.find_name(outer.env, path)?.map(|(value, used)| (capture(outer, value), used))),
            None => Ok(None),
        }
    }

    fn find_column(&self, env: &Env<'_>, name: &Ident) -> Result<Option<TypedExpr>, QueryError> {
        let named = |column: &&ScopeColumn| is_same_name(&column.name, &name.value);
        if let Some(column) = env.scope.using.iter().find(named) {
            return Ok(Some(with_location(column.value.clone(), name)));
        }
        let mut found = env.scope.ranges.iter().flat_map(|range| &range.columns).filter(|column| !column.is_merged).filter(named);
        let Some(column) = found.next() else { return Ok(None) };
        if found.next().is_some() {
            return Err(ambiguous_error(name));
        }
        Ok(Some(with_location(column.value.clone(), name)))
    }

    /// Resolves the alias of a table without a column: the row as a STRUCT.
    fn build_row_struct(&self, range: &RangeVariable, name: &Ident) -> Result<TypedExpr, QueryError> {
        let members = range.visible().map(|column| (column.name.clone(), column.value.clone())).collect();
        self.build_struct(members, name.span)
    }

    /// `value.member`.
    pub(crate) fn resolve_member(&self, value: TypedExpr, member: &Ident) -> Result<TypedExpr, QueryError> {
        if types::is_json(&value.field) {
            return self.access_json_member(value, member);
        }
        let Some(found) = types::member(&value.field, &member.value) else {
            let message = match value.field.data_type() {
                datafusion::arrow::datatypes::DataType::Struct(_) => {
                    format!("Field name {} does not exist in {}", member.value, types::of(&value.field))
                }
                _ => format!("Cannot access field {} on a value with type {}", member.value, types::of(&value.field)),
            };
            return Err(error_at_span(message, member.span));
        };
        let field = found.as_ref().clone().with_name("").with_nullable(true);
        Ok(TypedExpr {
            expr: datafusion::functions::core::expr_ext::FieldAccessor::field(value.expr, found.name().as_str()),
            field: field.into(),
        })
    }
}

fn find_in_range<'r>(range: &'r RangeVariable, name: &Ident) -> Result<Option<&'r ScopeColumn>, QueryError> {
    let mut found = range.columns.iter().filter(|column| is_same_name(&column.name, &name.value));
    let first = found.next();
    if found.next().is_some() {
        return Err(ambiguous_error(name));
    }
    Ok(first)
}

/// Converts a value of the enclosing query to a value of the subquery, and records the columns that it uses.
fn capture(outer: OuterQuery<'_>, value: TypedExpr) -> TypedExpr {
    let rewritten = value.expr.transform(|expr| {
        let (id, field) = match &expr {
            Expr::Column(column) => {
                let schema = outer.env.scope.plan.schema();
                match schema.field_with_unqualified_name(&column.name) {
                    Ok(field) => (column.clone(), field.clone()),
                    Err(_) => return Ok(Transformed::no(expr)),
                }
            }
            Expr::OuterReferenceColumn(field, column) => (column.clone(), field.clone()),
            _ => return Ok(Transformed::no(expr)),
        };
        let mut all = outer.captured.borrow_mut();
        if !all.iter().any(|captured| captured.id == id.name) {
            all.push(CapturedColumn { id: id.name.clone(), field: field.clone(), expr: expr.clone() });
        }
        Ok(Transformed::yes(match outer.is_inlined {
            true => Expr::Column(id),
            false => Expr::OuterReferenceColumn(field, id),
        }))
    });
    TypedExpr { expr: rewritten.expect("the closure returns no error").data, field: value.field }
}

/// Attaches a location to a column, for error messages of later steps.
fn with_location(value: TypedExpr, name: &Ident) -> TypedExpr {
    let Expr::Column(column) = value.expr else { return value };
    let mut column = PlanColumn::new_unqualified(column.name);
    if let Some(span) = PlanSpan::try_from_sqlparser_span(name.span) {
        column.spans.add_span(span);
    }
    TypedExpr { expr: Expr::Column(column), field: value.field }
}

fn ambiguous_error(name: &Ident) -> QueryError {
    error_at_span(format!("Column name {} is ambiguous", name.value), name.span)
}

fn unrecognized_error(env: &Env<'_>, path: &[Ident]) -> QueryError {
    let name = &path[0];
    if ["_PARTITIONTIME", "_PARTITIONDATE", "_FILE_NAME"].iter().any(|pseudo| name.value.eq_ignore_ascii_case(pseudo)) {
        return unsupported_at(&format!("the pseudo-column {}", name.value), name.span);
    }
    let hint = suggest_name(env, &name.value).map(|known| format!("; Did you mean {known}?")).unwrap_or_default();
    error_at_span(format!("Unrecognized name: {}{hint}", name.value), name.span)
}

/// The most similar known name, if one is similar enough.
fn suggest_name(env: &Env<'_>, name: &str) -> Option<String> {
    let columns =
        env.scope.ranges.iter().flat_map(|range| range.columns.iter().map(|column| column.name.clone()).chain(range.alias.clone()));
    columns
        .map(|known| (edit_distance(&known.to_lowercase(), &name.to_lowercase()), known))
        .filter(|(distance, known)| *distance <= name.len().max(known.len()) / 3)
        .min()
        .map(|(_, known)| known)
}

/// The Levenshtein distance of two names.
fn edit_distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.chars().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.chars().count()]
}
