//! The clients of the sources, and what each provider can do with a [`ListRequest`].

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, PoisonError},
};

use headcount::{
    Provider, Result, annature,
    chrono::{DateTime, SecondsFormat, Utc},
    fortanix, huawei,
    sailpoint::{self, DetailLevel, Field, Filter},
};
use sha2::{Digest as _, Sha256};

use crate::{Condition, ListRequest, Listing};

/// The members of a source of one provider, besides `provider`.
pub(crate) struct Members {
    /// Sets of credentials, one of which is required.
    pub(crate) forms: &'static [&'static [&'static str]],
    /// Credentials that may be missing.
    pub(crate) optional: &'static [&'static str],
    /// Texts that may be missing.
    pub(crate) texts: &'static [&'static str],
}

impl Members {
    /// Returns the members of a provider, if it is supported.
    pub(crate) fn of(provider: &Provider) -> Option<Self> {
        let (forms, optional, texts): (&[&[_]], &[_], &[_]) = match provider {
            Provider::Fortanix => (&[&["email", "password"], &["token"]], &[], &["base_url"]),
            Provider::Huawei => {
                (&[&["access_key", "secret_key"]], &["security_token"], &["base_url", "domain_id"])
            }
            Provider::Annature => (&[&["id", "key"]], &["partner_key"], &["base_url"]),
            Provider::SailPoint => {
                (&[&["client_id", "client_secret"], &["token"]], &[], &["base_url", "email_attribute"])
            }
            _ => return None,
        };
        Some(Self { forms, optional, texts })
    }
}

/// A source of a tenants file.
pub(crate) struct SourceConfig {
    provider: Provider,
    /// The variables with the credentials, by member.
    variables: BTreeMap<&'static str, String>,
    /// The other members.
    texts: BTreeMap<&'static str, String>,
    /// One for all queries, so that they share its rate limit and its token, with the digest of its credentials.
    client: Mutex<Option<([u8; 32], Client)>>,
}

impl fmt::Debug for SourceConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SourceConfig")
    }
}

#[derive(Clone)]
enum Client {
    Fortanix(fortanix::Client),
    Huawei(huawei::Client),
    Annature(annature::Client),
    SailPoint(sailpoint::Client),
}

impl SourceConfig {
    pub(crate) fn new(
        provider: Provider,
        variables: BTreeMap<&'static str, String>,
        texts: BTreeMap<&'static str, String>,
    ) -> Self {
        Self { provider, variables, texts, client: Mutex::new(None) }
    }

    /// Returns the member and the variable that identify the credentials.
    pub(crate) fn identity(&self) -> Option<(&'static str, &str)> {
        let members = ["email", "access_key", "id", "client_id", "token"];
        members.iter().find_map(|member| Some((*member, self.variables.get(member)?.as_str())))
    }

    /// Opens a listing. `lookup` returns the value of a member's variable.
    pub(crate) fn open(
        &self,
        request: &ListRequest,
        lookup: impl Fn(&str, &str) -> Result<String>,
    ) -> Result<Listing> {
        let mut credentials = BTreeMap::new();
        let mut digest = Sha256::new();
        for (member, variable) in &self.variables {
            let value = lookup(member, variable)?;
            digest.update((value.len() as u64).to_be_bytes());
            digest.update(&value);
            credentials.insert(*member, value);
        }
        let client = self.client(digest.finalize().into(), credentials)?;
        let mut listing = client.list(request, self.texts.get("email_attribute").map(String::as_str));
        if let Some(url) = self.texts.get("base_url") {
            listing.endpoint = listing.endpoint.replacen(' ', &format!(" {}", url.trim_end_matches('/')), 1);
        }
        Ok(listing)
    }

    /// Returns the client, which is built again only if the credentials have changed.
    fn client(&self, digest: [u8; 32], credentials: BTreeMap<&'static str, String>) -> Result<Client> {
        let mut kept = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some((same, client)) if *same == digest => Ok(client.clone()),
            _ => {
                let client = self.build(credentials)?;
                *kept = Some((digest, client.clone()));
                Ok(client)
            }
        }
    }

    fn build(&self, mut credentials: BTreeMap<&'static str, String>) -> Result<Client> {
        let mut take = |member: &str| credentials.remove(member);
        macro_rules! with {
            ($builder:expr, $($setter:ident: $value:expr),+) => {{
                let mut builder = $builder;
                $( if let Some(value) = $value { builder = builder.$setter(value); } )+
                builder
            }};
        }
        let base_url = self.texts.get("base_url");
        Ok(match self.provider {
            Provider::Huawei => {
                let builder = with!(huawei::Client::builder(), access_key: take("access_key"),
                    secret_key: take("secret_key"), security_token: take("security_token"),
                    domain_id: self.texts.get("domain_id"), base_url: base_url);
                Client::Huawei(builder.build()?)
            }
            Provider::Annature => {
                let builder = with!(annature::Client::builder(), id: take("id"), key: take("key"),
                    partner_key: take("partner_key"), base_url: base_url);
                Client::Annature(builder.build()?)
            }
            Provider::SailPoint => {
                let mut builder =
                    with!(sailpoint::Client::builder(), token: take("token"), base_url: base_url);
                if let (Some(id), Some(secret)) = (take("client_id"), take("client_secret")) {
                    builder = builder.client_credentials(id, secret);
                }
                Client::SailPoint(builder.build()?)
            }
            // `Members::of` knows no others.
            _ => {
                let mut builder =
                    with!(fortanix::Client::builder(), token: take("token"), base_url: base_url);
                if let (Some(email), Some(password)) = (take("email"), take("password")) {
                    builder = builder.password(email, password);
                }
                Client::Fortanix(builder.build()?)
            }
        })
    }
}

