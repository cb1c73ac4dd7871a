use std::collections::BTreeSet;

use serde::Serialize;

use super::{Client, version::Collection};
use crate::{
    Error, Rejected, Result,
    http::{ApiRequest, ApiResponse, Rows, expect_empty, path_segment, read_rows},
    record::record,
};

/// Returns the description of the operation in errors.
fn operation(verb: &str) -> String {
    format!("{verb} the accounts of identities")
}

/// `POST …/identities-accounts/{id}/enable` and `…/disable`: enables or disables the account of an identity
/// with SailPoint itself.
///
/// The identity's accounts on other sources are not changed. `v3` does not have this endpoint. It is
/// experimental in `v2024` and `v2025`; the client sends the required header.
///
/// Permission: the scope `idn:accounts-state:manage` and a user level of `ORG_ADMIN`. For a token with a
/// user, the scope `idn:accounts-provisioning:manage` also suffices.
///
/// # Retries
/// Retried only if the request never reached the server. After
/// [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied) it is safe to send the request again.
/// The provider returns no task id.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the id is invalid or the client uses `v3`,
/// [`NotFound`](crate::ErrorKind::NotFound) if the identity does not exist,
/// [`PermissionDenied`](crate::ErrorKind::PermissionDenied) without the permission.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct SetIdentityAccountState {
    client: Client,
    identity_id: String,
    verb: &'static str,
}

impl SetIdentityAccountState {
    pub(super) fn new(client: Client, identity_id: String, verb: &'static str) -> Self {
        Self { client, identity_id, verb }
    }

    /// Changes the state of the account.
    ///
    /// Success means that the change was accepted, not that it is already applied.
    pub async fn send(self) -> Result<()> {
        self.client.send(self.request(), expect_empty).await
    }

    fn request(&self) -> Result<ApiRequest> {
        let id = path_segment("identity id", &self.identity_id)?;
        let version = self.client.api_version();
        version.experimental_post(&operation(self.verb), Collection::IdentitiesAccounts, &[&id, self.verb])
    }
}

/// `POST …/identities-accounts/enable` and `…/disable`: enables or disables the accounts of several
/// identities with SailPoint itself.
///
/// The response has a result for each identity. Duplicate ids are sent once. The maximum number of ids in a
/// request is not documented.
///
/// Permission: the same as for [`SetIdentityAccountState`].
///
/// # Retries
/// Retried only if the request never reached the server. After
/// [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), and for
/// [`missing`](IdentityResults::missing) identities, it is safe to send the request again.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if an id is invalid, there are no ids, or the client uses `v3`.
/// [`PermissionDenied`](crate::ErrorKind::PermissionDenied) without the permission. Failures of single
/// identities are not errors: they are reported in the [`IdentityResults`].
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct SetIdentityAccountStates {
    client: Client,
    identity_ids: Vec<String>,
    verb: &'static str,
}

/// `{"identityIds": […]}`
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct IdentitiesBody<'a> {
    identity_ids: &'a [&'a str],
}

impl SetIdentityAccountStates {
    pub(super) fn new(client: Client, identity_ids: Vec<String>, verb: &'static str) -> Self {
        Self { client, identity_ids, verb }
    }

    /// Changes the states of the accounts and returns the result for each identity.
    pub async fn send(self) -> Result<IdentityResults> {
        let requested = self.requested();
        let request = self.request(&requested);
        self.client.send(request, |response| IdentityResults::read(response, &requested)).await
    }

    /// Returns the identity ids without duplicates.
    fn requested(&self) -> Vec<&str> {
        let mut seen = BTreeSet::new();
        self.identity_ids.iter().map(String::as_str).filter(|id| seen.insert(*id)).collect()
    }

    fn request(&self, requested: &[&str]) -> Result<ApiRequest> {
        if requested.is_empty() {
            return Err(Error::config("no identity ids; expected at least one"));
        }
        for id in requested {
            path_segment("identity id", id)?;
        }
        let version = self.client.api_version();
        let request =
            version.experimental_post(&operation(self.verb), Collection::IdentitiesAccounts, &[self.verb])?;
        request.json(&IdentitiesBody { identity_ids: requested })
    }
}

/// The results for several identities (status 207).
#[derive(Clone, Debug)]
#[must_use = "a request for several identities can fail for some of them"]
#[non_exhaustive]
pub struct IdentityResults {
    /// The results of the requested identities, in the order of the response.
    pub results: Vec<IdentityResult>,
    /// Results of identities that were not requested.
    pub unexpected: Vec<IdentityResult>,
    /// Rows of the response that failed to decode.
    pub rejected: Vec<Rejected>,
    /// The requested ids without a valid result, in the order of the request. It is unknown whether the
    /// change was accepted for them.
    pub missing: Vec<String>,
}

