use std::{collections::BTreeMap, fmt};

use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{AuthenticationConfig, NAME};
use crate::{Error, Provider, Result, open_enum::open_enum, record::record};

record! {
    id = acct_id, secret = ["client_secret", "client_key"];

    /// An account: a tenant of a Confidential Computing Manager.
    ///
    /// Only `acct_id` is certain to be there: older servers leave out members that the reference calls
    /// required. Serialises to its own JSON with the secrets redacted; [`raw`](Self::raw) has them.
    pub struct Account {
        /// The id.
        pub acct_id: Uuid,
        /// The name, unique within an instance.
        pub name: Option<String>,
        /// When it was made. Assumed to be seconds since 1970, as other objects of the same API say of theirs:
        /// see [`created_at_utc`](Self::created_at_utc).
        pub created_at: Option<i64>,
        /// The *caller's* roles in the account.
        pub roles: Option<Vec<Role>>,
        /// The logo: see [`logo`](Self::logo).
        pub custom_logo: Option<Base64>,
        /// The *caller's* membership of the account.
        pub status: Option<MemberStatus>,
        /// How its users log in, by the id of the configuration.
        pub auth_configs: Option<BTreeMap<String, AuthenticationConfig>>,
        /// How its nodes enroll.
        pub node_enrollment: Option<NodeEnrollment>,
        /// What it holds; only told of a single account, when asked for.
        pub totals: Option<ObjectCounts>,
        /// What it is for.
        pub component: Option<Component>,
        /// The group that new objects go to.
        pub default_group_id: Option<Uuid>,
        /// The group of objects from the marketplace.
        pub marketplace_group_id: Option<Uuid>,
        /// The account's own state.
        pub account_status: Option<AccountStatus>,
        /// The integers from 0 to 22 in an order of their own.
        pub azure_cvm_pcr_priority: Option<Vec<i64>>,
        /// Features of older servers; no longer in the reference.
        pub features: Option<Vec<String>>,
        /// The approval of older servers; no longer in the reference.
        pub approval_state: Option<ApprovalState>,
    }
}

open_enum! {
    /// What a user may do in an account.
    pub enum Role {
        /// Read.
        Reader = "READER",
        /// Read and write.
        Writer = "WRITER",
        /// Manage the account.
        Manager = "MANAGER",
    }
}

open_enum! {
    /// A user's membership of an account.
    pub enum MemberStatus {
        /// A member.
        Active = "ACTIVE",
        /// Invited.
        Pending = "PENDING",
        /// Shut out.
        Disabled = "DISABLED",
    }
}

open_enum! {
    /// An account's own state.
    pub enum AccountStatus {
        /// In use.
        Active = "Active",
        /// Switched off.
        Deactivated = "Deactivated",
    }
}

open_enum! {
    /// What an account is for.
    pub enum Component {
        /// Confidential computing at large.
        Default = "DEFAULT",
        /// Confidential AI.
        ConfidentialAi = "CONFIDENTIAL_AI",
    }
}

open_enum! {
    /// Whether an account was approved, in older servers.
    pub enum ApprovalState {
        /// Not yet.
        PendingConfirmation = "PENDING_CONFIRMATION",
        /// Yes.
        Approved = "APPROVED",
        /// No.
        Disapproved = "DISAPPROVED",
    }
}

/// How nodes enroll in an account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct NodeEnrollment {
    /// Whether nodes are taken without attestation.
    pub attestation_enforcement_disabled_insecure: Option<bool>,
}

/// What an account holds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ObjectCounts {
    /// Datasets.
    pub datasets: Option<u64>,
    /// Final workflows.
    pub final_workflows: Option<u64>,
    /// Nodes.
    pub nodes: Option<u64>,
}

impl NodeEnrollment {
    /// Whether nodes are taken without attestation.
    pub fn new(attestation_enforcement_disabled_insecure: bool) -> Self {
        Self { attestation_enforcement_disabled_insecure: Some(attestation_enforcement_disabled_insecure) }
    }
}

impl Account {
    /// [`created_at`](Self::created_at), if it is a moment when taken for seconds since 1970.
    pub fn created_at_utc(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(self.created_at?, 0)
    }

    /// The logo's bytes, a `.jpg`, `.png` or `.svg`; `None` where there is none or its base64 is broken.
    pub fn logo(&self) -> Option<Vec<u8>> {
        self.custom_logo.as_ref().filter(|logo| !logo.as_str().is_empty())?.decode()
    }
}

