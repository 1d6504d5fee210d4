//! The hosts under which the pixel is known: those of DOMAIN, or the address of the load balancer.

use super::{Context, balancer};
use crate::cli::check::link::Fault;
use crate::cli::check::state::{Source, State};

/// The hosts, some of which only the state of the project tells.
#[derive(Debug, Clone)]
pub(super) struct Hosts {
    domains: Vec<String>,
    pub(super) address: Source,
    resource: String,
}

impl Hosts {
    pub(super) fn of(context: &Context) -> Self {
        let domains = context.domains().into_iter().map(str::to_owned).collect();
        Self { domains, address: balancer::address_source(context), resource: format!("address {}", context.names.name) }
    }

    pub(super) fn list(&self, state: &State) -> Result<Vec<String>, Fault> {
        if !self.domains.is_empty() {
            return Ok(self.domains.clone());
        }
        let address = state.needed(&self.address, &self.resource)?["address"].as_str().map(str::to_owned);
        address.map(|address| vec![address]).ok_or_else(|| Fault::unknown(format!("{} has no address yet", self.resource)))
    }

    /// A JSON text with the hosts in its placeholders.
    pub(super) fn fill(&self, text: &str, state: &State) -> Result<String, Fault> {
        if !text.contains("${PIXEL_HOST") {
            return Ok(text.to_owned());
        }
        let hosts = self.list(state)?;
        let quoted = hosts.iter().map(|host| format!("\\\"{host}\\\"")).collect::<Vec<_>>().join(",");
        let pattern = hosts.iter().map(|host| host.replace('.', "[.]")).collect::<Vec<_>>().join("|");
        let text = text.replace("${PIXEL_HOSTS}", &quoted).replace("${PIXEL_HOST_COUNT}", &hosts.len().to_string());
        Ok(text.replace("${PIXEL_HOST_PATTERN}", &pattern))
    }
}
