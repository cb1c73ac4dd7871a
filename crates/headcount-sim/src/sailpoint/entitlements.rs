//! What accounts are entitled to.

use http::StatusCode;
use serde_json::{Value, json};

use super::paging::Paging;
use super::refusal::Refusal;
use super::routes::Tenant;
use crate::exchange::{Incoming, Reply};
use crate::gate::lock;
use crate::names;
use crate::page::array;
use crate::seed::{self, one_in, pick};

impl Tenant {
    /// A page of an account's entitlements. Without a promise, their order is another one each time.
    pub(crate) fn list_entitlements(
        &self,
        incoming: &Incoming,
        id: &str,
        number: u64,
    ) -> Result<Reply, Refusal> {
        let paging = Paging::new(incoming).map_err(Refusal::BadRequest)?;
        let account = self.account(id)?;
        let mut rows = self.entitlements_of(&account);
        let total = rows.len();
        if !self.rules.stable_order {
            seed::rng(self.seed ^ 0xE7D, number).shuffle(&mut rows);
        }
        let page = paging.page(&self.rules, total)?;
        let rows = rows.into_iter().skip(page.start).take(page.len());
        Ok(paging.counted(Reply::json_text(StatusCode::OK, array(rows)), total))
    }

    /// The entitlements of an account: those that were put in for it, or those that it was made with.
    pub(crate) fn entitlements_of(&self, account: &Value) -> Vec<Value> {
        let put_in = lock(&self.entitlements).get(account["id"].as_str().unwrap_or_default()).cloned();
        put_in.unwrap_or_else(|| {
            let ids = self.sources.entitlements().iter().filter(|id| self.sources.entitles(account, id));
            ids.map(|id| self.entitlement(id, account)).collect()
        })
    }

    /// What is told of an entitlement; its source is that of the account.
    fn entitlement(&self, id: &str, account: &Value) -> Value {
        let spread = id.bytes().fold(self.seed ^ 0xE7, |sum, byte| seed::mix(sum ^ u64::from(byte)));
        let rng = &mut seed::rng(spread, 0);
        let team = names::team(rng);
        let group = format!("CN={},OU=Grüpps,DC=example,DC=com", team.replace(',', "\\,"));
        let owner = json!({"type": "IDENTITY", "id": seed::hex_id(rng), "name": names::person(rng).0});
        let mut entitlement = json!({
            "id": id,
            "name": team,
            "attribute": pick(rng, &["memberOf", "groups", "roles"]),
            "value": group,
            "sourceSchemaObjectType": pick(rng, &["group", "role"]),
            "description": if one_in(rng, 3) { Value::Null } else { json!(format!("{team}\nGroup")) },
            "privileged": one_in(rng, 6),
            "cloudGoverned": one_in(rng, 3),
            "requestable": one_in(rng, 2),
            "owner": if one_in(rng, 3) { Value::Null } else { owner },
            "manuallyUpdatedFields": if one_in(rng, 2) { Value::Null } else { json!({"DISPLAY_NAME": true}) },
            "created": "2020-10-08T18:33:52.029Z",
            "modified": "2020-10-08T18:33:52Z",
            "source": {"type": "SOURCE", "id": account["sourceId"], "name": account["sourceName"]},
            "attributes": {"GroupType": "Security", "cn": team},
            "segments": if one_in(rng, 2) { Value::Null } else { json!([seed::uuid(rng)]) },
            "directPermissions": [],
        });
        if one_in(rng, 4) {
            entitlement["directPermissions"] =
                json!([{"rights": ["SELECT"], "target": "SYS.GV_$TRANSACTION"}]);
            entitlement["accessModelMetadata"] = json!({"attributes": [{
                "key": "iscCsp", "name": "CSP", "multiselect": true, "status": "active", "type": "governance",
                "objectTypes": ["general"], "description": "Where it is deployed.",
                "values": [{"value": "development", "name": "Development", "status": "active"}],
            }]});
        }
        if one_in(rng, 5) {
            let group = json!({"type": "GOVERNANCE_GROUP", "id": seed::hex_id(rng), "name": null});
            entitlement["additionalOwners"] = json!([group]);
            entitlement["simUnannounced"] = json!({"level": 3});
        }
        if self.rules.documented_only {
            document(&mut entitlement);
        }
        entitlement
    }
}

/// Takes out what the reference does not have: a member that is not announced, and nulls, most of which it does
/// not allow.
fn document(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, member| !member.is_null() && name != "simUnannounced");
            members.values_mut().for_each(document);
        }
        Value::Array(values) => values.iter_mut().for_each(document),
        _ => {}
    }
}
