//! Injects a disruption into the running soak test.

use std::time::Duration;

use serde_json::json;

use super::counters::{self, ProcessCounters};
use super::disruptions::Disruption;
use super::harness::{Soak, end, start_service};
use crate::support::bigquery::DATASET;
use crate::support::wait::wait_until;

impl Soak {
    pub async fn inject(&mut self, disruption: Disruption) {
        self.print_progress(disruption.name());
        match disruption {
            Disruption::Kill => self.kill().await,
            Disruption::Terminate => self.terminate().await,
            Disruption::DeleteTable => self.delete_table().await,
            Disruption::DeleteTemplate => self.delete_template().await,
            Disruption::RevokeTokens => self.metadata.revoke_all(),
            Disruption::StopTokenServer => {
                let failed = self.metadata.failed();
                self.metadata.set_down(true);
                self.metadata.revoke_all();
                wait_until("a token request fails", async || self.metadata.failed() > failed).await;
                self.metadata.set_down(false);
            }
            Disruption::ExpireInsertIds => {
                const MORE_THAN_A_MINUTE: Duration = Duration::from_secs(61);
                self.results.advance_clock(MORE_THAN_A_MINUTE);
                self.bigquery.faults().advance_clock(MORE_THAN_A_MINUTE);
            }
        }
        *self.disruptions.entry(disruption).or_default() += 1;
        self.print_progress(&format!("{} over", disruption.name()));
    }

    fn print_progress(&self, event: &str) {
        println!("{:>7.1} s {:>9} acked, {event}", self.began.elapsed().as_secs_f64(), self.results.acked());
    }

    async fn kill(&mut self) {
        let results = self.results.of_process(self.processes.len());
        let counted = counters::of_metrics(&self.service.get("/metrics").await.body);
        self.measure_memory();
        self.service.signal("KILL");
        assert_eq!(self.service.wait().await.code(), None);
        self.processes.push(ProcessCounters::Killed { counted, results });
        let next = start_service(&self.bigquery, &self.metadata_address).await;
        self.replace(next);
    }

    /// As on Cloud Run, the next process starts while this one still responds.
    async fn terminate(&mut self) {
        self.measure_memory();
        self.service.signal("TERM");
        let next = start_service(&self.bigquery, &self.metadata_address).await;
        let process = self.processes.len();
        self.processes.push(ProcessCounters::Ended { counted: counters::Counted::new() });
        let ended = self.replace(next);
        self.processes[process] = ProcessCounters::Ended { counted: end(ended).await };
    }

    /// Deletes a generated table while others are written. Its rows are read first; no request of the service is served
    /// between.
    async fn delete_table(&mut self) {
        let tables = self.bigquery.tables().await;
        let generated: Vec<&String> = tables.iter().filter(|table| table.starts_with("pixel_")).collect();
        let table = generated[self.random.usize(..generated.len())];
        let service_requests_paused = self.pause.write().await;
        self.audit.read_table(&self.bigquery, table).await;
        self.bigquery.delete_table(table).await;
        drop(service_requests_paused);
    }

    /// Deletes the template table until requests fail, or until none is left that could fail. The service may create it
    /// again earlier.
    async fn delete_template(&mut self) {
        let template = self.bigquery.table("pixel").await.expect("the template table exists");
        self.bigquery.delete_table("pixel").await;
        let failed = self.bigquery.faults().insert_all_requests().failed;
        let are_all_acked = || self.results.acked() == self.results.count();
        let has_failed = || self.bigquery.faults().insert_all_requests().failed >= failed + 20;
        wait_until("inserts fail, or all messages are acked", async || has_failed() || are_all_acked()).await;
        let resource = json!({"tableReference": template["tableReference"], "schema": template["schema"]});
        let (status, response) = self.bigquery.call(reqwest::Method::POST, &format!("/datasets/{DATASET}/tables"), resource).await;
        assert!(status == 200 || status == 409, "{response}");
    }
}
