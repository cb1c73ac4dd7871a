use http::Method;
use serde::{Deserialize, Serialize};

use super::{Client, create::Tag, requests::check_length};
use crate::{
    Result, Timestamp,
    http::{ApiRequest, ApiResponse, read_object},
    open_enum::open_enum,
    record::record,
};

const PATH: &str = "/v1/organizations/accounts/invite";

impl Client {
    /// Invites an account to join the organization, with notes for the mail that its owner gets.
    ///
    /// For the management account only; IAM action `organizations:accounts:invite`, and
    /// `organizations:resources:tag` for tags.
    pub fn invite_account(&self, target: InviteTarget, notes: impl Into<String>) -> InviteAccount {
        InviteAccount { client: self.clone(), target, notes: notes.into(), tags: Vec::new() }
    }
}

/// Who is invited. The reference of 2024 took an e-mail address in place of the name, later ones do not.
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
/// The account must be of the same kind as the organization's: those of the Chinese mainland's site and of
/// the international site can not be mixed. At most 20 invitations are sent within 24 hours (*Service
/// Overview*, both); with which code more are refused is not documented. Lengths are those of the API
/// Reference of 2024.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), only the
/// console shows whether it was: this crate does not list invitations. A second one would send a second mail.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the target does not have 1 to 100 characters, the notes have more
/// than 1024, or a tag can not be; [`PermissionDenied`](crate::ErrorKind::PermissionDenied) if the key does not belong to the
/// management account (`Organizations.1001`) or a policy does not allow it (`.1007`);
/// [`Api`](crate::ErrorKind::Api) if the account can not be invited.
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
    /// Attaches a tag once the account has joined; at most 20, each with another key. Keys have 1 to 128
    /// characters, values at most 255. For the sources, see
    /// [`CreateAccount::tag`](super::CreateAccount::tag).
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.push(Tag::new(key, value));
        self
    }

    /// Sends the request, and gives the invitation.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<Handshake> {
        self.client.send(self.request(), read).await
    }

    fn request(&self) -> Result<ApiRequest> {
        match &self.target {
            InviteTarget::Account(id) => check_length("the target's account id", id, 1, 100)?,
            InviteTarget::Name(name) => check_length("the target's name", name, 1, 100)?,
        }
        check_length("notes", &self.notes, 0, 1024)?;
        Tag::check_all(&self.tags)?;
        let body = Body { target: &self.target, notes: &self.notes, tags: &self.tags };
        ApiRequest::mutation(Method::POST, PATH).json(&body)
    }
}

record! {
    id = id;

    /// An invitation: `HandshakeDto` of the reference.
    ///
    /// Only `id` is certain to be there.
    pub struct Handshake {
        /// The invitation's id.
        #[serde(deserialize_with = "crate::record::id")]
        pub id: String,
        /// The uniform resource name.
        pub urn: Option<String>,
        /// Its state.
        pub status: Option<HandshakeStatus>,
        /// When it was made.
        pub created_at: Option<Timestamp>,
        /// When it was accepted, cancelled or declined, or expired.
        pub updated_at: Option<Timestamp>,
        /// When it expires.
        pub expired_at: Option<Timestamp>,
        /// The id of the organization's management account.
        pub management_account_id: Option<String>,
        /// The name of the organization's management account.
        pub management_account_name: Option<String>,
        /// The organization's id.
        pub organization_id: Option<String>,
        /// The notes for the mail.
        pub notes: Option<String>,
        /// Who is invited.
        pub target: Option<HandshakeTarget>,
    }
}

/// Who is invited, as the provider tells it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct HandshakeTarget {
    /// What the entity is: `account` for an id, `name`, or `email` of older invitations.
    #[serde(rename = "type")]
    pub target_type: Option<String>,
    /// The id, name or address.
    pub entity: Option<String>,
}

open_enum! {
    /// The state of an invitation: `HandshakeDto` of the reference and of the vendor's own clients.
    pub enum HandshakeStatus {
        /// Not answered yet.
        Pending = "pending",
        /// Accepted: the account has joined.
        Accepted = "accepted",
        /// Taken back.
        Cancelled = "cancelled",
        /// Declined.
        Declined = "declined",
        /// Not answered in time.
        Expired = "expired",
    }
}

#[derive(Deserialize)]
struct Envelope {
    handshake: Handshake,
}

fn read(response: &ApiResponse) -> Result<Handshake> {
    let envelope: Envelope = read_object(response, "an object with handshake")?;
    Ok(envelope.handshake)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn the_body_names_the_target_by_id_or_name() {
        let client = Client::builder("access", "secret").build().unwrap();
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
