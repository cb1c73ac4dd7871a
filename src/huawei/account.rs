use serde::Deserialize;

use crate::{
    Provider, Result, Timestamp,
    http::{ApiResponse, read_object},
    open_enum::open_enum,
    record::record,
};

record! {
    id = id;

    /// An account of an organization: `AccountDto` of the reference.
    ///
    /// Only `id` is guaranteed to be present; the example in the reference has no `status`.
    pub struct Account {
        /// The account's id, which is also its domain id.
        #[serde(deserialize_with = "crate::record::id")]
        pub id: String,
        /// The uniform resource name: `organizations::<management account>:account:<organization>/<id>`.
        pub urn: Option<String>,
        /// How it joined the organization.
        pub join_method: Option<JoinMethod>,
        /// Its state.
        pub status: Option<AccountStatus>,
        /// When it joined the organization.
        pub joined_at: Option<Timestamp>,
        /// Its name.
        pub name: Option<String>,
        /// A description.
        pub description: Option<String>,
        /// The registered mobile number; only with
        /// [`with_register_contact_info`](super::ListAccounts::with_register_contact_info).
        pub mobile_phone: Option<String>,
        /// The country prefix of the mobile number; only with contact information.
        pub intl_number_prefix: Option<String>,
        /// The registered e-mail address; only with contact information.
        pub email: Option<String>,
    }
}

open_enum! {
    /// How an account joined its organization.
    pub enum JoinMethod {
        /// It already existed and accepted an invitation.
        Invited = "invited",
        /// It was created in the organization.
        Created = "created",
    }
}

open_enum! {
    /// The state of an account. The reference of 2024 spells the values in upper case, later editions in
    /// lower case; both are accepted.
    pub enum AccountStatus {
        /// In use.
        Active = "active",
        /// Suspended.
        Suspended = "suspended",
        /// Being closed.
        PendingClosure = "pending_closure",
    }
}

impl Account {
    /// Returns the id of the organization, which is part of the `urn`.
    pub fn organization_id(&self) -> Option<&str> {
        let (before_id, _) = self.urn.as_deref()?.rsplit_once('/')?;
        Some(before_id.rsplit_once(':').map_or(before_id, |(_, organization)| organization))
    }
}

#[derive(Deserialize)]
struct Envelope {
    account: Account,
}

/// Reads a response that contains one account.
pub(super) fn read_account(response: &ApiResponse) -> Result<Account> {
    let envelope: Envelope = read_object(response, "an object with account")?;
    Ok(envelope.account)
}

impl From<Account> for crate::Account {
    fn from(account: Account) -> Self {
        let parent_id = account.organization_id().map(str::to_owned);
        let mut shared =
            Self::from_record(Provider::Huawei, crate::AccountKind::CloudAccount, account.id, account.record);
        shared.name = account.name;
        shared.email = account.email;
        shared.status = match &account.status {
            Some(AccountStatus::Active) => crate::AccountStatus::Active,
            Some(AccountStatus::Suspended) => crate::AccountStatus::Suspended,
            Some(AccountStatus::PendingClosure) => crate::AccountStatus::Closing,
            Some(AccountStatus::Unknown(_)) | None => crate::AccountStatus::Unspecified,
        };
        shared.raw_status = account.status.map(Into::into);
        shared.joined_at = account.joined_at.and_then(|date| date.utc());
        shared.parent_id = parent_id;
        shared.push_alternate_id("urn", account.urn);
        shared
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reference_example() {
        let json = r#"{
            "id": "05261f923e80d3890f33c0056e9b3f80",
            "urn": "organizations::0a6d25d23900d45c0faac010e0fb4de0:account:o-fhkmi6mek7wlqdp6nideqhb47qwtjdsv/05261f923e80d3890f33c0056e9b3f80",
            "join_method": "invited",
            "joined_at": "2022-08-24T06:41:15Z",
            "name": "paas_iam_573331"
        }"#;
        let account: Account = serde_json::from_str(json).unwrap();
        assert_eq!(account.join_method, Some(JoinMethod::Invited));
        assert_eq!(account.organization_id(), Some("o-fhkmi6mek7wlqdp6nideqhb47qwtjdsv"));
        let shared = crate::Account::from(account);
        assert_eq!(shared.id, "05261f923e80d3890f33c0056e9b3f80");
        assert_eq!(shared.name.as_deref(), Some("paas_iam_573331"));
        assert_eq!(
            (shared.status.clone(), shared.raw_status.clone()),
            (crate::AccountStatus::Unspecified, None)
        );
        assert_eq!(shared.joined_at.unwrap().to_rfc3339(), "2022-08-24T06:41:15+00:00");
        assert_eq!(shared.parent_id.as_deref(), Some("o-fhkmi6mek7wlqdp6nideqhb47qwtjdsv"));
        assert_eq!(shared.alternate_ids[0].name, "urn");
        let typed: Account = shared.record().parse().unwrap();
        assert_eq!(typed.raw(), json.trim(), "the shared account keeps the raw record");
    }

    #[test]
    fn lenient_decoding() {
        let read = |json: &str| serde_json::from_str::<Account>(json).unwrap();
        let account = read(
            r#"{"id":"a","urn":null,"status":"PENDING_CLOSURE","join_method":"beamed","joined_at":"later",
                "name":null,"email":"a@b.c","mobile_phone":"1","intl_number_prefix":"0086","new":{"x":1}}"#,
        );
        assert_eq!(account.status, Some(AccountStatus::PendingClosure));
        assert_eq!(account.join_method.as_ref().map(JoinMethod::as_str), Some("beamed"));
        assert_eq!(account.joined_at.as_ref().map(Timestamp::as_str), Some("later"));
        assert_eq!(account.intl_number_prefix.as_deref(), Some("0086"));
        assert_eq!(crate::Account::from(account).status, crate::AccountStatus::Closing);
        for bad in [
            r#"{"name":"x"}"#,
            r#"{"id":""}"#,
            r#"{"id":null}"#,
            "[]",
            &format!(r#"["a"{}]"#, ",null".repeat(9)),
        ] {
            assert!(serde_json::from_str::<Account>(bad).is_err(), "{bad}");
        }
    }
}
