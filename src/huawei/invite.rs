//! Inviting an account to join the organization.

use http::Method;
use serde::{Deserialize, Serialize};

use super::{Client, create::Tag, requests::validate_length};
use crate::{
    Result, Timestamp,
    http::{ApiRequest, ApiResponse, read_object},
    open_enum::open_enum,
    record::record,
};

const PATH: &str = "/v1/organizations/accounts/invite";

impl Client {
    /// Invites an account to join the organization. `notes` is part of the e-mail to its owner.
    ///
    /// For the management account only; IAM action `organizations:accounts:invite`, and
    /// `organizations:resources:tag` for tags.
    pub fn invite_account(&self, target: InviteTarget, notes: impl Into<String>) -> InviteAccount {
        InviteAccount { client: self.clone(), target, notes: notes.into(), tags: Vec::new() }
    }
}

/// The account to invite. The reference of 2024 accepted an e-mail address instead of the name; later
/// editions do not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", content = "entity", rename_all = "snake_case")]
#[non_exhaustive]
pub enum InviteTarget {
    /// The account with this id. At most 100 characters.
    Account(String),
    /// The account with this name. At most 100 characters.
    Name(String),
}

/// `POST /v1/organizations/accounts/invite`: invites an account.
///
/// The account must be registered on the same site as the organization: accounts of the Chinese mainland site
/// and of the international site cannot be mixed. At most 20 invitations are sent within 24 hours. Both
/// limits are from the *Service Overview*; the error code for further invitations is not documented. Lengths
/// are those of the API Reference of 2024.
///
/// # Retries
/// Not idempotent: retried only if the request never reached the server. After
/// [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), only the console shows whether the
/// invitation was sent, because this crate does not list invitations. Repeating the request would send a
/// second e-mail.
///
/// # Errors
/// - [`Config`](crate::ErrorKind::Config) if the target does not have 1 to 100 characters, the notes have
///   more than 1024, or a tag is invalid
/// - [`PermissionDenied`](crate::ErrorKind::PermissionDenied) if the key does not belong to the management
///   account (`Organizations.1001`) or a policy does not allow it (`.1007`)
/// - [`Api`](crate::ErrorKind::Api) if the account cannot be invited
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct InviteAccount {
    client: Client,
    target: InviteTarget,
    notes: String,
    tags: Vec<Tag>,
}

#[derive(Serialize)]
struct Body<'a> {
    target: &'a InviteTarget,
    notes: &'a str,
    #[serde(skip_serializing_if = "<[Tag]>::is_empty")]
    tags: &'a [Tag],
}

impl InviteAccount {
    /// Adds a tag, which is attached once the account has joined. At most 20 tags with distinct keys are
    /// allowed. Keys have 1 to 128 characters, values at most 255. For the sources, see
    /// [`CreateAccount::tag`](super::CreateAccount::tag).
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.push(Tag::new(key, value));
        self
    }

    /// Sends the request and returns the invitation.
    pub async fn send(self) -> Result<Handshake> {
        self.client.send(self.request(), read_handshake).await
    }

    fn request(&self) -> Result<ApiRequest> {
        match &self.target {
            InviteTarget::Account(id) => validate_length("the target's account id", id, 1, 100)?,
            InviteTarget::Name(name) => validate_length("the target's name", name, 1, 100)?,
        }
        validate_length("notes", &self.notes, 0, 1024)?;
        Tag::validate_all(&self.tags)?;
        let body = Body { target: &self.target, notes: &self.notes, tags: &self.tags };
        ApiRequest::new(Method::POST, PATH).json(&body)
    }
}

record! {
    id = id;

    /// An invitation: `HandshakeDto` of the reference.
    ///
    /// Only `id` is guaranteed to be present.
    pub struct Handshake {
        /// The invitation's id.
        #[serde(deserialize_with = "crate::record::id")]
        pub id: String,
        /// The uniform resource name.
        pub urn: Option<String>,
        /// Its state.
        pub status: Option<HandshakeStatus>,
        /// When it was created.
        pub created_at: Option<Timestamp>,
        /// When it was accepted, cancelled, declined or expired.
        pub updated_at: Option<Timestamp>,
        /// When it expires.
        pub expired_at: Option<Timestamp>,
        /// The id of the organization's management account.
        pub management_account_id: Option<String>,
        /// The name of the organization's management account.
        pub management_account_name: Option<String>,
        /// The organization's id.
        pub organization_id: Option<String>,
        /// The notes in the e-mail.
        pub notes: Option<String>,
        /// The invited account.
        pub target: Option<HandshakeTarget>,
    }
}

/// The invited account, as returned by the provider.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct HandshakeTarget {
    /// The type of `entity`: `account` for an id, `name`, or `email` for older invitations.
    #[serde(rename = "type")]
    pub target_type: Option<String>,
    /// The id, name or address.
    pub entity: Option<String>,
}

open_enum! {
    /// The state of an invitation: `HandshakeDto` of the reference and of the vendor's SDKs.
    pub enum HandshakeStatus {
        /// Awaiting a response.
        Pending = "pending",
        /// Accepted: the account has joined.
        Accepted = "accepted",
        /// Cancelled by the organization.
        Cancelled = "cancelled",
        /// Declined.
        Declined = "declined",
        /// Expired without a response.
        Expired = "expired",
    }
}

#[derive(Deserialize)]
struct Envelope {
    handshake: Handshake,
}

fn read_handshake(response: &ApiResponse) -> Result<Handshake> {
    let envelope: Envelope = read_object(response, "an object with handshake")?;
    Ok(envelope.handshake)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn body_has_the_id_or_name() {
        let client = Client::builder().access_key("access").secret_key("secret").build().unwrap();
        let body = |request: InviteAccount| -> Value {
            serde_json::from_slice(&request.request().unwrap().body).unwrap()
        };
        let by_id = client.invite_account(InviteTarget::Account("05261f92".into()), "");
        assert_eq!(body(by_id), json!({"target": {"type": "account", "entity": "05261f92"}, "notes": ""}));
        let by_name = client.invite_account(InviteTarget::Name("paas".into()), "welcome").tag("k", "");
        let tags = json!([{"key": "k", "value": ""}]);
        let target = json!({"type": "name", "entity": "paas"});
        assert_eq!(body(by_name), json!({"target": target, "notes": "welcome", "tags": tags}));
    }
}
