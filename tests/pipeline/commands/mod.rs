//! The subcommands besides `serve` and `local`, and their settings.

mod check;
mod cost;
mod explain;
mod forget;
mod query;
mod replay;
mod settings;
