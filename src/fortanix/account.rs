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
    /// Only `acct_id` is always set: older servers omit members that the reference calls required. An account
    /// serialises to its own JSON with the secrets redacted. [`raw`](Self::raw) returns the JSON with the
    /// secrets.
    pub struct Account {
        /// The id.
        pub acct_id: Uuid,
        /// The name, unique within an instance.
        pub name: Option<String>,
        /// When the account was created. Assumed to be seconds since 1970, as documented for other objects of
        /// the same API. See [`created_at_utc`](Self::created_at_utc).
        pub created_at: Option<i64>,
        /// The *caller's* roles in the account.
        pub roles: Option<Vec<Role>>,
        /// The logo in base64. See [`logo`](Self::logo).
        pub custom_logo: Option<Base64>,
        /// The *caller's* membership of the account.
        pub status: Option<MemberStatus>,
        /// How the account's users log in, by the id of the configuration.
        pub auth_configs: Option<BTreeMap<String, AuthenticationConfig>>,
        /// How the account's nodes enroll.
        pub node_enrollment: Option<NodeEnrollment>,
        /// The number of objects in the account. Returned only by
        /// [`GetAccount::with_totals`](super::GetAccount::with_totals).
        pub totals: Option<ObjectCounts>,
        /// The component that the account is for.
        pub component: Option<Component>,
        /// The group of new objects.
        pub default_group_id: Option<Uuid>,
        /// The group of objects from the marketplace.
        pub marketplace_group_id: Option<Uuid>,
        /// The account's own status.
        pub account_status: Option<AccountStatus>,
        /// The priority of the platform configuration registers: the integers from 0 to 22. See
        /// [`PcrPriority`].
        pub azure_cvm_pcr_priority: Option<Vec<i64>>,
        /// Features. Returned by older servers, no longer in the reference.
        pub features: Option<Vec<String>>,
        /// Whether the account was approved. Returned by older servers, no longer in the reference.
        pub approval_state: Option<ApprovalState>,
    }
}

open_enum! {
    /// A user's role in an account.
    pub enum Role {
        /// May read.
        Reader = "READER",
        /// May read and write.
        Writer = "WRITER",
        /// May manage the account.
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
        /// The membership is disabled.
        Disabled = "DISABLED",
    }
}

open_enum! {
    /// An account's own status.
    pub enum AccountStatus {
        /// Active.
        Active = "Active",
        /// Deactivated.
        Deactivated = "Deactivated",
    }
}

open_enum! {
    /// The component that an account is for.
    pub enum Component {
        /// Confidential computing in general.
        Default = "DEFAULT",
        /// Confidential AI.
        ConfidentialAi = "CONFIDENTIAL_AI",
    }
}

open_enum! {
    /// Whether an account was approved. Only older servers return it.
    pub enum ApprovalState {
        /// Not confirmed yet.
        PendingConfirmation = "PENDING_CONFIRMATION",
        /// Approved.
        Approved = "APPROVED",
        /// Disapproved.
        Disapproved = "DISAPPROVED",
    }
}

/// How nodes enroll in an account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct NodeEnrollment {
    /// Whether nodes may enroll without attestation.
    pub attestation_enforcement_disabled_insecure: Option<bool>,
}

/// The number of objects in an account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ObjectCounts {
    /// The number of datasets.
    pub datasets: Option<u64>,
    /// The number of final workflows.
    pub final_workflows: Option<u64>,
    /// The number of nodes.
    pub nodes: Option<u64>,
}

impl NodeEnrollment {
    /// Creates a setting of whether nodes may enroll without attestation.
    pub fn new(attestation_enforcement_disabled_insecure: bool) -> Self {
        Self { attestation_enforcement_disabled_insecure: Some(attestation_enforcement_disabled_insecure) }
    }
}

impl Account {
    /// Returns [`created_at`](Self::created_at) as a date, if it is a valid number of seconds since 1970.
    pub fn created_at_utc(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(self.created_at?, 0)
    }

    /// Returns the logo's bytes, a `.jpg`, `.png` or `.svg`. `None` if there is no logo or its base64 is
    /// invalid.
    pub fn logo(&self) -> Option<Vec<u8>> {
        self.custom_logo.as_ref().filter(|logo| !logo.as_str().is_empty())?.decode()
    }
}

