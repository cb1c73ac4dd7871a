use std::collections::BTreeSet;

use serde::Serialize;

use super::{Client, version::Root};
use crate::{
    Error, Rejected, Result,
    http::{ApiRequest, ApiResponse, Rows, expect_empty, path_segment, read_rows},
    record::record,
};

/// What an error calls it.
fn what(verb: &str) -> String {
    format!("{verb} the accounts of identities")
}

/// `POST …/identities-accounts/{id}/enable` and `…/disable`: switches the account that an identity has with the
/// provider itself on or off. The identity's accounts on other sources stay as they are.
///
/// `v3` has no such call; `v2024` and `v2025` hold it experimental, and the header that this takes is sent.
///
/// Permission: the scope `idn:accounts-state:manage` (of a token that has a user, `idn:accounts-provisioning:manage`
/// will do as well), and a user level of `ORG_ADMIN`.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied) it does no
/// harm to send it again. No task is named.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the id can not be one, or the client speaks `v3`;
/// [`NotFound`](crate::ErrorKind::NotFound) if there is no such identity; [`PermissionDenied`](crate::ErrorKind::PermissionDenied)
/// without the permission.
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

    /// Has the account's state changed. That this is accepted does not say that it is done already.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<()> {
        self.client.send(self.request(), expect_empty).await
    }

    fn request(&self) -> Result<ApiRequest> {
        let id = path_segment("identity id", &self.identity_id)?;
        let version = self.client.api_version();
        version.late_post(&what(self.verb), Root::IdentitiesAccounts, &[&id, self.verb])
    }
}

/// `POST …/identities-accounts/enable` and `…/disable`: the same for several identities, each with a result of
/// its own.
///
/// An id that is given more than once is sent once. How many the provider takes at a time is not documented.
///
/// Permission: as of [`SetIdentityAccountState`].
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), and for
/// what is [`missing`](IdentityResults::missing), it does no harm to send it again.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if an id can not be one, there is none, or the client speaks `v3`;
/// [`PermissionDenied`](crate::ErrorKind::PermissionDenied) without the permission. What fails for single identities is no error,
/// but told in the [`IdentityResults`].
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
struct Body<'a> {
    identity_ids: &'a [&'a str],
}

impl SetIdentityAccountStates {
    pub(super) fn new(client: Client, identity_ids: Vec<String>, verb: &'static str) -> Self {
        Self { client, identity_ids, verb }
    }

    /// Has the accounts' states changed; what was answered for each identity.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<IdentityResults> {
        let asked = self.asked();
        self.client.send(self.request(&asked), |response| IdentityResults::read(response, &asked)).await
    }

    /// Each id once.
    fn asked(&self) -> Vec<&str> {
        let mut seen = BTreeSet::new();
        self.identity_ids.iter().map(String::as_str).filter(|id| seen.insert(*id)).collect()
    }

    fn request(&self, asked: &[&str]) -> Result<ApiRequest> {
        if asked.is_empty() {
            return Err(Error::config("there are no identity ids; expected one at least"));
        }
        for id in asked {
            path_segment("identity id", id)?;
        }
        let version = self.client.api_version();
        let call = version.late_post(&what(self.verb), Root::IdentitiesAccounts, &[self.verb])?;
        call.json(&Body { identity_ids: asked })
    }
}

/// What was answered for each of several identities (status 207).
#[derive(Clone, Debug)]
#[must_use = "a request for several identities can fail for some of them"]
#[non_exhaustive]
pub struct IdentityResults {
    /// The results of the identities that were asked for, in the provider's order.
    pub results: Vec<IdentityResult>,
    /// Results of other identities, should any come.
    pub unasked: Vec<IdentityResult>,
    /// Rows of the answer that could not be read.
    pub rejected: Vec<Rejected>,
    /// The ids that were asked for and have no result that could be read, in the order asked: what was done for
    /// them is not known.
    pub missing: Vec<String>,
}

