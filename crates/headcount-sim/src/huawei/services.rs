//! `GET /v1/organizations/accounts/{account_id}/delegated-services`.

use chrono::DateTime;
use serde_json::json;

use super::creations::date;
use super::refusal::Refusal;
use super::routes::Organization;
use crate::exchange::{Incoming, Reply};
use crate::gate::lock;
use crate::key::Id;

const SERVICES: [&str; 10] = [
    "service.AccessAnalyzer",
    "service.CES",
    "service.CTS",
    "service.Config",
    "service.IdentityCenter",
    "service.LTS",
    "service.RAM",
    "service.RGC",
    "service.SecMaster",
    "service.TMS",
];
/// Seconds since 1970 of the day the first service was delegated; one a day.
const FIRST: i64 = 1_700_000_000;

impl Organization {
    pub(crate) fn list_services(&self, incoming: &Incoming, id: &str) -> Result<Reply, Refusal> {
        if !lock(&self.world).contains(id) {
            return Err(Refusal::NoSuchAccount);
        }
        let rows = of(&Id::from_hex(id)).into_iter().zip(0..).map(|(service, day)| {
            let at = DateTime::from_timestamp(FIRST + day * 86_400, 0).unwrap_or_default();
            let row = json!({"service_principal": service, "delegation_enabled_at": date(at)});
            (service.to_owned(), row)
        });
        self.page_of(incoming, "delegated_services", rows.collect())
    }
}

/// The services of which an account is a delegated administrator, sorted. They follow from its id; three
/// accounts in four have none.
pub(crate) fn of(id: &Id) -> Vec<&'static str> {
    let spread = id.spread();
    if !spread.is_multiple_of(4) {
        return Vec::new();
    }
    let chosen = SERVICES.iter().enumerate().filter(|(number, _)| (spread >> (8 + number)) & 1 == 1);
    chosen.map(|(_, service)| *service).collect()
}
