//! Tenants from a TOML file.

use std::{collections::BTreeMap, env, fmt, fs, path::Path, sync::Arc};

use headcount::{Error, ErrorKind, Provider, Result, Source};
use toml::{Table, Value};

use crate::{
    ListRequest, Listing, Tenants,
    providers::{Credentials, SourceConfig},
};

/// The tenants of a TOML file, which names environment variables and contains no credential.
///
/// ```
/// use headcount_datafusion::{Tenants, TenantsFile};
///
/// let tenants = TenantsFile::parse(
///     r#"
///     [acme.hr]
///     provider = "sailpoint"
///     base_url = "https://acme.api.identitynow.com"
///     client_id = { env = "ACME_SAIL_ID" }
///     client_secret = { env = "ACME_SAIL_SECRET" }
///     email_attribute = "mail"
///
///     [acme.cloud]
///     provider = "huawei"
///     access_key = { env = "ACME_HUAWEI_AK" }
///     secret_key = { env = "ACME_HUAWEI_SK" }
///     "#,
/// )?;
/// let names: Vec<_> = tenants.sources().iter().map(ToString::to_string).collect();
/// assert_eq!(names, ["acme/cloud", "acme/hr"]);
/// # Ok::<_, headcount::Error>(())
/// ```
///
/// A table `[tenant.source]` is a source. Its members are:
///
/// | `provider` | credentials | other members |
/// |---|---|---|
/// | `fortanix` | `email` and `password`, or `token` | `base_url` |
/// | `huawei` | `access_key` and `secret_key`, and `security_token` if they are temporary | `base_url`, `domain_id` |
/// | `annature` | `id` and `key`, and `partner_key` to list the organisations of a partner | `base_url` |
/// | `sailpoint` | `client_id` and `client_secret`, or `token` | `base_url` (required), `email_attribute` |
///
/// A credential is `{ env = "NAME" }`. The variable is read when the source is listed for the first time, so planning
/// a query and running a scheduler need no credentials. No two sources may have the same credentials, since they
/// would share a rate limit without knowing it.
#[derive(Clone)]
pub struct TenantsFile {
    sources: Arc<BTreeMap<Source, SourceConfig>>,
    lookup: Arc<dyn Fn(&str) -> Option<String> + Send + Sync>,
}

impl TenantsFile {
    /// Reads a file. Its variables are those of the environment.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::Config`] if the file cannot be read, or as [`parse`](Self::parse) does.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = fs::read_to_string(path)
            .map_err(|error| config(format!("cannot read {}: {error}", path.display())).with_source(error))?;
        Self::parse(&text)
    }

    /// Parses the text of a file. Its variables are those of the environment.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::Config`] if the text is not as described above. The error names the member, and
    /// contains no value of the file, which may be a credential.
    pub fn parse(text: &str) -> Result<Self> {
        let table: Table = text.parse().map_err(|error: toml::de::Error| {
            // Its message and its excerpt may contain values.
            let start = error.span().map_or(0, |span| span.start.min(text.len()));
            let line = text.as_bytes()[..start].iter().filter(|&&byte| byte == b'\n').count() + 1;
            let duplicate = error.message().contains("duplicate key");
            let what = if duplicate { "a name is defined twice" } else { "invalid TOML" };
            config(format!("{what} at line {line} of the tenants file"))
        })?;
        let mut sources = BTreeMap::new();
        for (tenant, value) in table {
            for (name, value) in expect_table(&tenant, value)? {
                let at = format!("{tenant}.{name}");
                let (source, config) = read_source(&tenant, &name, expect_table(&at, value)?)?;
                sources.insert(source, config);
            }
        }
        check_distinct(&sources)?;
        Ok(Self { sources: Arc::new(sources), lookup: Arc::new(|name| env::var(name).ok()) })
    }

    /// Reads variables with `lookup` instead of from the environment, such as from a vault.
    #[must_use]
    pub fn with_lookup(mut self, lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        self.lookup = Arc::new(lookup);
        self
    }
}

impl Tenants for TenantsFile {
    fn sources(&self) -> Vec<Source> {
        self.sources.keys().cloned().collect()
    }

    fn open(&self, source: &Source, request: &ListRequest) -> Result<Listing> {
        let config = self.sources.get(source).ok_or_else(|| {
            config(format!("source {source} ({}) is not in the tenants file", source.provider()))
        })?;
        config.open(request, &|name| match (self.lookup)(name) {
            Some(value) if !value.trim().is_empty() => Ok(value),
            value => {
                let state = if value.is_some() { "empty" } else { "not set" };
                Err(self::config(format!("source {source}: the variable {name} is {state}")))
            }
        })
    }
}

impl fmt::Debug for TenantsFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantsFile").field("sources", &self.sources()).finish_non_exhaustive()
    }
}

fn config(message: String) -> Error {
    Error::new(ErrorKind::Config, message)
}

fn expect_table(at: &str, value: Value) -> Result<Table> {
    match value {
        Value::Table(table) => Ok(table),
        other => Err(config(format!(
            "{} in the tenants file: expected a table [tenant.source], got {}",
            at.escape_debug(),
            other.type_str()
        ))),
    }
}

