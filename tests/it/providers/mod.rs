//! The clients of the providers, against their simulators and against scripted responses.

mod annature;
mod at_most_once;
mod fortanix;
mod huawei;
mod invalid_records;
mod invalid_responses;
mod request_format;
mod request_values;
mod sailpoint;
mod shared_account;
mod support;
