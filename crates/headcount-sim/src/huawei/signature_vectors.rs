//! Figures made by running Huawei's own signer on made-up keys, and checked by an independent computation of
//! the HMAC. The client and the simulator sign by code of their own, and both have to meet them.

use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct Figures {
    pub(crate) secret_key: String,
    pub(crate) date: String,
    pub(crate) vectors: Vec<Vector>,
}

#[derive(Deserialize)]
pub(crate) struct Vector {
    pub(crate) name: String,
    pub(crate) method: String,
    /// As it is sent, escapes and all.
    pub(crate) path: String,
    /// Names and values, before they are encoded.
    pub(crate) query: Vec<(String, String)>,
    /// Those that are signed, in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// Its lines.
    pub(crate) canonical_request: Vec<String>,
    pub(crate) signature: String,
}

pub(crate) fn figures() -> Figures {
    let figures: Figures = serde_json::from_str(include_str!("signature_vectors.json")).expect("figures");
    assert_eq!(figures.vectors.len(), 16);
    figures
}
