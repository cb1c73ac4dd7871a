use crate::{AccountKind, AccountStatus, Provider, Timestamp, open_enum::open_enum, record::record};

record! {
    id = id;

    /// An account: a person's login.
    ///
    /// Only `id` is always present. Which other members may be null or missing is not documented, so all are
    /// optional.
    pub struct Account {
        /// The opaque id.
        #[serde(deserialize_with = "crate::record::id")]
        pub id: String,
        /// The person's name.
        pub name: Option<String>,
        /// The e-mail address, unique among all accounts.
        pub email: Option<String>,
        /// The phone number, free-form.
        pub number: Option<String>,
        /// The offset from UTC, such as `+10:00`; not the name of a time zone.
        pub timezone: Option<String>,
        /// The permissions of the person.
        pub role: Option<Role>,
        /// `false` once deactivated.
        pub active: Option<bool>,
        /// The id of the account group.
        pub group_id: Option<String>,
        /// The id of the organisation.
        pub organisation_id: Option<String>,
        /// When the account was created.
        pub created: Option<Timestamp>,
        /// When the e-mail address was verified; `None` until then.
        pub verified: Option<Timestamp>,
    }
}

open_enum! {
    /// The permissions of a person.
    pub enum Role {
        /// All permissions.
        Administrator = "administrator",
        /// May send envelopes.
        Standard = "standard",
        /// Read-only access.
        ReadOnly = "read-only",
    }
}

impl From<Account> for crate::Account {
    fn from(account: Account) -> Self {
        let mut shared = Self::from_record(Provider::Annature, AccountKind::User, account.id, account.record);
        shared.name = account.name;
        shared.email = account.email;
        shared.status = match account.active {
            Some(false) => AccountStatus::Disabled,
            Some(true) if account.verified.is_none() => AccountStatus::Pending,
            Some(true) => AccountStatus::Active,
            None => AccountStatus::Unspecified,
        };
        shared.raw_status =
            account.active.map(|active| if active { "active: true" } else { "active: false" }.into());
        shared.created_at = account.created.and_then(|date| date.utc());
        shared.parent_id = account.organisation_id;
        shared.roles = account.role.iter().map(|role| role.as_str().to_owned()).collect();
        shared
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = r#"{"id":"c64ce66b70b21c03bfd5dfa0ab14b730","name":"Ted Annature",
        "email":"ted@annature.com.au","number":"1300 000 000","timezone":"+10:00","role":"administrator",
        "active":true,"group_id":"a5a885caee6286a54ad7bbd4ab5400e9",
        "organisation_id":"62e9a87c6ed1444d9d228c4a0374017d","created":"2019-12-17T05:30:00Z",
        "verified":"2019-12-17T05:30:00Z"}"#;

    #[test]
    fn reference_example_decodes() {
        let account: Account = serde_json::from_str(EXAMPLE).unwrap();
        assert_eq!(account.number.as_deref(), Some("1300 000 000"));
        assert_eq!(account.timezone.as_deref(), Some("+10:00"));
        assert_eq!(account.role, Some(Role::Administrator));
        assert_eq!(account.group_id.as_deref(), Some("a5a885caee6286a54ad7bbd4ab5400e9"));
        assert_eq!(account.verified.as_ref().map(Timestamp::as_str), Some("2019-12-17T05:30:00Z"));
        let shared = crate::Account::from(account);
        assert_eq!(shared.id, "c64ce66b70b21c03bfd5dfa0ab14b730");
        assert_eq!(shared.name.as_deref(), Some("Ted Annature"));
        assert_eq!(shared.email.as_deref(), Some("ted@annature.com.au"));
        assert_eq!(shared.status, AccountStatus::Active);
        assert_eq!(shared.roles, ["administrator"]);
        assert_eq!(shared.parent_id.as_deref(), Some("62e9a87c6ed1444d9d228c4a0374017d"));
        assert_eq!(shared.created_at.unwrap().timestamp(), 1_576_560_600);
        assert_eq!(shared.record().raw(), EXAMPLE);
    }

    #[test]
    fn status_from_active_and_verified() {
        let status = |json: &str| crate::Account::from(serde_json::from_str::<Account>(json).unwrap()).status;
        assert_eq!(status(r#"{"id":"a","active":false,"verified":null}"#), AccountStatus::Disabled);
        assert_eq!(status(r#"{"id":"a","active":true,"verified":null}"#), AccountStatus::Pending);
        assert_eq!(
            status(r#"{"id":"a","active":true,"verified":"2024-03-15T22:21:57.000Z"}"#),
            AccountStatus::Active
        );
        assert_eq!(
            status(r#"{"id":"a","role":"owner","group_id":null,"extra":[1]}"#),
            AccountStatus::Unspecified
        );
    }
}
