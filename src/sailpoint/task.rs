use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Result, http::Answer, http::read_object};

/// The id of a task that the provider has begun: `202` says that a change was accepted, not that it was made.
///
/// How the task fares is told by the provider's `GET /task-status/{id}`, which is no account endpoint and not
/// in this crate. What came of it shows in the account: see [`Client::get_account`](super::Client::get_account).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskId(#[serde(deserialize_with = "crate::record::id")] String);

impl TaskId {
    /// The id as the provider wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads `{"id": "…"}`.
pub(super) fn read(answer: &Answer) -> Result<TaskId> {
    #[derive(Deserialize)]
    struct Accepted {
        id: TaskId,
    }
    read_object(answer, "the id of a task").map(|accepted: Accepted| accepted.id)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, StatusCode};

    use super::*;

    #[test]
    fn an_answer_without_a_task_is_an_error() {
        let read = |body: &'static str| {
            super::read(&Answer {
                status: StatusCode::ACCEPTED,
                headers: HeaderMap::new(),
                body: body.into(),
            })
        };
        assert_eq!(
            read(r#"{"id":"2c91808474683da6017468693c260195","later":1}"#).unwrap().to_string().len(),
            32
        );
        for body in ["", "{}", r#"{"id":""}"#, r#"{"id":null}"#, r#"{"id":7}"#, "[]", "<html>"] {
            let error = read(body).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Decode, "{body}");
            assert!(error.message().starts_with("expected the id of a task"), "{error}");
        }
    }
}
