//! Wraps DataFusion's planning rules, so that the planning of a query can be cancelled and its plan cannot become too
//! large.
//!
//! A rule runs on one node of the plan or on the whole plan. The wrapper checks the query's limits before it.
//! `planning_threads` limits the time of one rule.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::expr::Alias;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::optimizer::{AnalyzerRule, ApplyOrder, OptimizerConfig, OptimizerRule};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::sql::sqlparser::tokenizer::Location;

use crate::error::QueryError;
use crate::query_limits::QueryLimits;

/// Maximum number of nodes of a plan, including the plans of subqueries. A plan that is used twice counts twice.
const MAX_PLAN_NODES: usize = 10_000;

/// Maximum depth of a plan.
const MAX_PLAN_DEPTH: usize = 500;

/// A join counts as this depth. DataFusion estimates the rows of a join from the estimates of all joins below it, several
/// times.
const JOIN_DEPTH: usize = 5;

/// Maximum number of nodes of the expressions of one plan node.
const MAX_EXPRESSION_NODES: usize = 100_000;

/// Maximum number of nodes of the expressions of one SELECT list after its columns are replaced by their expressions.
const MAX_REPLACED_NODES: usize = 1_000_000;

/// Fails if DataFusion cannot optimize the plan within the limits.
pub(crate) fn check_before_optimization(plan: &LogicalPlan) -> Result<(), QueryError> {
    check_plan(plan)?;
    check_columns(plan)
}

/// Fails if the plan is too large or too deep.
pub(crate) fn check_plan(plan: &LogicalPlan) -> Result<(), QueryError> {
    let mut remaining = MAX_PLAN_NODES;
    check_node(plan, MAX_PLAN_DEPTH, &mut remaining)
}

fn check_node(plan: &LogicalPlan, depth: usize, remaining: &mut usize) -> Result<(), QueryError> {
    let levels = if matches!(plan, LogicalPlan::Join(_)) { JOIN_DEPTH } else { 1 };
    let Some(depth) = depth.checked_sub(levels).filter(|_| *remaining > 0) else { return Err(too_complex()) };
    *remaining -= 1;
    for input in plan.inputs() {
        check_node(input, depth, remaining)?;
    }
    let mut result = Ok(());
    plan.apply_subqueries(|subquery| {
        result = check_node(subquery, depth, remaining);
        Ok(if result.is_err() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    result
}

/// Fails if an expression or a SELECT list becomes too large when its columns are replaced by their expressions, as
/// DataFusion does when it moves a filter below projections. With `x + x AS x`, the size doubles for each projection.
fn check_columns(plan: &LogicalPlan) -> Result<(), QueryError> {
    let mut sizes: HashMap<String, usize> = HashMap::new();
    // The columns of a node below are known before they are used: the ids of columns are unique in the plan.
    let mut nodes = Vec::new();
    plan.apply_with_subqueries(|node| {
        nodes.extend(matches!(node, LogicalPlan::Projection(_)).then(|| node.clone()));
        Ok(TreeNodeRecursion::Continue)
    })?;
    for node in nodes.iter().rev() {
        let LogicalPlan::Projection(projection) = node else { continue };
        let mut total = 0_usize;
        for expr in &projection.expr {
            let Expr::Alias(Alias { expr, name, .. }) = expr else { continue };
            let mut size = 0_usize;
            expr.apply(|part| {
                let columns = match part {
                    Expr::Column(column) => sizes.get(&column.name).copied().unwrap_or(1),
                    _ => 1,
                };
                size = size.saturating_add(columns);
                Ok(TreeNodeRecursion::Continue)
            })?;
            total = total.saturating_add(size);
            if size > MAX_EXPRESSION_NODES || total > MAX_REPLACED_NODES {
                return Err(too_complex());
            }
            sizes.insert(name.clone(), size);
        }
    }
    Ok(())
}

/// Fails if the expressions of the node are too large. A rule can replace each of many columns by its expression.
fn check_expressions(plan: &LogicalPlan) -> Result<()> {
    let mut count = 0;
    plan.apply_expressions(|expr| {
        expr.apply(|_| {
            count += 1;
            Ok(if count > MAX_EXPRESSION_NODES { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        })
    })?;
    match count > MAX_EXPRESSION_NODES {
        true => Err(too_complex().into()),
        false => Ok(()),
    }
}

fn too_complex() -> QueryError {
    QueryError::too_complex(Location { line: 0, column: 0 })
}

fn check_limits(options: &ConfigOptions) -> Result<()> {
    match QueryLimits::of(options) {
        Some(limits) => limits.check_planning().map_err(DataFusionError::from),
        None => Ok(()),
    }
}

#[derive(Debug)]
pub(super) struct LimitedOptimizerRule(pub Arc<dyn OptimizerRule + Send + Sync>);

impl OptimizerRule for LimitedOptimizerRule {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.0.apply_order()
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        check_limits(&config.options())?;
        check_expressions(&plan)?;
        self.0.rewrite(plan, config)
    }
}

#[derive(Debug)]
pub(super) struct LimitedAnalyzerRule(pub Arc<dyn AnalyzerRule + Send + Sync>);

impl AnalyzerRule for LimitedAnalyzerRule {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn analyze(&self, plan: LogicalPlan, config: &ConfigOptions) -> Result<LogicalPlan> {
        check_limits(config)?;
        self.0.analyze(plan, config)
    }
}

#[derive(Debug)]
pub(super) struct LimitedPhysicalRule(pub Arc<dyn PhysicalOptimizerRule + Send + Sync>);

impl PhysicalOptimizerRule for LimitedPhysicalRule {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn schema_check(&self) -> bool {
        self.0.schema_check()
    }

    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        check_limits(config)?;
        self.0.optimize(plan, config)
    }
}
