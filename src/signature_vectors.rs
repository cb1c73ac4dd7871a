//! Signature test vectors, created by running Huawei's own signer on invented keys and checked by an
//! independent computation of the HMAC. The client and the simulator have separate signing code, and both are
//! tested against them.

use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct TestVectors {
    pub(crate) access_key: String,
    pub(crate) secret_key: String,
    pub(crate) date: String,
    pub(crate) vectors: Vec<Vector>,
}

#[derive(Deserialize)]
pub(crate) struct Vector {
    pub(crate) name: String,
    pub(crate) method: String,
    /// The path as sent, percent-encoded.
    pub(crate) path: String,
    /// Names and values before encoding.
    pub(crate) query: Vec<(String, String)>,
    /// The signed headers, with names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// The lines of the canonical request.
    pub(crate) canonical_request: Vec<String>,
    pub(crate) signature: String,
}

pub(crate) fn test_vectors() -> TestVectors {
    let vectors: TestVectors =
        serde_json::from_str(include_str!("signature_vectors.json")).expect("test vectors");
    assert_eq!(vectors.vectors.len(), 16);
    vectors
}
