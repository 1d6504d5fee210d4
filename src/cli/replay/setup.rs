//! From the arguments to a running replay: checks the arguments, opens the source, and starts the pipeline.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::Args;
use super::checkpoint::Checkpoint;
use super::error::ReplayError;
use super::period::Period;
use super::process::{ATTEMPT_TIMEOUT, ReplayContext, ReplayMode};
use super::runner::{Runner, SHUTDOWN_TIMEOUT};
use super::shard::Shard;
use super::source::Source;
use super::source::archive::Archive;
use super::source::dead_letters::{DeadLetterSource, Selection};
use super::source::document_source::DocumentSource;
use super::source::input::{self, Input, InputArg};
use super::summary::ReplaySummary;
use super::target::Target;
use crate::config::Operator;
use crate::config::settings::BATCH_GZIP;
use crate::decode::Decoder;
use crate::google::bigquery::Table;
use crate::google::{Client, Tokens};
use crate::service::assembly::Assembly;
use crate::sink::bigquery::BigQuery;
use crate::sink::template::fitting_schema;

/// The arguments, after all checks that need no request.
pub(crate) struct Plan {
    shard: Shard,
    inputs: Vec<InputArg>,
}

/// Checks the arguments, and that the files exist.
pub(crate) fn plan(args: &Args) -> Result<Plan, ReplayError> {
    let usage = |message: String| Err(ReplayError::Usage(message));
    let Some(shard) = Shard::new(args.task_index, args.task_count) else {
        return usage(format!("cannot run task {} of {}: tasks are numbered from 0", args.task_index, args.task_count));
    };
    let inputs = input::parse(&args.files)?;
    if !shard.is_whole() && inputs.iter().any(|input| matches!(input, InputArg::Input(Input::Stdin))) {
        return usage("cannot divide standard input among tasks: write it to a file first".to_owned());
    }
    // clap does not check `requires` where another argument of the group excludes --dead-letters.
    if !args.dead_letters && (args.delete || !args.reason.is_empty()) {
        return usage("cannot use --reason or --delete without --dead-letters".to_owned());
    }
    if let Period { since: Some(since), until: Some(until) } = args.period()
        && since.0 >= until.0
    {
        return usage(format!("cannot replay the period from {} to {}: --since must be before --until", since.0, until.0));
    }
    input::check_formats(&inputs)?;
    Ok(Plan { shard, inputs })
}

/// Replays until everything is processed, or until `signal`.
pub(crate) async fn replay(
    args: &Args,
    plan: Plan,
    operator: &Operator,
    signal: impl Future<Output = ()>,
) -> Result<ReplaySummary, ReplayError> {
    let Plan { shard, inputs } = plan;
    let checkpoint =
        args.checkpoint.as_deref().map(|path| Checkpoint::open(path, shard, args.period(), Target::new(&operator.service))).transpose()?;
    let tokens = operator.tokens().await?;
    if args.dead_letters {
        let google = Client::new(operator.endpoints.clone(), tokens.clone(), &operator.service.location.project).await?;
        let selection = Selection { reasons: &args.reason, period: args.period(), shard };
        let source = DeadLetterSource::open(google, &operator.service, &selection, args.delete).await;
        // The query selects by time already, by the time when a dead letter was received.
        return run(source.map_err(ReplayError::DeadLetters)?, Period::ALL, args, operator, tokens, signal).await;
    }
    #[cfg(feature = "pubsub")]
    if let Some(name) = &args.subscription {
        use super::source::subscription::SubscriptionSource;
        let source = SubscriptionSource::connect(name, operator, args.idle_timeout.0, args.dry_run).await?;
        return run(source, args.period(), args, operator, tokens, signal).await;
    }
    let inputs = list(inputs, shard, args.period(), operator).await?;
    tokio::pin!(signal);
    // Standard input may never have a first line.
    let source = tokio::select! {
        source = DocumentSource::open(inputs, shard, checkpoint) => source?,
        () = &mut signal => return Ok(ReplaySummary::interrupted()),
    };
    run(source, args.period(), args, operator, tokens, signal).await
}

/// Replaces each `gs://` prefix by its objects.
async fn list(inputs: Vec<InputArg>, shard: Shard, period: Period, operator: &Operator) -> Result<Vec<Input>, ReplayError> {
    let (mut found, mut archive) = (Vec::new(), None);
    for input in inputs {
        let prefix = match input {
            InputArg::Input(input) => {
                found.push(input);
                continue;
            }
            InputArg::Archive(prefix) => prefix,
        };
        let archive = match &archive {
            Some(archive) => archive,
            None => {
                let tokens = operator.storage_tokens().await?;
                let google = Client::new(operator.endpoints.clone(), tokens, &operator.service.location.project).await?;
                archive.insert(Arc::new(Archive::new(google)))
            }
        };
        let objects = match archive.list(&prefix, shard, period).await {
            Ok(objects) => objects,
            Err(error) => return Err(ReplayError::List { prefix, error }),
        };
        // With several tasks, all objects may belong to others.
        if objects.is_empty() && shard.is_whole() {
            return Err(ReplayError::Usage(format!(
                "cannot replay {prefix}: no object has this prefix and may have entries of the period"
            )));
        }
        found.extend(objects.into_iter().map(|object| Input::Object(Arc::clone(archive), object)));
    }
    Ok(found)
}

/// Starts the pipeline or the decoder, and runs the replay.
async fn run(
    source: impl Source,
    period: Period,
    args: &Args,
    operator: &Operator,
    tokens: Tokens,
    signal: impl Future<Output = ()>,
) -> Result<ReplaySummary, ReplayError> {
    let runner = Runner::new(source, args.concurrency as usize);
    let context = |mode| ReplayContext { mode, period, give_up_after: args.give_up_after.0, shutdown: CancellationToken::new() };
    if args.dry_run {
        let context = context(ReplayMode::DryRun(decoder(operator, tokens).await?));
        let mut summary = runner.run(context, signal, None).await?;
        summary.is_dry_run = true;
        return Ok(summary);
    }
    let mut config = operator.service.clone();
    // Several insertAll requests must fit into one attempt.
    config.push_deadline = ATTEMPT_TIMEOUT;
    let Assembly { pipeline, batcher, watcher, .. } = Assembly::start(&config, tokens);
    // A dead letter is in the table already: do not store it once more at each attempt.
    let pipeline = if args.dead_letters { pipeline.without_dead_letters() } else { pipeline };
    let result = runner.run(context(ReplayMode::Store(pipeline)), signal, Some(watcher)).await;
    // The pipeline is dropped by now, so the batcher ends.
    if tokio::time::timeout(SHUTDOWN_TIMEOUT, batcher).await.is_err() {
        tracing::warn!("the batcher did not end before the shutdown timeout");
    }
    result
}

/// The decoder of a dry run: for the template table if it exists. Creates nothing.
async fn decoder(operator: &Operator, tokens: Tokens) -> Result<Decoder, ReplayError> {
    let template = &operator.service.template;
    let bigquery = BigQuery::new(
        operator.service.location.clone(),
        tokens,
        operator.service.values.boolean(&BATCH_GZIP),
        operator.service.push_deadline,
    );
    let table = bigquery.table(&template.table).await?.unwrap_or_else(|| Table::planned(template.schema.clone()));
    let schema = fitting_schema(table, template)?;
    Ok(Decoder::new(template.decode.clone(), &schema))
}
