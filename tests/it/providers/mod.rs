//! The clients of the providers, against their simulators and against answers of a test's own.

mod annature;
mod answers;
mod bad_rows;
mod fortanix;
mod futures;
mod huawei;
mod once;
mod sailpoint;
mod shared_account;
mod support;
mod wire;
