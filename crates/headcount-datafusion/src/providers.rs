//! The clients of the sources, and what each provider can do with a [`ListRequest`].

use std::{fmt, sync::OnceLock};

use headcount::{
    Result, annature, fortanix, huawei,
    sailpoint::{self, DetailLevel, Field, Filter},
};

use crate::{Condition, ListRequest, Listing};

/// The names of the variables with the credentials of a source, by provider.
pub(crate) enum Credentials {
    FortanixPassword {
        email: String,
        password: String,
    },
    FortanixToken {
        token: String,
    },
    Huawei {
        access_key: String,
        secret_key: String,
        security_token: Option<String>,
        domain_id: Option<String>,
    },
    Annature {
        id: String,
        key: String,
        partner_key: Option<String>,
    },
    SailPoint {
        client_id: String,
        client_secret: String,
        email_attribute: Option<String>,
    },
    SailPointToken {
        token: String,
        email_attribute: Option<String>,
    },
}

impl Credentials {
    /// Returns the names of all members of this provider, except `provider` and `base_url`.
    pub(crate) fn members(&self) -> &'static [&'static str] {
        match self {
            Self::FortanixPassword { .. } | Self::FortanixToken { .. } => &["email", "password", "token"],
            Self::Huawei { .. } => &["access_key", "secret_key", "security_token", "domain_id"],
            Self::Annature { .. } => &["id", "key", "partner_key"],
            Self::SailPoint { .. } | Self::SailPointToken { .. } => {
                &["client_id", "client_secret", "token", "email_attribute"]
            }
        }
    }
}

/// A source of a tenants file.
pub(crate) struct SourceConfig {
    credentials: Credentials,
    base_url: Option<String>,
    /// One for all queries, so that they share its rate limit and its token.
    client: OnceLock<Client>,
}

impl fmt::Debug for SourceConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SourceConfig")
    }
}

enum Client {
    Fortanix(fortanix::Client),
    Huawei(huawei::Client),
    Annature(annature::Client),
    SailPoint(sailpoint::Client, Option<String>),
}

/// Reads a variable.
type Lookup<'a> = &'a dyn Fn(&str) -> Result<String>;

impl SourceConfig {
    pub(crate) fn new(credentials: Credentials, base_url: Option<String>) -> Self {
        Self { credentials, base_url, client: OnceLock::new() }
    }

    /// Returns the variable that identifies the credentials.
    pub(crate) fn identity(&self) -> &str {
        match &self.credentials {
            Credentials::FortanixPassword { email: variable, .. }
            | Credentials::FortanixToken { token: variable }
            | Credentials::Huawei { access_key: variable, .. }
            | Credentials::Annature { id: variable, .. }
            | Credentials::SailPoint { client_id: variable, .. }
            | Credentials::SailPointToken { token: variable, .. } => variable,
        }
    }

    pub(crate) fn open(&self, request: &ListRequest, lookup: Lookup<'_>) -> Result<Listing> {
        let client = match self.client.get() {
            Some(client) => client,
            // Of two that are built concurrently, the first is kept.
            None => {
                let client = self.build(lookup)?;
                self.client.get_or_init(|| client)
            }
        };
        let mut listing = client.list(request);
        if let Some(url) = &self.base_url {
            listing.endpoint = listing.endpoint.replacen(' ', &format!(" {}", url.trim_end_matches('/')), 1);
        }
        Ok(listing)
    }

    fn build(&self, lookup: Lookup<'_>) -> Result<Client> {
        let optional = |variable: &Option<String>| variable.as_deref().map(lookup).transpose();
        macro_rules! at_base_url {
            ($builder:expr) => {
                match &self.base_url {
                    Some(url) => $builder.base_url(url),
                    None => $builder,
                }
            };
        }
        Ok(match &self.credentials {
            Credentials::FortanixPassword { email, password } => {
                let builder = fortanix::Client::builder().password(lookup(email)?, lookup(password)?);
                Client::Fortanix(at_base_url!(builder).build()?)
            }
            Credentials::FortanixToken { token } => {
                let builder = fortanix::Client::builder().token(lookup(token)?);
                Client::Fortanix(at_base_url!(builder).build()?)
            }
            Credentials::Huawei { access_key, secret_key, security_token, domain_id } => {
                let mut builder =
                    huawei::Client::builder().access_key(lookup(access_key)?).secret_key(lookup(secret_key)?);
                if let Some(token) = optional(security_token)? {
                    builder = builder.security_token(token);
                }
                if let Some(id) = domain_id {
                    builder = builder.domain_id(id);
                }
                Client::Huawei(at_base_url!(builder).build()?)
            }
            Credentials::Annature { id, key, partner_key } => {
                let mut builder = annature::Client::builder().id(lookup(id)?).key(lookup(key)?);
                if let Some(key) = optional(partner_key)? {
                    builder = builder.partner_key(key);
                }
                Client::Annature(at_base_url!(builder).build()?)
            }
            Credentials::SailPoint { client_id, client_secret, email_attribute } => {
                let builder = sailpoint::Client::builder()
                    .client_credentials(lookup(client_id)?, lookup(client_secret)?);
                Client::SailPoint(at_base_url!(builder).build()?, email_attribute.clone())
            }
            Credentials::SailPointToken { token, email_attribute } => {
                let builder = sailpoint::Client::builder().token(lookup(token)?);
                Client::SailPoint(at_base_url!(builder).build()?, email_attribute.clone())
            }
        })
    }
}