impl IdentityResults {
    fn read(response: &ApiResponse, requested: &[&str]) -> Result<Self> {
        let Rows { items: results, rejected } =
            read_rows::<IdentityResult, IdentityResult>(response, "an array of results")?;
        let returned: BTreeSet<&str> = results.iter().map(|result| result.id.as_str()).collect();
        let missing =
            requested.iter().filter(|id| !returned.contains(*id)).map(|id| (*id).to_owned()).collect();
        let (results, unexpected) =
            results.into_iter().partition(|result| requested.contains(&result.id.as_str()));
        Ok(Self { results, unexpected, rejected, missing })
    }

    /// Returns whether the change was accepted for every requested identity and the response has no other
    /// rows.
    pub fn all_accepted(&self) -> bool {
        self.missing.is_empty()
            && self.unexpected.is_empty()
            && self.rejected.is_empty()
            && self.results.iter().all(IdentityResult::is_accepted)
    }

    /// Returns the results that are not successful.
    pub fn not_accepted(&self) -> impl Iterator<Item = &IdentityResult> {
        self.results.iter().filter(|result| !result.is_accepted())
    }
}

record! {
    id = id;

    /// The result for one identity.
    #[serde(rename_all = "camelCase")]
    pub struct IdentityResult {
        /// The id of the identity.
        #[serde(deserialize_with = "crate::record::id")]
        pub id: String,
        /// The HTTP status for this identity: 202 if the change was accepted, 404 if the identity does not
        /// exist.
        pub status_code: Option<i32>,
        /// The reason for a failure.
        pub message: Option<String>,
    }
}

impl IdentityResult {
    /// Returns whether the status is a success (2xx). `false` without a status.
    pub fn is_accepted(&self) -> bool {
        self.status_code.is_some_and(|status| (200..300).contains(&status))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};

    use super::*;

    fn read(body: &'static str, requested: &[&str]) -> Result<IdentityResults> {
        let response = ApiResponse {
            status: StatusCode::MULTI_STATUS,
            headers: HeaderMap::new(),
            body: Bytes::from(body).into(),
        };
        IdentityResults::read(&response, requested)
    }

    #[test]
    fn reference_example_decodes() {
        let results = read(
            r#"[{"id":"2c9180858082150f0180893dbaf553fe","statusCode":404,
                "message":"Referenced identity \"2c9180858082150f0180893dbaf553fe\" was not found."},
               {"id":"2c91808384203c2d018437e631158308","statusCode":202,"message":null,"later":1}]"#,
            &["2c9180858082150f0180893dbaf553fe", "2c91808384203c2d018437e631158308"],
        )
        .unwrap();
        assert!(!results.all_accepted());
        assert!(results.missing.is_empty());
        let not_accepted: Vec<_> = results.not_accepted().collect();
        assert_eq!(not_accepted.len(), 1);
        assert_eq!((not_accepted[0].status_code, not_accepted[0].id.len()), (Some(404), 32));
        assert!(not_accepted[0].message.as_deref().unwrap().ends_with("was not found."));
        assert!(results.results[1].is_accepted() && results.results[1].raw().contains("later"));
    }

    #[test]
    fn missing_rejected_and_unexpected_results() {
        let results = read(
            r#"[{"id":"a","statusCode":202},{"id":"b","statusCode":"accepted"},{"statusCode":202},
               {"id":"x","statusCode":202},{"id":"d"}]"#,
            &["a", "b", "c", "d"],
        )
        .unwrap();
        assert_eq!(results.missing, ["b", "c"]);
        assert_eq!(results.rejected.iter().map(|row| row.index).collect::<Vec<_>>(), [1, 2]);
        let ids: Vec<_> = results.results.iter().map(|result| result.id.as_str()).collect();
        assert_eq!(ids, ["a", "d"]);
        assert_eq!(results.unexpected.iter().map(|result| result.id.as_str()).collect::<Vec<_>>(), ["x"]);
        assert_eq!(results.not_accepted().map(|result| result.id.as_str()).collect::<Vec<_>>(), ["d"]);
        assert!(!results.all_accepted());
        assert_eq!(read("[]", &["a"]).unwrap().missing, ["a"]);
        assert!(read("{}", &["a"]).is_err() && read("", &["a"]).is_err());
        assert!(read(r#"[{"id":"a","statusCode":202}]"#, &["a"]).unwrap().all_accepted());
        let other = r#"[{"id":"a","statusCode":202},{"id":"x","statusCode":202}]"#;
        assert!(!read(other, &["a"]).unwrap().all_accepted(), "x was not requested");
    }
}
