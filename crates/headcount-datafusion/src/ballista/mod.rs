//! Snapshots that several machines collect: a plan for [Ballista](https://datafusion.apache.org/ballista/).
//!
//! [`Collect::run_on`](crate::Collect::run_on) sends the plan of a snapshot to a scheduler. Each source is a partition,
//! and a task of its own. Executors list the sources and write the Parquet files and manifests to the store themselves:
//! no account passes through the scheduler, the client or a shuffle file.
//!
//! A plan contains names only: the run, the sources, the columns and the URL of the store. Each executor has a tenants
//! file and the credentials that it names. The programs `headcount-scheduler` and `headcount-executor` are such
//! processes. To build your own, give [`physical_codec`] to both, and let the scheduler permit more failures of a task
//! (`task_max_failures`) than the collection makes attempts.
//!
//! An attempt that failed for a reason that may pass is raised as an I/O error, which Ballista retries, on any
//! executor. A source that is given up does not fail the job. What decides whether
//! a snapshot is complete are its manifests, not the job: a job that failed is sent again for the sources that are left.
//!
//! Ballista authenticates nobody. Whoever reaches its ports can run plans with the credentials of the executors: keep
//! them in a private network.

mod codec;
mod exec;
mod run;

pub use codec::physical_codec;
