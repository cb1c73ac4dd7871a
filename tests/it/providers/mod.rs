//! The clients of the four providers, against their simulators and against answers of a test's own.

mod account;
mod annature;
mod annature_v1;
mod answers;
mod bad_rows;
mod fortanix;
mod fortanix_rows;
mod fortanix_session;
mod huawei;
mod huawei_account;
mod huawei_changes;
mod huawei_closing;
mod huawei_creation;
mod huawei_lifecycle;
mod huawei_organization;
mod huawei_signature;
mod huawei_support;
mod huawei_wait;
mod sailpoint;
mod sailpoint_changes;
mod sailpoint_filters;
mod sailpoint_refused_filters;
mod sailpoint_session;
mod sailpoint_walks;
mod support;
mod wire;
