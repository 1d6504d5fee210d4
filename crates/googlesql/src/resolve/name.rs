//! `a`, `t.a`, `t.a.b`: what a name stands for.
//!
//! Inside out: the select list where it is visible, the tables' aliases, the columns that USING
//! made, those of the tables; and then the same in the enclosing query. What is left of the path
//! are members of STRUCTs.

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column as PlanColumn, Span as PlanSpan};
use datafusion::logical_expr::Expr;
use datafusion::sql::sqlparser::ast::Ident;

use super::Resolver;
use crate::QueryError;
use crate::error_location::{error_at_span, unsupported_at};
use crate::resolve::scope::{Captured, Clause, Column, Env, Outer, RangeVariable, Typed, same_name};
use crate::types;

impl Resolver<'_> {
    pub(crate) fn path(&self, env: &Env<'_>, path: &[Ident]) -> Result<Typed, QueryError> {
        let Some((found, used)) = self.find(env, path)? else {
            return Err(unrecognized(env, path));
        };
        let value = path[used..].iter().try_fold(found, |value, member| self.member(value, member))?;
        match types::unreadable(&value.field) {
            Some(name) => Err(unsupported_at(&format!("queries of {name} columns"), path[0].span)),
            None => Ok(value),
        }
    }

    /// What the first names of the path stand for, and how many these are.
    fn find(&self, env: &Env<'_>, path: &[Ident]) -> Result<Option<(Typed, usize)>, QueryError> {
        let first = &path[0];
        if first.value.starts_with('@') {
            return Ok(Some((self.named_parameter(first)?, 1)));
        }
        let aliased = || env.aliases.iter().filter(|(name, _)| same_name(name, &first.value));
        // The arguments of an aggregate function are of the rows that it aggregates.
        if env.clause != Clause::Aggregate && path.len() == 1 {
            let mut found = aliased();
            if let Some((_, value)) = found.next() {
                if found.any(|(_, other)| other.expr != value.expr) {
                    return Err(ambiguous(first));
                }
                return Ok(Some((value.clone(), 1)));
            }
        }
        if let Some(range) = env.scope.ranges.iter().find(|range| range.is_named(&first.value)) {
            if let Some(element) = &range.element {
                return Ok(Some((element.clone(), 1)));
            }
            return match path.get(1) {
                None => Ok(Some((self.whole(range, first)?, 1))),
                Some(second) => match column_of(range, second)? {
                    Some(column) => Ok(Some((placed(column.value.clone(), second), 2))),
                    None => {
                        let message = format!("Name {} not found inside {}", second.value, first.value);
                        Err(error_at_span(message, second.span))
                    }
                },
            };
        }
        if let Some(found) = self.column(env, first)? {
            return Ok(Some((found, 1)));
        }
        match env.outer {
            Some(outer) => Ok(self.find(outer.env, path)?.map(|(value, used)| (captured(outer, value), used))),
            None => Ok(None),
        }
    }

    fn column(&self, env: &Env<'_>, name: &Ident) -> Result<Option<Typed>, QueryError> {
        let named = |column: &&Column| same_name(&column.name, &name.value);
        if let Some(column) = env.scope.using.iter().find(named) {
            return Ok(Some(placed(column.value.clone(), name)));
        }
        let mut found = env.scope.ranges.iter().flat_map(|range| &range.columns).filter(|column| !column.merged).filter(named);
        let Some(column) = found.next() else { return Ok(None) };
        if found.next().is_some() {
            return Err(ambiguous(name));
        }
        Ok(Some(placed(column.value.clone(), name)))
    }

    /// A table's alias alone: its row as a STRUCT.
    fn whole(&self, range: &RangeVariable, name: &Ident) -> Result<Typed, QueryError> {
        let members = range.visible().map(|column| (column.name.clone(), column.value.clone())).collect();
        self.structure(members, name.span)
    }

    /// `value.member`.
    pub(crate) fn member(&self, value: Typed, member: &Ident) -> Result<Typed, QueryError> {
        if types::is_json(&value.field) {
            return self.json_member(value, member);
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
        Ok(Typed {
            expr: datafusion::functions::core::expr_ext::FieldAccessor::field(value.expr, found.name().as_str()),
            field: field.into(),
        })
    }
}

fn column_of<'r>(range: &'r RangeVariable, name: &Ident) -> Result<Option<&'r Column>, QueryError> {
    let mut found = range.columns.iter().filter(|column| same_name(&column.name, &name.value));
    let first = found.next();
    if found.next().is_some() {
        return Err(ambiguous(name));
    }
    Ok(first)
}

/// A value of the enclosing query as the subquery sees it.
fn captured(outer: Outer<'_>, value: Typed) -> Typed {
    let rewritten = value.expr.clone().transform(|expr| {
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
            all.push(Captured { id: id.name.clone(), field: field.clone(), expr: expr.clone() });
        }
        Ok(Transformed::yes(match outer.inlined {
            true => Expr::Column(id),
            false => Expr::OuterReferenceColumn(field, id),
        }))
    });
    Typed { expr: rewritten.map(|rewritten| rewritten.data).unwrap_or(value.expr), field: value.field }
}

/// The value with its place, for messages that are made when the text is far away.
fn placed(value: Typed, name: &Ident) -> Typed {
    let Expr::Column(column) = value.expr else { return value };
    let mut column = PlanColumn::new_unqualified(column.name);
    if let Some(span) = PlanSpan::try_from_sqlparser_span(name.span) {
        column.spans.add_span(span);
    }
    Typed { expr: Expr::Column(column), field: value.field }
}

fn ambiguous(name: &Ident) -> QueryError {
    error_at_span(format!("Column name {} is ambiguous", name.value), name.span)
}

fn unrecognized(env: &Env<'_>, path: &[Ident]) -> QueryError {
    let name = &path[0];
    if ["_PARTITIONTIME", "_PARTITIONDATE", "_FILE_NAME"].iter().any(|pseudo| name.value.eq_ignore_ascii_case(pseudo)) {
        return unsupported_at(&format!("the pseudo-column {}", name.value), name.span);
    }
    let hint = suggestion(env, &name.value).map(|known| format!("; Did you mean {known}?")).unwrap_or_default();
    error_at_span(format!("Unrecognized name: {}{hint}", name.value), name.span)
}

/// The known name that is likest to this one, if it is like it at all.
fn suggestion(env: &Env<'_>, name: &str) -> Option<String> {
    let columns =
        env.scope.ranges.iter().flat_map(|range| range.columns.iter().map(|column| column.name.clone()).chain(range.alias.clone()));
    columns
        .map(|known| (distance(&known.to_lowercase(), &name.to_lowercase()), known))
        .filter(|(distance, known)| *distance <= name.len().max(known.len()) / 3)
        .min()
        .map(|(_, known)| known)
}

/// How many letters must be changed, added or taken away to make `b` of `a`.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.chars().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}
