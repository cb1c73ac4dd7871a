//! Lists the accounts of a provider that the crate has no client for, with a `Paginator` on an `ApiClient`.
//!
//! The provider here is the Annature simulator, whose list has the usual form: an object with an array, a
//! cursor and `has_more`. The listing gets retries, a rate limit, redacted errors, checkpoints and
//! completeness like the built-in ones.

use std::{borrow::Cow, time::Duration};

use headcount::{
    Account, AccountKind, AccountStatus, Error, ErrorKind, ListingId, Page, Paginator, Provider, Result,
    escape_hidden,
    http::{ApiClient, ApiRequest, ApiResponse, Auth, Bytes, ErrorResponse, HeaderValue, RateLimit, Request},
    secrecy::{ExposeSecret, SecretString},
};
use serde::Deserialize;

/// The provider's record.
#[derive(Deserialize)]
struct Login {
    id: String,
    email: Option<String>,
    active: Option<bool>,
}

impl From<Login> for Account {
    fn from(login: Login) -> Self {
        let mut account = Self::new(Provider::from("example"), AccountKind::User, login.id);
        account.email = login.email;
        account.status = match login.active {
            Some(true) => AccountStatus::Active,
            Some(false) => AccountStatus::Disabled,
            None => AccountStatus::Unspecified,
        };
        account
    }
}

/// The provider's authentication: a key id and a key in two headers.
struct ApiKey {
    id: String,
    key: SecretString,
}

impl Auth for ApiKey {
    type Credential = ();

    async fn credential(&self) -> Result<()> {
        Ok(())
    }

    fn apply(&self, (): &(), request: &mut Request<Bytes>) -> Result<()> {
        let invalid =
            |_| Error::new(ErrorKind::Config, "invalid character in the API key; expected visible ASCII");
        let mut key = HeaderValue::from_str(self.key.expose_secret()).map_err(invalid)?;
        // Marks it for redaction.
        key.set_sensitive(true);
        request.headers_mut().insert("x-annature-key", key);
        request.headers_mut().insert("x-annature-id", HeaderValue::from_str(&self.id).map_err(invalid)?);
        Ok(())
    }

    fn parse_error(&self, response: &ApiResponse) -> ErrorResponse {
        #[derive(Deserialize)]
        struct Body {
            error: Option<String>,
        }
        let message = response.json::<Body>().ok().and_then(|body| body.error);
        ErrorResponse { message, ..ErrorResponse::default() }
    }
}

/// The provider's list of logins.
struct Logins {
    client: ApiClient,
    auth: ApiKey,
}

impl Logins {
    fn request(cursor: Option<&String>) -> ApiRequest {
        ApiRequest::get("/v2/accounts").query("cursor", cursor)
    }
}

impl Paginator for Logins {
    type Item = Login;
    type Cursor = String;

    fn listing_id(&self) -> ListingId {
        self.client.listing_id(&self.auth.id, &Self::request(None))
    }

    async fn fetch(&self, at: Option<&String>) -> Result<Page<Login, String>> {
        #[derive(Deserialize)]
        struct Envelope {
            has_more: bool,
            cursor: Option<String>,
        }
        let read = |response: &ApiResponse| {
            let (rows, envelope) = response.page::<Login, Envelope>("accounts", "id")?;
            // The end is what the provider says it is, and nothing else.
            let next = match envelope {
                Envelope { has_more: false, .. } => None,
                Envelope { cursor: Some(cursor), .. } => Some(cursor),
                Envelope { cursor: None, .. } => {
                    return Err(Error::new(ErrorKind::Decode, "expected a cursor, because has_more is true"));
                }
            };
            Ok(rows.into_page(next))
        };
        self.client.send(&self.auth, Self::request(at), read).await
    }

    fn item_id<'a>(&self, login: &'a Login) -> Option<Cow<'a, str>> {
        Some(login.id.as_str().into())
    }
}

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let server = headcount_sim::Annature::builder().accounts(250).start().await?;

    let client = ApiClient::builder("example")
        .base_url(server.base_url())
        .rate_limit(RateLimit::new(100, Duration::from_secs(10)))
        .build()?;
    let logins =
        Logins { client, auth: ApiKey { id: server.id().to_owned(), key: server.key().to_owned().into() } };

    let mut accounts = logins.into_accounts().items().require_complete();
    while let Some(account) = accounts.try_next().await? {
        let email = account.email.as_deref().unwrap_or("-");
        println!("{} {} {}", escape_hidden(&account.id), account.status, escape_hidden(email));
    }
    eprintln!("{}", accounts.summary());
    Ok(())
}
