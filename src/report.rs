use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{Completeness, Error, ErrorKind, Provider, Result, Summary};

/// The most characters of a name in a [`Source`].
const MAX_NAME_CHARS: usize = 100;

/// A source of accounts: one credential at one provider, of one tenant. It contains no credential.
///
/// It names a unit of work in a schedule, a queue or a table. Each [`ListingReport`] belongs to one.
///
/// Names have 1 to 100 characters: ASCII letters, digits, `_`, `-` and `.`, and do not begin with a `.`. So they are
/// safe in paths, URLs and SQL. Deserialising checks this too.
///
/// ```
/// use headcount::{Provider, Source};
///
/// let source = Source::new("acme", "hr", Provider::SailPoint)?;
/// assert_eq!(source.to_string(), "acme/hr");
/// assert!(Source::new("../acme", "hr", Provider::SailPoint).is_err());
/// # Ok::<_, headcount::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "SourceFields")]
pub struct Source {
    tenant: String,
    name: String,
    provider: Provider,
}

impl Source {
    /// Creates the source `name` of `tenant`.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::Config`] if a name has another form.
    pub fn new(tenant: impl Into<String>, name: impl Into<String>, provider: Provider) -> Result<Self> {
        let (tenant, name) = (tenant.into(), name.into());
        check_name("tenant", &tenant)?;
        check_name("source", &name)?;
        Ok(Self { tenant, name, provider })
    }

    /// Returns the name of the tenant.
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// Returns the name of the source, which should be unique within its tenant.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the provider.
    pub fn provider(&self) -> &Provider {
        &self.provider
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.tenant, self.name)
    }
}

#[derive(Deserialize)]
struct SourceFields {
    tenant: String,
    name: String,
    provider: Provider,
}

impl TryFrom<SourceFields> for Source {
    type Error = Error;

    fn try_from(fields: SourceFields) -> Result<Self> {
        Self::new(fields.tenant, fields.name, fields.provider)
    }
}

fn check_name(what: &str, name: &str) -> Result<()> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.chars().all(allowed) && !name.starts_with('.') && (1..=MAX_NAME_CHARS).contains(&name.len()) {
        return Ok(());
    }
    let name: String = name.chars().take(MAX_NAME_CHARS).collect();
    Err(Error::new(
        ErrorKind::Config,
        format!(
            "{what} name \"{}\": expected 1 to {MAX_NAME_CHARS} ASCII letters, digits, `_`, `-` or `.`, not beginning \
             with `.`",
            name.escape_debug()
        ),
    ))
}

/// What was listed from a [`Source`], and how the listing ended. It contains no credential.
///
/// `Display` is one line: `acme/hr: 250 items, 3 pages; complete`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ListingReport {
    /// The source.
    pub source: Source,
    /// The endpoint, such as `GET https://acme.api.identitynow.com/accounts/v1`. `None` if the listing could not be
    /// opened.
    pub endpoint: Option<String>,
    /// The filter and other parameters that select accounts or fields, as sent, and options of the client that do so.
    /// `None` lists everything.
    pub filter: Option<String>,
    /// When the listing was started.
    pub started_at: DateTime<Utc>,
    /// When the listing ended. `None` while it runs.
    pub ended_at: Option<DateTime<Utc>>,
    /// The counts, and whether the listing is complete.
    pub summary: Summary,
    /// The error that ended the listing, as text.
    pub error: Option<String>,
}

impl ListingReport {
    /// Creates the report of a listing that starts now, by this machine's clock.
    #[expect(clippy::disallowed_methods, reason = "a report has no client, whose clock it could read")]
    pub fn start(source: Source) -> Self {
        Self {
            source,
            endpoint: None,
            filter: None,
            started_at: Utc::now(),
            ended_at: None,
            summary: Summary::default(),
            error: None,
        }
    }

    /// Sets how the listing ended, and that it ends now.
    #[expect(clippy::disallowed_methods, reason = "a report has no client, whose clock it could read")]
    pub fn end(&mut self, summary: Summary, error: Option<&Error>) {
        self.summary = summary;
        self.ended_at = Some(Utc::now());
        self.error = error.map(ToString::to_string);
    }

    /// Returns the report as it was when the listing started.
    pub(crate) fn in_progress(&self) -> Self {
        Self { ended_at: None, summary: Summary::default(), error: None, ..self.clone() }
    }

    /// Returns `true` if the listing ended and is [`Complete`](Completeness::Complete).
    pub fn is_complete(&self) -> bool {
        self.error.is_none() && self.summary.completeness.is_complete()
    }

    /// Returns `true` if the listing reached its end, complete or not.
    pub fn has_ended(&self) -> bool {
        self.error.is_none() && self.summary.completeness != Completeness::InProgress
    }
}

impl fmt::Display for ListingReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.error {
            None => write!(f, "{}: {}", self.source, self.summary),
            Some(error) => write!(f, "{}: {}; failed: {error}", self.source, self.summary.counts()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_safe_names_are_accepted() {
        for name in ["acme", "Acme-2.eu_west", "7"] {
            assert!(Source::new(name, name, Provider::Huawei).is_ok(), "{name}");
        }
        let long = "a".repeat(101);
        for name in
            ["", ".", "..", ".a", "a/b", "a b", "a'; drop table x --", "ä", "a\u{202e}b", "a\n", &long]
        {
            let error = Source::new(name, "hr", Provider::Huawei).unwrap_err();
            assert!(error.to_string().contains("tenant name"), "{error}");
            assert!(error.to_string().contains("expected 1 to 100 ASCII letters"), "{error}");
            assert!(
                error.to_string().chars().all(|c| c.is_ascii() && !c.is_control() || c == 'ä'),
                "{error}"
            );
            let json = serde_json::json!({"tenant": "acme", "name": name, "provider": "huawei"});
            assert!(serde_json::from_value::<Source>(json).is_err(), "{name}");
        }
    }

    #[test]
    fn a_report_survives_json() {
        let source = Source::new("acme", "hr", Provider::SailPoint).unwrap();
        let mut report = ListingReport::start(source);
        assert!(!report.has_ended() && !report.is_complete());
        report.summary.completeness = Completeness::Complete;
        report.ended_at = Some(report.started_at);
        let json = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<ListingReport>(&json).unwrap(), report);
        assert!(report.is_complete());
        report.error = Some("timeout".into());
        assert!(!report.has_ended() && !report.is_complete());
        assert_eq!(report.to_string(), "acme/hr: 0 items, 0 pages; failed: timeout");
    }
}