impl From<Account> for crate::Account {
    fn from(account: Account) -> Self {
        let created_at = account.created_at_utc();
        let mut shared = Self::of_record(
            Provider::Fortanix,
            crate::AccountKind::Tenant,
            account.acct_id.to_string(),
            account.record,
        );
        shared.name = account.name;
        // `status` is the caller's membership: it counts only where the account's own state is not told.
        (shared.status, shared.raw_status) = match (account.account_status, account.status) {
            (Some(own), _) => {
                let status = match &own {
                    AccountStatus::Active => crate::AccountStatus::Active,
                    AccountStatus::Deactivated => crate::AccountStatus::Disabled,
                    AccountStatus::Unknown(_) => crate::AccountStatus::Unspecified,
                };
                (status, Some(own.into()))
            }
            (None, Some(member)) => {
                let status = match &member {
                    MemberStatus::Active => crate::AccountStatus::Active,
                    MemberStatus::Pending => crate::AccountStatus::Pending,
                    MemberStatus::Disabled => crate::AccountStatus::Disabled,
                    MemberStatus::Unknown(_) => crate::AccountStatus::Unspecified,
                };
                (status, Some(member.into()))
            }
            (None, None) => (crate::AccountStatus::Unspecified, None),
        };
        shared.created_at = created_at;
        shared
    }
}

/// Bytes, in base64 as they are sent and as they came. `Debug` tells their length only.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Base64(String);

impl Base64 {
    /// These bytes: standard alphabet, padded.
    pub fn new(bytes: impl AsRef<[u8]>) -> Self {
        Self(BASE64_STANDARD.encode(bytes))
    }

    /// The base64.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The bytes; `None` where what came is no padded base64.
    pub fn decode(&self) -> Option<Vec<u8>> {
        BASE64_STANDARD.decode(&self.0).ok()
    }
}

impl fmt::Debug for Base64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Base64({} characters)", self.0.len())
    }
}

/// How many registers there are.
const COUNT: usize = 23;

/// In which order the platform configuration registers of Azure's confidential machines count: the integers
/// from 0 to 22, each once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PcrPriority(Vec<i64>);

impl PcrPriority {
    /// This order, such as [`Account::azure_cvm_pcr_priority`](super::Account::azure_cvm_pcr_priority) has it.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if it does not hold each of 0 to 22 once.
    pub fn new(order: &[i64]) -> Result<Self> {
        let refuse = |what: String| {
            let message = format!("{what} in the PCR priority; expected each of 0 to 22 once");
            Err(Error::config(message).with_provider(NAME))
        };
        let mut seen = [false; COUNT];
        for register in order {
            let place = usize::try_from(*register).ok().and_then(|at| seen.get_mut(at));
            match place {
                None => return refuse(format!("{register} is")),
                Some(true) => return refuse(format!("{register} is twice")),
                Some(place) => *place = true,
            }
        }
        match seen.iter().position(|seen| !seen) {
            Some(missing) => refuse(format!("{missing} is not")),
            None => Ok(Self(order.to_vec())),
        }
    }

    /// The order.
    pub fn as_slice(&self) -> &[i64] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    // account.rs

