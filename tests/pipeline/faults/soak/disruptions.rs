//! The disruptions of the soak test that are not faults of insertAll requests.

use fastrand::Rng;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Disruption {
    Kill,
    Terminate,
    DeleteTable,
    DeleteTemplate,
    RevokeTokens,
    StopTokenServer,
    ExpireInsertIds,
}

impl Disruption {
    const ALL: [Self; 7] = [
        Self::Kill,
        Self::Terminate,
        Self::DeleteTable,
        Self::DeleteTemplate,
        Self::RevokeTokens,
        Self::StopTokenServer,
        Self::ExpireInsertIds,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Kill => "SIGKILL",
            Self::Terminate => "SIGTERM",
            Self::DeleteTable => "table deleted",
            Self::DeleteTemplate => "template table deleted",
            Self::RevokeTokens => "tokens revoked",
            Self::StopTokenServer => "token server down",
            Self::ExpireInsertIds => "insertIds expired",
        }
    }

    /// All disruptions `rounds` times, each round in random order.
    pub fn rounds(rounds: u32, random: &mut Rng) -> Vec<Self> {
        let round = |_| {
            let mut round = Self::ALL;
            random.shuffle(&mut round);
            round
        };
        (0..rounds).flat_map(round).collect()
    }
}
