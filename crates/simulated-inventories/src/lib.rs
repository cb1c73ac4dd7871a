//! Two inventories of simulated accounts, for examples that compare or report inventories.

use headcount::{
    Account, AnyPaginator, Error, ErrorKind, Inventory, ListingReport, Provider, Result, Source,
    SourceInventory, annature, fortanix, huawei, sailpoint,
};
use headcount_sim::{self as sim, Server, Simulators};
use serde_json::json;

/// The tenant of the inventories.
pub const TENANT: &str = "simulated";

const SEED: u64 = 1;
/// The attribute of the simulated `SailPoint` accounts that contains the e-mail address.
const EMAIL_ATTRIBUTE: &str = "mail";
/// Of so many accounts, one leaves, one joins and one changes.
const CHANGE_EVERY: usize = 20;

/// Lists simulators of all providers twice, and changes their accounts in between. Returns `(earlier, later)`.
///
/// Each simulator starts with `accounts` accounts. The sources are `simulated/fortanix`, `simulated/huawei`,
/// `simulated/annature` and `simulated/sailpoint`. Between the listings, about 5 % of the accounts of each leave, 5 %
/// join, and up to 5 % change their status or role. Many people have accounts at several providers, with the same e-mail
/// address.
///
/// # Errors
/// Fails if a simulator cannot be started, or a client cannot be created.
pub async fn simulate(accounts: usize) -> Result<(Inventory, Inventory)> {
    let simulators = Simulators::start(accounts, SEED).await.map_err(|error| {
        Error::new(ErrorKind::Transport, format!("cannot start a simulator: {error}")).with_source(error)
    })?;
    let [fortanix, huawei, annature, sailpoint] = servers(&simulators)?;
    let earlier = list(&simulators).await?;

    for (index, id) in changed(huawei).into_iter().enumerate() {
        let status = if index % 2 == 0 { "suspended" } else { "active" };
        huawei.update(&id, |record| record["status"] = json!(status));
    }
    for id in changed(fortanix) {
        fortanix.update(&id, |record| record["account_status"] = json!("Deactivated"));
    }
    for id in changed(annature) {
        annature.update(&id, |record| record["role"] = json!("administrator"));
    }
    for id in changed(sailpoint) {
        sailpoint.update(&id, |record| record["disabled"] = json!(true));
    }
    for server in [fortanix, huawei, annature, sailpoint] {
        for id in server.ids().iter().skip(1).step_by(CHANGE_EVERY) {
            server.remove(id);
        }
        server.generate(accounts.div_ceil(CHANGE_EVERY));
    }
    Ok((earlier, list(&simulators).await?))
}

/// Returns the accounts that change, which are not those that leave.
fn changed(server: &Server) -> Vec<String> {
    server.ids().into_iter().step_by(CHANGE_EVERY).collect()
}

async fn list(simulators: &Simulators) -> Result<Inventory> {
    let (fortanix, huawei) = (get::<sim::Fortanix>(simulators)?, get::<sim::Huawei>(simulators)?);
    let (annature, sailpoint) = (get::<sim::Annature>(simulators)?, get::<sim::SailPoint>(simulators)?);
    let fortanix_client = fortanix::Client::builder()
        .base_url(fortanix.base_url())
        .password(fortanix.email(), fortanix.password())
        .build()?;
    let huawei_client = huawei::Client::builder()
        .base_url(huawei.base_url())
        .access_key(huawei.ak())
        .secret_key(huawei.sk())
        .build()?;
    let annature_client = annature::Client::builder()
        .base_url(annature.base_url())
        .id(annature.id())
        .key(annature.key())
        .build()?;
    let sailpoint_client = sailpoint::Client::builder()
        .base_url(sailpoint.base_url())
        .client_credentials(sailpoint.client_id(), sailpoint.client_secret())
        .build()?;
    let huawei_list = huawei_client.list_accounts().with_register_contact_info(true);
    let sailpoint_list = sailpoint_client.list_accounts().email_attribute(EMAIL_ATTRIBUTE);
    let sources = [
        (Provider::Fortanix, fortanix.base_url(), None, fortanix_client.list_accounts().into_accounts()),
        (
            Provider::Huawei,
            huawei.base_url(),
            Some("with_register_contact_info=true"),
            huawei_list.into_accounts(),
        ),
        (Provider::Annature, annature.base_url(), None, annature_client.list_accounts().into_accounts()),
        (
            Provider::SailPoint,
            sailpoint.base_url(),
            Some("email_attribute=mail"),
            sailpoint_list.into_accounts(),
        ),
    ];
    let mut listed = Vec::new();
    for (provider, base_url, filter, accounts) in sources {
        listed.push(collect(provider, base_url, filter, accounts).await?);
    }
    Ok(listed.into_iter().collect())
}

async fn collect(
    provider: Provider,
    base_url: &str,
    filter: Option<&str>,
    accounts: AnyPaginator<Account>,
) -> Result<SourceInventory> {
    let path = match provider {
        Provider::Fortanix => "/v1/accounts",
        Provider::Huawei => "/v1/organizations/accounts",
        Provider::Annature => "/v2/accounts",
        _ => sailpoint::ApiVersion::default().path(),
    };
    let mut report = ListingReport::start(Source::new(TENANT, provider.as_str(), provider.clone())?);
    report.endpoint = Some(format!("GET {base_url}{path}"));
    report.filter = filter.map(str::to_owned);
    Ok(SourceInventory::collect(report, accounts).await)
}

fn get<T: sim::Simulator>(simulators: &Simulators) -> Result<&T> {
    simulators.get().ok_or_else(|| Error::new(ErrorKind::Config, "a simulator was not started"))
}

/// Returns the servers in the order of their names here.
fn servers(simulators: &Simulators) -> Result<[&Server; 4]> {
    Ok([
        get::<sim::Fortanix>(simulators)?,
        get::<sim::Huawei>(simulators)?,
        get::<sim::Annature>(simulators)?,
        get::<sim::SailPoint>(simulators)?,
    ])
}