impl From<Account> for crate::Account {
    fn from(account: Account) -> Self {
        let created_at = account.created_at_utc();
        let mut shared = Self::from_record(
            Provider::Fortanix,
            crate::AccountKind::Tenant,
            account.acct_id.to_string(),
            account.record,
        );
        shared.name = account.name;
        // `status` is the caller's membership, which is used only if the account's own status is missing.
        (shared.status, shared.raw_status) = match (account.account_status, account.status) {
            (Some(account_status), _) => {
                let status = match &account_status {
                    AccountStatus::Active => crate::AccountStatus::Active,
                    AccountStatus::Deactivated => crate::AccountStatus::Disabled,
                    AccountStatus::Unknown(_) => crate::AccountStatus::Unspecified,
                };
                (status, Some(account_status.into()))
            }
            (None, Some(member_status)) => {
                let status = match &member_status {
                    MemberStatus::Active => crate::AccountStatus::Active,
                    MemberStatus::Pending => crate::AccountStatus::Pending,
                    MemberStatus::Disabled => crate::AccountStatus::Disabled,
                    MemberStatus::Unknown(_) => crate::AccountStatus::Unspecified,
                };
                (status, Some(member_status.into()))
            }
            (None, None) => (crate::AccountStatus::Unspecified, None),
        };
        shared.created_at = created_at;
        shared
    }
}

/// Bytes in base64, as they are sent and received. `Debug` shows only their length.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Base64(String);

impl Base64 {
    /// Encodes bytes in the standard alphabet, padded.
    pub fn new(bytes: impl AsRef<[u8]>) -> Self {
        Self(BASE64_STANDARD.encode(bytes))
    }

    /// Returns the base64.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the bytes. `None` if the received text is not padded base64.
    pub fn decode(&self) -> Option<Vec<u8>> {
        BASE64_STANDARD.decode(&self.0).ok()
    }
}

impl fmt::Debug for Base64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Base64({} characters)", self.0.len())
    }
}

/// The number of registers.
const REGISTERS: usize = 23;

/// The priority of the platform configuration registers (PCR) of Azure confidential VMs: the integers from 0
/// to 22, each once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PcrPriority(Vec<i64>);

impl PcrPriority {
    /// Creates a priority from the registers in their order, as in
    /// [`Account::azure_cvm_pcr_priority`](super::Account::azure_cvm_pcr_priority).
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if `order` does not contain each of 0 to 22 once.
    pub fn new(order: &[i64]) -> Result<Self> {
        let invalid = |reason: String| {
            let message = format!("{reason} in PCR priority; expected each of 0 to 22 once");
            Err(Error::config(message).with_provider(NAME))
        };
        let mut seen = [false; REGISTERS];
        for register in order {
            let seen = usize::try_from(*register).ok().and_then(|index| seen.get_mut(index));
            match seen {
                None => return invalid(format!("invalid register {register}")),
                Some(true) => return invalid(format!("duplicate register {register}")),
                Some(seen) => *seen = true,
            }
        }
        match seen.iter().position(|seen| !seen) {
            Some(missing) => invalid(format!("missing register {missing}")),
            None => Ok(Self(order.to_vec())),
        }
    }

    /// Returns the registers in their order.
    pub fn as_slice(&self) -> &[i64] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

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
    fn each_documented_member_is_decoded() {
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
    fn only_raw_shows_secrets() {
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
    fn account_with_only_an_id_is_valid() {
        let account: Account =
            serde_json::from_str(r#"{"acct_id":"5e2b9f3a-4b1e-4c7e-9d55-0c1f7f4f0a01","status":"DISABLED"}"#)
                .unwrap();
        assert_eq!(crate::Account::from(account).status, crate::AccountStatus::Disabled);
        assert!(serde_json::from_str::<Account>(r#"{"name":"x"}"#).is_err());
    }

    #[test]
    fn pcr_priority_requires_each_register_once() {
        let order: Vec<i64> = (0..23).rev().collect();
        assert_eq!(PcrPriority::new(&order).unwrap().as_slice(), order);
        for (index, register, reason) in [
            (Some(0), 21, "duplicate register 21 in"),
            (Some(5), 23, "invalid register 23 in"),
            (Some(5), -1, "invalid register -1 in"),
            (None, 0, "duplicate register 0 in"),
        ] {
            let mut order = order.clone();
            match index {
                Some(index) => order[index] = register,
                None => order.push(register),
            }
            let error = PcrPriority::new(&order).unwrap_err();
            assert!(error.message().starts_with(reason), "{error}");
            assert!(error.message().ends_with("expected each of 0 to 22 once"), "{error}");
        }
        let error = PcrPriority::new(&order[..22]).unwrap_err();
        assert!(error.message().starts_with("missing register 0 in"), "{error}");
        assert!(PcrPriority::new(&[]).is_err());
    }
}
