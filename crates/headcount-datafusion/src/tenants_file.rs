//! Tenants from a TOML file.

use std::{collections::BTreeMap, env, fmt, fs, path::Path, sync::Arc};

use headcount::{Error, ErrorKind, Provider, Result, Source, reqwest::Url};
use toml::{Table, Value};

use crate::{
    ListRequest, Listing, Tenants,
    providers::{Members, SourceConfig},
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
/// A credential is `{ env = "NAME" }`. The variable is read whenever a source is opened, so planning a query and running a
/// scheduler need no credentials, and a token that is replaced is used. No two sources may name the same variable, since they
/// would share a rate limit without knowing it.
#[derive(Clone)]
pub struct TenantsFile {
    sources: Arc<BTreeMap<Source, SourceConfig>>,
    lookup: Lookup,
}

/// Returns the value of a variable.
type Lookup = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

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
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let duplicate = error.message().contains("duplicate key");
            let what = if duplicate { "a name is defined twice" } else { "invalid TOML" };
            config(format!("{what} at line {line} of the tenants file"))
        })?;
        let mut sources = BTreeMap::new();
        if table.is_empty() {
            return Err(config("the tenants file has no source; expected a table [tenant.source]".into()));
        }
        for (tenant, value) in table {
            let named = expect_table(&tenant, value)?;
            if named.is_empty() {
                let tenant = tenant.escape_debug();
                return Err(config(format!(
                    "{tenant} in the tenants file has no source; expected [{tenant}.source]"
                )));
            }
            for (name, value) in named {
                let at = format!("{tenant}.{name}");
                let (source, config) = read_source(&tenant, &name, &expect_table(&at, value)?)?;
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
        // An error names the member and not the variable, in whose place someone may have written the credential.
        config.open(request, |member, variable| match (self.lookup)(variable) {
            Some(value) if !value.trim().is_empty() => Ok(value),
            value => {
                let state = if value.is_some() { "empty" } else { "not set" };
                Err(self::config(format!("source {source}: the variable of its {member} is {state}")))
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

fn read_source(tenant: &str, name: &str, table: &Table) -> Result<(Source, SourceConfig)> {
    // The names are checked before they appear in an error.
    let at = Source::new(tenant, name, Provider::Fortanix)?;
    let error = |member: &str, message: &str| {
        config(format!("{}.{}.{member} in the tenants file: {message}", at.tenant(), at.name()))
    };
    let provider = match table.get("provider") {
        Some(Value::String(provider)) => Provider::from(provider.as_str()),
        _ => Provider::from(""),
    };
    let members = Members::of(&provider)
        .ok_or_else(|| error("provider", "expected fortanix, huawei, annature or sailpoint"))?;
    let (mut variables, mut texts) = (BTreeMap::new(), BTreeMap::new());
    let credentials = || members.forms.iter().copied().flatten().chain(members.optional).copied();
    for (member, value) in table {
        if let Some(member) = credentials().find(|known| known == member) {
            variables.insert(member, variable(value).map_err(|message| error(member, &message))?);
        } else if let Some(member) = members.texts.iter().find(|known| *known == member) {
            texts.insert(*member, text(member, value).map_err(|message| error(member, &message))?);
        } else if member != "provider" {
            let known: Vec<_> = credentials().chain(members.texts.iter().copied()).collect();
            let message = format!("is unknown; expected provider, {}", known.join(", "));
            return Err(error(&member.escape_debug().to_string(), &message));
        }
    }
    let is_set = |member: &&str| variables.contains_key(*member);
    let complete = |form: &&&[&str]| form.iter().all(is_set);
    let begun = |form: &&&[&str]| form.iter().any(is_set);
    if members.forms.iter().filter(complete).count() != 1 || members.forms.iter().filter(begun).count() != 1 {
        let forms: Vec<_> = members.forms.iter().map(|form| form.join(" and ")).collect();
        let message =
            format!("expected the credentials {}, each as {{ env = \"NAME\" }}", forms.join(", or "));
        return Err(config(format!("{}.{} in the tenants file: {message}", at.tenant(), at.name())));
    }
    if provider == Provider::SailPoint && !texts.contains_key("base_url") {
        return Err(error("base_url", "is missing; expected https://TENANT.api.identitynow.com"));
    }
    let source = Source::new(tenant, name, provider.clone())?;
    Ok((source, SourceConfig::new(provider, variables, texts)))
}

/// Returns the name of the variable with a credential.
fn variable(value: &Value) -> Result<String, String> {
    let expected = "expected the name of a variable, { env = \"NAME\" }";
    match value {
        Value::Table(table) => match (table.get("env"), table.len()) {
            (Some(Value::String(variable)), 1) if is_variable(variable) => Ok(variable.clone()),
            _ => Err(format!("{expected}, with letters, digits and `_`")),
        },
        Value::String(_) => {
            Err(format!("{expected}, got a text; a credential belongs in the environment, not in this file"))
        }
        other => Err(format!("{expected}, got {}", other.type_str())),
    }
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn text(member: &str, value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) if text.trim().is_empty() => Err("expected a text, got an empty one".into()),
        Value::String(text) if member != "base_url" => Ok(text.clone()),
        Value::String(text) => match Url::parse(text) {
            Ok(url) if url.username().is_empty() && url.password().is_none() && url.query().is_none() => {
                Ok(text.clone())
            }
            _ => Err("expected https://HOST, without a user name, password or query".into()),
        },
        other => Err(format!("expected a text, got {}", other.type_str())),
    }
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
        let Some((member, variable)) = settings.identity() else { continue };
        if let Some(other) = variables.insert(variable, source) {
            return Err(config(format!(
                "{source} and {other} in the tenants file have the same {member}; expected one source for each, since \
                 they share a rate limit"
            )));
        }
    }
    Ok(())
}