impl IdentityResults {
    fn read(response: &ApiResponse, asked: &[&str]) -> Result<Self> {
        let Rows { items: results, rejected } = read_rows::<IdentityResult>(response, "an array of results")?;
        let told: BTreeSet<&str> = results.iter().map(|result| result.id.as_str()).collect();
        let missing = asked.iter().filter(|id| !told.contains(*id)).map(|id| (*id).to_owned()).collect();
        let (results, unasked) = results.into_iter().partition(|result| asked.contains(&result.id.as_str()));
        Ok(Self { results, unasked, rejected, missing })
    }

    /// Whether every identity that was asked for has been accepted, and nothing else was answered.
    pub fn all_accepted(&self) -> bool {
        self.missing.is_empty()
            && self.unasked.is_empty()
            && self.rejected.is_empty()
            && self.results.iter().all(IdentityResult::is_accepted)
    }

    /// The results that are no success.
    pub fn refused(&self) -> impl Iterator<Item = &IdentityResult> {
        self.results.iter().filter(|result| !result.is_accepted())
    }
}

record! {
    id = id;

    /// What was answered for one identity.
    #[serde(rename_all = "camelCase")]
    pub struct IdentityResult {
        /// The identity's id.
        #[serde(deserialize_with = "crate::record::id")]
        pub id: String,
        /// As an HTTP status: 202 if it was accepted, 404 if there is no such identity.
        pub status_code: Option<i32>,
        /// Why it failed.
        pub message: Option<String>,
    }
}

impl IdentityResult {
    /// Whether the status is one of success. Without a status it is not.
    pub fn is_accepted(&self) -> bool {
        self.status_code.is_some_and(|status| (200..300).contains(&status))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};

    use super::*;

    fn read(body: &'static str, asked: &[&str]) -> Result<IdentityResults> {
        let response = ApiResponse {
            status: StatusCode::MULTI_STATUS,
            headers: HeaderMap::new(),
            body: Bytes::from(body).into(),
        };
        IdentityResults::read(&response, asked)
    }

    #[test]
    fn the_references_example_is_read() {
        let results = read(
            r#"[{"id":"2c9180858082150f0180893dbaf553fe","statusCode":404,
                "message":"Referenced identity \"2c9180858082150f0180893dbaf553fe\" was not found."},
               {"id":"2c91808384203c2d018437e631158308","statusCode":202,"message":null,"later":1}]"#,
            &["2c9180858082150f0180893dbaf553fe", "2c91808384203c2d018437e631158308"],
        )
        .unwrap();
        assert!(!results.all_accepted());
        assert!(results.missing.is_empty());
        let refused: Vec<_> = results.refused().collect();
        assert_eq!(refused.len(), 1);
        assert_eq!((refused[0].status_code, refused[0].id.len()), (Some(404), 32));
        assert!(refused[0].message.as_deref().unwrap().ends_with("was not found."));
        assert!(results.results[1].is_accepted() && results.results[1].raw().contains("later"));
    }

    #[test]
    fn an_identity_without_a_result_is_missing_and_a_bad_row_is_told() {
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
        assert_eq!(results.unasked.iter().map(|result| result.id.as_str()).collect::<Vec<_>>(), ["x"]);
        assert_eq!(results.refused().map(|result| result.id.as_str()).collect::<Vec<_>>(), ["d"]);
        assert!(!results.all_accepted());
        assert_eq!(read("[]", &["a"]).unwrap().missing, ["a"]);
        assert!(read("{}", &["a"]).is_err() && read("", &["a"]).is_err());
        assert!(read(r#"[{"id":"a","statusCode":202}]"#, &["a"]).unwrap().all_accepted());
        let other = r#"[{"id":"a","statusCode":202},{"id":"x","statusCode":202}]"#;
        assert!(!read(other, &["a"]).unwrap().all_accepted(), "nobody asked for x");
    }
}