impl Client {
    fn list(&self, request: &ListRequest) -> Listing {
        match self {
            Self::Fortanix(client) => Listing {
                accounts: client.list_accounts().into_accounts(),
                endpoint: "GET /v1/accounts".into(),
                filter: None,
            },
            Self::Huawei(client) => list_huawei(client, request),
            Self::Annature(client) => list_annature(client, request),
            Self::SailPoint(client, email_attribute) => {
                list_sailpoint(client, email_attribute.as_deref(), request)
            }
        }
    }
}

/// Joins parameters as `name=value&name=value`, without percent-encoding.
fn describe(parameters: Vec<String>) -> Option<String> {
    (!parameters.is_empty()).then(|| parameters.join("&"))
}

/// Contact details are personal data, and limit pages to 200 accounts: they are requested only for `email`.
fn list_huawei(client: &huawei::Client, request: &ListRequest) -> Listing {
    let (accounts, filter) = if request.uses("email") {
        let list = client.list_accounts().with_register_contact_info(true);
        (list, Some("with_register_contact_info=true".to_owned()))
    } else {
        (client.list_accounts(), None)
    };
    Listing { accounts: accounts.into_accounts(), endpoint: "GET /v1/organizations/accounts".into(), filter }
}

/// `role` is not sent: the provider compares it exactly, while the column has it in the documented spelling.
fn list_annature(client: &annature::Client, request: &ListRequest) -> Listing {
    let mut list = client.list_accounts();
    let mut sent = Vec::new();
    for condition in &request.conditions {
        match condition {
            Condition::OneOf { column, values } if column == "email" => {
                if let [email] = values.as_slice() {
                    list = list.email(email);
                    sent.push(format!("email={email}"));
                }
            }
            Condition::OneOf { column, values } if column == "status" => {
                let active = |status: &String| matches!(status.as_str(), "active" | "pending");
                let disabled = |status: &String| status == "disabled";
                if values.iter().all(active) || values.iter().all(disabled) {
                    let active = values.iter().all(active);
                    list = list.active(active);
                    sent.push(format!("active={active}"));
                }
            }
            Condition::NotBefore { column, at } if column == "created_at" => {
                list = list.created_after(*at);
                sent.push(format!("created_after={}", at.to_rfc3339()));
            }
            Condition::NotAfter { column, at } if column == "created_at" => {
                list = list.created_before(*at);
                sent.push(format!("created_before={}", at.to_rfc3339()));
            }
            _ => {}
        }
    }
    Listing { accounts: list.into_accounts(), endpoint: "GET /v2/accounts".into(), filter: describe(sent) }
}

/// The columns for which `SLIM` lacks members: `kind` needs `systemAccount`, an owner may be in `identity`, and the
/// record is to be whole.
const FULL_COLUMNS: [&str; 4] = ["kind", "owner_id", "owner_name", "record"];

fn list_sailpoint(
    client: &sailpoint::Client,
    email_attribute: Option<&str>,
    request: &ListRequest,
) -> Listing {
    let mut list = client.list_accounts();
    if let Some(attribute) = email_attribute {
        list = list.email_attribute(attribute);
    }
    let mut sent = Vec::new();
    if !FULL_COLUMNS.iter().any(|column| request.uses(column)) {
        list = list.detail_level(DetailLevel::Slim);
        sent.push("detailLevel=SLIM".to_owned());
    }
    if let Some(filter) = request.conditions.iter().filter_map(sailpoint_filter).reduce(Filter::and) {
        sent.push(format!("filters={filter}"));
        list = list.filter(filter);
    }
    let endpoint = format!("GET {}", client.api_version().path());
    Listing { accounts: list.into_accounts(), endpoint, filter: describe(sent) }
}

fn sailpoint_filter(condition: &Condition) -> Option<Filter> {
    // Several `eq` rather than `in`, which has been reported to return incomplete lists.
    let any_of = |field: Field, values: &[String]| {
        values.iter().map(|value| Filter::eq(field, value.as_str())).reduce(Filter::or)
    };
    match condition {
        Condition::OneOf { column, values } => match column.as_str() {
            "id" => any_of(Field::Id, values),
            "parent_id" => any_of(Field::SourceId, values),
            // The column is the native identity where an account has no name.
            "name" => Some(any_of(Field::Name, values)?.or(any_of(Field::NativeIdentity, values)?)),
            _ => None,
        },
        Condition::StartsWith { column, prefix } => match column.as_str() {
            "id" => Some(Filter::starts_with(Field::Id, prefix)),
            "parent_id" => Some(Filter::starts_with(Field::SourceId, prefix)),
            "name" => {
                let native = Filter::starts_with(Field::NativeIdentity, prefix);
                Some(Filter::starts_with(Field::Name, prefix).or(native))
            }
            _ => None,
        },
        Condition::NotBefore { column, at } => Some(Filter::ge(date_field(column)?, *at)),
        Condition::NotAfter { column, at } => Some(Filter::le(date_field(column)?, *at)),
    }
}

fn date_field(column: &str) -> Option<Field> {
    match column {
        "created_at" => Some(Field::Created),
        "modified_at" => Some(Field::Modified),
        _ => None,
    }
}
