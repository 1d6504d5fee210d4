//! What happens besides: to the process, to tables and to tokens.

use std::time::Duration;

use fastrand::Rng;
use serde_json::json;

use super::Soak;
use crate::support::bigquery::{DATASET, PROJECT};
use crate::support::ledger::PATIENCE;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Incident {
    Kill,
    Terminate,
    DeleteTable,
    LoseTemplate,
    ExpireToken,
    LoseTokenServer,
    ForgetInsertIds,
}

impl Incident {
    const ALL: [Self; 7] = [
        Self::Kill,
        Self::Terminate,
        Self::DeleteTable,
        Self::LoseTemplate,
        Self::ExpireToken,
        Self::LoseTokenServer,
        Self::ForgetInsertIds,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill -9",
            Self::Terminate => "SIGTERM",
            Self::DeleteTable => "table deleted",
            Self::LoseTemplate => "template missing",
            Self::ExpireToken => "token expired",
            Self::LoseTokenServer => "token server down",
            Self::ForgetInsertIds => "insertIds forgotten",
        }
    }

    /// Each so many times, in rounds of all.
    pub fn rounds(rounds: u32, random: &mut Rng) -> Vec<Self> {
        let round = |_| {
            let mut round = Self::ALL;
            random.shuffle(&mut round);
            round
        };
        (0..rounds).flat_map(round).collect()
    }
}

impl Soak {
    pub(super) async fn suffer(&mut self, incident: Incident) {
        println!("{:>7.1} s {:>9} acked, {}", self.began.elapsed().as_secs_f64(), self.tally.acked(), incident.name());
        match incident {
            Incident::Kill => self.kill().await,
            Incident::Terminate => self.terminate().await,
            Incident::DeleteTable => self.delete_table().await,
            Incident::LoseTemplate => self.lose_template().await,
            Incident::ExpireToken => self.metadata.expire(),
            Incident::LoseTokenServer => {
                let failed = self.metadata.failed();
                self.metadata.down(true);
                self.metadata.expire();
                self.until("a token is asked for in vain", |soak| soak.metadata.failed() > failed).await;
                self.metadata.down(false);
            }
            Incident::ForgetInsertIds => {
                const MORE_THAN_A_MINUTE: Duration = Duration::from_secs(61);
                self.tally.advance_clock(MORE_THAN_A_MINUTE);
                self.bigquery.faults().advance_clock(MORE_THAN_A_MINUTE);
            }
        }
        *self.happened.entry(incident).or_default() += 1;
        println!("{:>7.1} s {:>9} acked, {} over", self.began.elapsed().as_secs_f64(), self.tally.acked(), incident.name());
    }

    /// A generated table with all its rows, while others are being written. They are read before, and between no
    /// request of the service is served.
    async fn delete_table(&mut self) {
        let tables = self.bigquery.tables().await;
        let generated: Vec<&String> = tables.iter().filter(|table| table.starts_with("pixel_")).collect();
        let table = generated[self.random.usize(..generated.len())];
        let nobody_else = self.gate.write().await;
        self.audit.read_table(&self.bigquery, table).await;
        self.bigquery.delete_table(table).await;
        drop(nobody_else);
    }

    /// Until requests fail for want of it; or the service makes it again, whoever is first.
    async fn lose_template(&mut self) {
        let template = self.bigquery.table("pixel").await.expect("there is a template table");
        self.bigquery.delete_table("pixel").await;
        let failed = self.bigquery.faults().insert_all_requests().failed;
        self.until("inserts fail", |soak| soak.bigquery.faults().insert_all_requests().failed >= failed + 20).await;
        let resource = json!({"tableReference": template["tableReference"], "schema": template["schema"]});
        let (status, answer) = self.bigquery.call(reqwest::Method::POST, &format!("/datasets/{DATASET}/tables"), resource).await;
        assert!(status == 200 || status == 409, "{PROJECT}: {answer}");
    }

    /// Waits until something is so.
    pub(super) async fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let wait = async {
            while !is_so(self) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        assert!(tokio::time::timeout(PATIENCE, wait).await.is_ok(), "{what}, within {PATIENCE:?}");
    }
}