    const FULL: &str = r#"{"name":"Acme","acct_id":"5e2b9f3a-4b1e-4c7e-9d55-0c1f7f4f0a01","created_at":1704067200,
        "roles":["MANAGER","AUDITOR"],"custom_logo":"aGk=","status":"PENDING","account_status":"Deactivated",
        "auth_configs":{"9f0c0000-0000-4000-8000-000000000001":{"password":{"require_2fa":true,"administrators_only":false}},
          "x":{"oauth":{"idp_name":"n","idp_icon_url":"i","idp_authorization_endpoint":"a","idp_token_endpoint":"t",
            "idp_requires_basic_auth":true,"idp_userinfo_endpoint":"u","client_id":"c","client_secret":"hunter2-secret",
            "tls":{"required":{"validate_hostname":true,"client_key":"c2VjcmV0LWtleQ==","client_cert":"Yw==",
              "ca":{"pinned":["cA=="]}}}}},
          "y":{"cluster_auth_ref":{"target_id":"z"}}},
        "node_enrollment":{"attestation_enforcement_disabled_insecure":false},
        "totals":{"datasets":1,"final_workflows":2,"nodes":3},"component":"CONFIDENTIAL_AI",
        "default_group_id":"5e2b9f3a-4b1e-4c7e-9d55-0c1f7f4f0a02",
        "marketplace_group_id":"5e2b9f3a-4b1e-4c7e-9d55-0c1f7f4f0a03",
        "azure_cvm_pcr_priority":[0,1,2],"features":["f"],"approval_state":"APPROVED"}"#;

    #[test]
    fn every_documented_field_is_decoded() {
        let account: Account = serde_json::from_str(FULL).unwrap();
        assert_eq!(account.roles.as_ref().unwrap()[0], Role::Manager);
        assert_eq!(account.roles.as_ref().unwrap()[1].as_str(), "AUDITOR");
        assert_eq!(account.logo().as_deref(), Some(&b"hi"[..]));
        assert_eq!(account.totals.as_ref().unwrap().nodes, Some(3));
        assert_eq!(account.component, Some(Component::ConfidentialAi));
        assert_eq!(account.azure_cvm_pcr_priority.as_deref(), Some(&[0, 1, 2][..]));
        assert_eq!(account.approval_state, Some(ApprovalState::Approved));
        let configs = account.auth_configs.as_ref().unwrap();
        let oauth = configs["x"].oauth.as_ref().unwrap();
        assert_eq!(oauth.client_secret.as_ref().unwrap().expose_secret(), "hunter2-secret");
        let tls = oauth.tls.as_ref().unwrap().required.as_ref().unwrap();
        assert_eq!(tls.ca.as_ref().unwrap().pinned.as_ref().unwrap(), &[Base64::new("p")]);
        let shared = crate::Account::from(account);
        assert_eq!(shared.id, "5e2b9f3a-4b1e-4c7e-9d55-0c1f7f4f0a01");
        assert_eq!(
            shared.status,
            crate::AccountStatus::Disabled,
            "the account's state, not the caller's membership"
        );
        assert_eq!(shared.created_at.unwrap().to_rfc3339(), "2024-01-01T00:00:00+00:00");
        assert!(shared.roles.is_empty(), "the caller's roles are not the account's");
    }

    #[test]
    fn secrets_of_a_record_are_shown_only_by_raw() {
        let account: Account = serde_json::from_str(FULL).unwrap();
        let shown = format!("{account:?} {account:#?} {}", serde_json::to_string(&account).unwrap());
        let shared = crate::Account::from(account.clone());
        let shown = format!("{shown} {shared:?} {}", serde_json::to_string(&shared).unwrap());
        let shown = format!("{shown} {}", shared.record().redacted());
        for secret in ["hunter2-secret", "c2VjcmV0LWtleQ"] {
            assert!(!shown.contains(secret), "{secret} is shown");
            assert!(shared.record().raw().contains(secret));
        }
    }

    #[test]
    fn an_old_servers_account_with_only_an_id_is_fine() {
        let account: Account =
            serde_json::from_str(r#"{"acct_id":"5e2b9f3a-4b1e-4c7e-9d55-0c1f7f4f0a01","status":"DISABLED"}"#)
                .unwrap();
        assert_eq!(crate::Account::from(account).status, crate::AccountStatus::Disabled);
        assert!(serde_json::from_str::<Account>(r#"{"name":"x"}"#).is_err());
    }

    // pcr_priority.rs

    #[test]
    fn each_of_0_to_22_is_there_once_or_it_is_refused() {
        let order: Vec<i64> = (0..23).rev().collect();
        assert_eq!(PcrPriority::new(&order).unwrap().as_slice(), order);
        for (at, put, why) in [
            (Some(0), 21, "21 is twice in"),
            (Some(5), 23, "23 is in"),
            (Some(5), -1, "-1 is in"),
            (None, 0, "0 is twice in"),
        ] {
            let mut order = order.clone();
            match at {
                Some(at) => order[at] = put,
                None => order.push(put),
            }
            let error = PcrPriority::new(&order).unwrap_err();
            assert!(error.message().starts_with(why), "{error}");
            assert!(error.message().ends_with("expected each of 0 to 22 once"), "{error}");
        }
        let error = PcrPriority::new(&order[..22]).unwrap_err();
        assert!(error.message().starts_with("0 is not in"), "{error}");
        assert!(PcrPriority::new(&[]).is_err());
    }
}