impl Client {
    fn list(&self, request: &ListRequest, email_attribute: Option<&str>) -> Listing {
        match self {
            Self::Fortanix(client) => Listing {
                accounts: client.list_accounts().into_accounts(),
                endpoint: "GET /v1/accounts".into(),
                filter: None,
            },
            Self::Huawei(client) => list_huawei(client, request),
            Self::Annature(client) => list_annature(client, request),
            Self::SailPoint(client) => list_sailpoint(client, email_attribute, request),
        }
    }
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
    // A parameter is sent once: of two conditions for it, the last.
    let mut sent = BTreeMap::new();
    for condition in &request.conditions {
        match condition {
            Condition::OneOf { column, values } if column == "email" => {
                if let [email] = values.as_slice() {
                    list = list.email(email);
                    sent.insert("email", email.clone());
                }
            }
            Condition::OneOf { column, values } if column == "status" => {
                let active = |status: &String| matches!(status.as_str(), "active" | "pending");
                let disabled = |status: &String| status == "disabled";
                let is_active = values.iter().all(active);
                if is_active || values.iter().all(disabled) {
                    list = list.active(is_active);
                    sent.insert("active", is_active.to_string());
                }
            }
            Condition::NotBefore { column, at } if column == "created_at" => {
                list = list.created_after(*at);
                sent.insert("created_after", format_date(*at));
            }
            Condition::NotAfter { column, at } if column == "created_at" => {
                list = list.created_before(*at);
                sent.insert("created_before", format_date(*at));
            }
            _ => {}
        }
    }
    let filter = describe(sent.into_iter().map(|(name, value)| format!("{name}={value}")));
    Listing { accounts: list.into_accounts(), endpoint: "GET /v2/accounts".into(), filter }
}

fn format_date(date: DateTime<Utc>) -> String {
    date.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Joins parameters by `&`, without percent-encoding.
fn describe(parameters: impl Iterator<Item = String>) -> Option<String> {
    let parameters: Vec<_> = parameters.collect();
    (!parameters.is_empty()).then(|| parameters.join("&"))
}

/// The columns for which `SLIM` is enough.
///
/// The provider does not document which members it omits. These come from members of its base schema and from
/// `nativeIdentity`, which all its samples have. A column that became null unnoticed would hide accounts from a filter.
const SLIM_COLUMNS: [&str; 7] = ["tenant", "source", "provider", "id", "name", "created_at", "modified_at"];

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
    let columns = request.columns.as_ref();
    if columns.is_some_and(|columns| columns.iter().all(|column| SLIM_COLUMNS.contains(&column.as_str()))) {
        list = list.detail_level(DetailLevel::Slim);
        sent.push("detailLevel=SLIM".to_owned());
    }
    if let Some(filter) = request.conditions.iter().filter_map(sailpoint_filter).reduce(Filter::and) {
        sent.push(format!("filters={filter}"));
        list = list.filter(filter);
    }
    let endpoint = format!("GET {}", client.api_version().path());
    Listing { accounts: list.into_accounts(), endpoint, filter: describe(sent.into_iter()) }
}

/// The provider's comparisons ignore case or not: both return at least what SQL's do.
fn sailpoint_filter(condition: &Condition) -> Option<Filter> {
    // Not `in`, which has been reported to return incomplete lists.
    let any_of = |field: Field, values: &[String]| {
        values.iter().map(|value| Filter::eq(field, value.as_str())).reduce(Filter::or)
    };
    match condition {
        Condition::OneOf { column, values } => match (column.as_str(), values.as_slice()) {
            ("id", values) => any_of(Field::Id, values),
            // The report is about several sources, so several are not asked for in any form.
            ("parent_id", [value]) => Some(Filter::eq(Field::SourceId, value.as_str())),
            // The column is the native identity where an account has no name.
            ("name", values) => Some(any_of(Field::Name, values)?.or(any_of(Field::NativeIdentity, values)?)),
            _ => None,
        },
        Condition::StartsWith { column, prefix } => match column.as_str() {
            "id" => Some(Filter::starts_with(Field::Id, prefix)),
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
