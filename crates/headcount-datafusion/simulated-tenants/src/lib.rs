//! Simulated tenants, in the form in which real ones are configured: a tenants file, and variables with credentials.

use std::{
    collections::BTreeMap,
    error::Error,
    fmt::{self, Write as _},
    io,
    net::TcpListener,
    path::Path,
    sync::Arc,
};

use headcount_datafusion::datafusion::arrow::{
    array::RecordBatch, error::ArrowError, util::pretty::pretty_format_batches,
};
use headcount_datafusion::{Tenants, TenantsFile};
use headcount_sim::{PROVIDERS, SimConfig, Simulator};

/// The members of a source with their variables in `Server::env`. The first is the base URL, which is no credential.
const MEMBERS: [(&str, &[(&str, &str)]); 4] = [
    (
        "fortanix",
        &[
            ("base_url", "FORTANIX_CCM_BASE_URL"),
            ("email", "FORTANIX_CCM_EMAIL"),
            ("password", "FORTANIX_CCM_PASSWORD"),
        ],
    ),
    (
        "huawei",
        &[
            ("base_url", "HUAWEICLOUD_SDK_REGION_ORGANIZATIONS_CN_NORTH_4"),
            ("access_key", "HUAWEICLOUD_SDK_AK"),
            ("secret_key", "HUAWEICLOUD_SDK_SK"),
        ],
    ),
    ("annature", &[("base_url", "ANNATURE_BASE_URL"), ("id", "ANNATURE_ID"), ("key", "ANNATURE_KEY")]),
    (
        "sailpoint",
        &[
            ("base_url", "SAIL_BASE_URL"),
            ("client_id", "SAIL_CLIENT_ID"),
            ("client_secret", "SAIL_CLIENT_SECRET"),
        ],
    ),
];

/// Running simulators, each a source of a tenant.
#[derive(Default)]
pub struct SimulatedTenants {
    simulators: BTreeMap<String, Box<dyn Simulator>>,
    toml: String,
    env: BTreeMap<String, String>,
}

impl SimulatedTenants {
    /// Starts `tenants` tenants, each with a source of every provider that has `accounts` accounts.
    ///
    /// # Errors
    /// Fails if no port can be bound.
    pub async fn start(tenants: usize, accounts: usize) -> io::Result<Self> {
        let mut simulated = Self::default();
        for tenant in 1..=tenants {
            for provider in PROVIDERS {
                let config = SimConfig::new().accounts(accounts).seed(simulated.simulators.len() as u64 + 1);
                simulated
                    .add(&format!("tenant-{tenant:03}"), provider.name(), provider.name(), config)
                    .await?;
            }
        }
        Ok(simulated)
    }

    /// Starts a simulator as `source` of `tenant`.
    ///
    /// # Errors
    /// Fails if there is no such provider or no port can be bound.
    pub async fn add(
        &mut self,
        tenant: &str,
        source: &str,
        provider: &str,
        config: SimConfig,
    ) -> io::Result<()> {
        let provider =
            PROVIDERS.iter().find(|known| known.name() == provider).ok_or(io::ErrorKind::NotFound)?;
        let simulator = provider.start(config).await?;
        self.add_simulator(tenant, source, simulator);
        Ok(())
    }

    /// Adds a simulator that runs.
    pub fn add_simulator(&mut self, tenant: &str, source: &str, simulator: Box<dyn Simulator>) {
        let number = self.simulators.len();
        let values: BTreeMap<_, _> = simulator.env().into_iter().collect();
        let name = simulator.provider().name();
        let _ = writeln!(self.toml, "[{tenant}.{source}]\nprovider = \"{name}\"");
        let members =
            MEMBERS.iter().find(|(provider, _)| *provider == name).map_or(&[][..], |(_, members)| members);
        for (member, variable) in members {
            let value = values.get(variable).cloned().unwrap_or_default();
            if *member == "base_url" {
                let _ = writeln!(self.toml, "base_url = \"{value}\"");
            } else {
                let variable = format!("SOURCE_{number}_{variable}");
                let _ = writeln!(self.toml, "{member} = {{ env = \"{variable}\" }}");
                self.env.insert(variable, value);
            }
        }
        self.simulators.insert(format!("{tenant}/{source}"), simulator);
    }

    /// Returns the text of the tenants file.
    pub fn toml(&self) -> &str {
        &self.toml
    }

    /// Returns the variables that the tenants file names.
    pub fn env(&self) -> &BTreeMap<String, String> {
        &self.env
    }

    /// Returns the tenants, whose variables are those of [`env`](Self::env).
    ///
    /// # Errors
    /// Fails if the file is invalid.
    pub fn tenants(&self) -> headcount_datafusion::headcount::Result<TenantsFile> {
        let env = self.env.clone();
        Ok(TenantsFile::parse(&self.toml)?.with_lookup(move |name| env.get(name).cloned()))
    }

    /// Returns the simulators with their sources as `tenant/source`.
    pub fn simulators(&self) -> impl Iterator<Item = (&str, &dyn Simulator)> {
        self.simulators.iter().map(|(source, simulator)| (source.as_str(), &**simulator))
    }

    /// Returns the simulator of a source.
    pub fn simulator(&self, source: &str) -> &dyn Simulator {
        &*self.simulators[source]
    }
}

/// The tenants of a file, or simulated ones, which run as long as this value lives.
pub struct OpenTenants {
    /// The tenants.
    pub tenants: Arc<dyn Tenants>,
    /// The simulators, if there is no file.
    pub simulated: Option<SimulatedTenants>,
}

impl OpenTenants {
    /// Opens the tenants of a file. Without one, simulates `tenants` tenants, each with a source of every provider that
    /// has `accounts` accounts.
    ///
    /// # Errors
    /// Fails if the file is invalid.
    pub async fn open(
        file: Option<&Path>,
        tenants: usize,
        accounts: usize,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        if let Some(file) = file {
            return Ok(Self { tenants: Arc::new(TenantsFile::read(file)?), simulated: None });
        }
        eprintln!(
            "no --tenants FILE: simulating {tenants} tenants, each with 4 providers of {accounts} accounts"
        );
        let simulated = SimulatedTenants::start(tenants, accounts).await?;
        Ok(Self { tenants: Arc::new(simulated.tenants()?), simulated: Some(simulated) })
    }
}

/// Formats rows as a table. Names of accounts are untrusted: characters that control a terminal are escaped.
///
/// # Errors
/// Fails if a value cannot be formatted.
pub fn format_table(rows: &[RecordBatch]) -> Result<String, ArrowError> {
    let table = pretty_format_batches(rows)?.to_string();
    let lines: Vec<_> = table.split('\n').map(headcount::escape_hidden).collect();
    Ok(lines.join("\n"))
}

/// Returns a free port with a free port after it.
///
/// # Errors
/// Fails if no port can be bound.
pub fn free_port() -> io::Result<u16> {
    loop {
        let first = TcpListener::bind("127.0.0.1:0")?;
        let port = first.local_addr()?.port();
        if port < u16::MAX && TcpListener::bind(("127.0.0.1", port + 1)).is_ok() {
            return Ok(port);
        }
    }
}

/// Names the sources, without their credentials.
impl fmt::Debug for SimulatedTenants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.simulators.keys()).finish()
    }
}

/// Names the simulated sources.
impl fmt::Debug for OpenTenants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenTenants").field("simulated", &self.simulated).finish_non_exhaustive()
    }
}