/// The members of a source that were not read yet.
struct Members {
    at: String,
    table: Table,
}

impl Members {
    fn error(&self, name: &str, message: impl fmt::Display) -> Error {
        config(format!("{}.{name} in the tenants file: {message}", self.at))
    }

    fn text(&mut self, name: &str) -> Result<Option<String>> {
        match self.table.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) if !text.trim().is_empty() => Ok(Some(text)),
            Some(Value::String(_)) => Err(self.error(name, "expected a text, got an empty one")),
            Some(other) => Err(self.error(name, format_args!("expected a text, got {}", other.type_str()))),
        }
    }

    /// Returns the name of the variable with the credential.
    fn credential(&mut self, name: &str) -> Result<Option<String>> {
        let expected = "expected the name of a variable, { env = \"NAME\" }";
        match self.table.remove(name) {
            None => Ok(None),
            Some(Value::Table(table)) => match (table.get("env"), table.len()) {
                (Some(Value::String(variable)), 1) if is_variable(variable) => Ok(Some(variable.clone())),
                _ => Err(self.error(name, format_args!("{expected}, with letters, digits and `_`"))),
            },
            Some(Value::String(_)) => Err(self.error(
                name,
                format_args!(
                    "{expected}, got a text; a credential belongs in the environment, not in this file"
                ),
            )),
            Some(other) => Err(self.error(name, format_args!("{expected}, got {}", other.type_str()))),
        }
    }

    /// Returns the credentials `names`, all of which are required.
    fn credentials<const N: usize>(&mut self, names: [&str; N]) -> Result<[String; N]> {
        let mut variables = [const { String::new() }; N];
        for (variable, name) in variables.iter_mut().zip(names) {
            let missing = || self.error(name, "is missing; expected { env = \"NAME\" }");
            let missing = missing();
            *variable = self.credential(name)?.ok_or(missing)?;
        }
        Ok(variables)
    }
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn read_source(tenant: &str, name: &str, table: Table) -> Result<(Source, SourceConfig)> {
    // The names are checked before they appear in an error.
    let at = Source::new(tenant, name, Provider::Fortanix)?;
    let mut members = Members { at: format!("{}.{}", at.tenant(), at.name()), table };
    let provider = members.text("provider")?.unwrap_or_default();
    let provider = Provider::from(provider.as_str());
    let credentials = match &provider {
        Provider::Fortanix => match members.credential("token")? {
            Some(token) => Credentials::FortanixToken { token },
            None => {
                let [email, password] = members.credentials(["email", "password"])?;
                Credentials::FortanixPassword { email, password }
            }
        },
        Provider::Huawei => {
            let [access_key, secret_key] = members.credentials(["access_key", "secret_key"])?;
            let security_token = members.credential("security_token")?;
            let domain_id = members.text("domain_id")?;
            Credentials::Huawei { access_key, secret_key, security_token, domain_id }
        }
        Provider::Annature => {
            let [id, key] = members.credentials(["id", "key"])?;
            Credentials::Annature { id, key, partner_key: members.credential("partner_key")? }
        }
        Provider::SailPoint => {
            let email_attribute = members.text("email_attribute")?;
            match members.credential("token")? {
                Some(token) => Credentials::SailPointToken { token, email_attribute },
                None => {
                    let [client_id, client_secret] = members.credentials(["client_id", "client_secret"])?;
                    Credentials::SailPoint { client_id, client_secret, email_attribute }
                }
            }
        }
        _ => return Err(members.error("provider", "expected fortanix, huawei, annature or sailpoint")),
    };
    let base_url = members.text("base_url")?;
    if provider == Provider::SailPoint && base_url.is_none() {
        return Err(members.error("base_url", "is missing; expected https://TENANT.api.identitynow.com"));
    }
    if let Some(unknown) = members.table.keys().next() {
        let known = credentials.members().join(", ");
        let message = format!("is unknown; expected provider, base_url, {known}");
        return Err(members.error(&unknown.escape_debug().to_string(), message));
    }
    let source = Source::new(tenant, name, provider)?;
    Ok((source, SourceConfig::new(credentials, base_url)))
}

/// Fails if two sources have the same credentials, or names that differ only in case, which are one folder on some
/// file systems.
fn check_distinct(sources: &BTreeMap<Source, SourceConfig>) -> Result<()> {
    let mut names = BTreeMap::new();
    let mut variables = BTreeMap::new();
    for (source, settings) in sources {
        if let Some(other) = names.insert(source.to_string().to_ascii_lowercase(), source) {
            return Err(config(format!("{source} and {other} in the tenants file differ only in case")));
        }
        let variable = settings.identity();
        if let Some(other) = variables.insert(variable, source) {
            return Err(config(format!(
                "{source} and {other} in the tenants file have the same credentials ({variable}); expected one source \
                 for each, since they share a rate limit"
            )));
        }
    }
    Ok(())
}
