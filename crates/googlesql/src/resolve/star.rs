//! Expands `*` and `t.*`, with EXCEPT and REPLACE.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#select_list>.

use datafusion::sql::sqlparser::ast::{self, SelectItemQualifiedWildcardKind, WildcardAdditionalOptions};

use super::Resolver;
use crate::QueryError;
use crate::error_location::{error_at_span, unsupported_at};
use crate::resolve::scope::{Env, ScopeColumn, TypedExpr, is_same_name};
use crate::types;
use datafusion::arrow::datatypes::DataType;

type NamedExpr = (Option<String>, TypedExpr);

impl Resolver<'_> {
    /// Expands `*`: the merged columns of USING, then the columns of each table.
    pub(crate) fn expand_star(&self, env: &Env<'_>, options: &WildcardAdditionalOptions) -> Result<Vec<NamedExpr>, QueryError> {
        if env.scope.ranges.is_empty() {
            return Err(error_at_span("SELECT * must have a FROM clause", options.wildcard_token.0.span));
        }
        let rest = env.scope.ranges.iter().flat_map(|range| range.visible()).filter(|column| !column.is_merged);
        let all = env.scope.using.iter().chain(rest).map(named_column).collect();
        self.apply_except_and_replace(env, all, options)
    }

    /// Expands `t.*`: the columns of a table, or the members of a STRUCT.
    pub(crate) fn expand_qualified_star(
        &self,
        env: &Env<'_>,
        of: &SelectItemQualifiedWildcardKind,
        options: &WildcardAdditionalOptions,
    ) -> Result<Vec<NamedExpr>, QueryError> {
        let value = match of {
            SelectItemQualifiedWildcardKind::ObjectName(name) => {
                let path: Vec<ast::Ident> = name.0.iter().filter_map(|part| part.as_ident().cloned()).collect();
                if let [alias] = path.as_slice()
                    && let Some(range) = env.scope.ranges.iter().find(|range| range.is_named(&alias.value))
                {
                    return self.apply_except_and_replace(env, range.visible().map(named_column).collect(), options);
                }
                self.resolve_path(env, &path)?
            }
            SelectItemQualifiedWildcardKind::Expr(expr) => self.resolve_expr(env, expr)?,
        };
        let DataType::Struct(members) = value.field.data_type().clone() else {
            let message = format!("Dot-star is not supported for type {}", types::of(&value.field));
            return Err(error_at_span(message, options.wildcard_token.0.span));
        };
        let all = members.iter().map(|member| {
            let name = ast::Ident::new(member.name().clone());
            Ok((Some(member.name().clone()), self.resolve_member(value.clone(), &name)?))
        });
        self.apply_except_and_replace(env, all.collect::<Result<_, QueryError>>()?, options)
    }

    fn apply_except_and_replace(
        &self,
        env: &Env<'_>,
        mut all: Vec<NamedExpr>,
        options: &WildcardAdditionalOptions,
    ) -> Result<Vec<NamedExpr>, QueryError> {
        if let Some(except) = &options.opt_except {
            for name in std::iter::once(&except.first_element).chain(&except.additional_elements) {
                let before = all.len();
                all.retain(|(column, _)| !is_named(column, name));
                if all.len() == before {
                    let message = format!("Column {} in SELECT * EXCEPT list does not exist", name.value);
                    return Err(error_at_span(message, name.span));
                }
            }
            if all.is_empty() {
                return Err(error_at_span("SELECT * expands to zero columns after applying EXCEPT", options.wildcard_token.0.span));
            }
        }
        for item in options.opt_replace.iter().flat_map(|replace| &replace.items) {
            let value = self.resolve_expr(env, &item.expr)?;
            let name = &item.column_name;
            let Some(column) = all.iter_mut().find(|(column, _)| is_named(column, name)) else {
                let message = format!("Column {} in SELECT * REPLACE list does not exist", name.value);
                return Err(error_at_span(message, name.span));
            };
            *column = (Some(name.value.clone()), value);
        }
        if let Some(name) = all.iter().find_map(|(_, value)| types::unreadable(&value.field)) {
            return Err(unsupported_at(&format!("queries of {name} columns"), options.wildcard_token.0.span));
        }
        Ok(all)
    }
}

fn named_column(column: &ScopeColumn) -> NamedExpr {
    (Some(column.name.clone()).filter(|name| !name.is_empty()), column.value.clone())
}

fn is_named(column: &Option<String>, name: &ast::Ident) -> bool {
    column.as_deref().is_some_and(|column| is_same_name(column, &name.value))
}
