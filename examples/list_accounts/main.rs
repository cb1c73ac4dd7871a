//! Lists the accounts of an organisation at its providers; see `--help`.

mod args;
mod checkpoint_file;
mod escape;
mod output;
mod progress;
mod providers;
mod table;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write as _},
    process::ExitCode,
    time::Duration,
};

use headcount::{Account, Completeness, ErrorKind, Event, ListingReport, Merge, escape_hidden};

use args::Args;
use checkpoint_file::CheckpointFile;
use output::Output;
use progress::Progress;
use providers::Sources;

/// The maximum number of accounts between two checkpoints, as documented in `--help`.
const MAX_SAVE_INTERVAL: u64 = 50;
/// The time to finish after Ctrl-C.
const GRACE_PERIOD: Duration = Duration::from_secs(2);

const FAILED: u8 = 1;
const WRONG_USAGE: u8 = 2;
const INTERRUPTED: u8 = 130;
/// As if the signal SIGPIPE had killed the program.
const CLOSED_PIPE: u8 = 141;

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse_or_exit();
    let checkpoints = match args.checkpoint.as_deref().map(CheckpointFile::open).transpose() {
        Ok(checkpoints) => checkpoints,
        Err(error) => return fail(&error, WRONG_USAGE),
    };
    let sources = match Sources::open(&args).await {
        Ok(sources) => sources,
        Err(error) if error.kind() == ErrorKind::Config => return fail(&error, WRONG_USAGE),
        Err(error) => return fail(&error, FAILED),
    };
    if let Some(checkpoints) = &checkpoints
        && sources.simulated
    {
        if !checkpoints.is_empty() {
            return fail(&checkpoints.simulated_error(), WRONG_USAGE);
        }
        let _ = writeln!(io::stderr(), "the simulators are new in each run: {}", checkpoint_file::SIMULATE);
    }
    let merge = match merge(&args, &sources, checkpoints.as_ref()) {
        Ok(merge) => merge,
        Err(error) => return fail(&error, WRONG_USAGE),
    };
    let finished = finished_sources(&merge);
    if let Some(checkpoints) = &checkpoints
        && finished.len() == sources.lists.len()
    {
        let progress = Progress::new([], finished);
        for (name, summary) in merge.summaries() {
            progress.summary(name, &summary, None);
        }
        return fail(&checkpoints.all_finished_error(), WRONG_USAGE);
    }
    let reports =
        sources.lists.into_iter().map(|(report, _)| (report.source.name().to_owned(), report)).collect();
    let outcome = list(&args, merge, reports, sources.simulated, checkpoints, finished).await;
    drop(sources.simulators);
    match outcome {
        Ok(code) => ExitCode::from(code),
        // The reader closed the pipe, for example `head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::from(CLOSED_PIPE),
        Err(error) => fail(&error, FAILED),
    }
}

fn fail(error: &dyn std::error::Error, code: u8) -> ExitCode {
    let _ = writeln!(io::stderr(), "{}", escape_hidden(&format!("list_accounts: {error}")));
    ExitCode::from(code)
}

/// Merges the sources into one stream, each resumed from its checkpoint if there is one.
fn merge(
    args: &Args,
    sources: &Sources,
    checkpoints: Option<&CheckpointFile>,
) -> headcount::Result<Merge<Account>> {
    let mut streams = Vec::new();
    for (report, list) in &sources.lists {
        let name = report.source.name();
        let mut pages = list.clone().pages();
        if let Some(depth) = args.ahead {
            pages = pages.ahead(depth);
        }
        if let Some(width) = args.concurrency {
            pages = pages.concurrent(width);
        }
        let items = match checkpoints {
            Some(checkpoints) => checkpoints.resume(name, pages)?,
            None => pages.items(),
        };
        streams.push((name, items));
    }
    Ok(Merge::new(streams))
}

/// Returns the sources that an earlier run listed completely.
fn finished_sources(merge: &Merge<Account>) -> BTreeSet<String> {
    let finished = merge.checkpoints().filter(|(_, checkpoint)| checkpoint.is_done());
    finished.map(|(name, _)| name.to_owned()).collect()
}

async fn list(
    args: &Args,
    mut merge: Merge<Account>,
    reports: BTreeMap<String, ListingReport>,
    simulated: bool,
    mut checkpoints: Option<CheckpointFile>,
    finished: BTreeSet<String>,
) -> io::Result<u8> {
    let resumed = checkpoints.as_ref().is_some_and(|checkpoints| !checkpoints.is_empty());
    let mut output = Output::new(args, reports, resumed, simulated)?;
    // A resumed list begins with the summary up to its checkpoint, and one that an earlier run finished has ended.
    for (name, summary) in merge.summaries() {
        if finished.contains(name) {
            output.end(name, summary, None)?;
        } else {
            output.start(name, summary)?;
        }
    }
    let progress =
        Progress::new(merge.summaries().filter(|(name, _)| !finished.contains(*name)), finished.clone());
    progress.show_waits();
    let save_interval =
        args.page_size.map_or(MAX_SAVE_INTERVAL, |size| MAX_SAVE_INTERVAL.min(u64::from(size) - 1));
    tokio::spawn(exit_after_grace_period(progress.clone()));
    let mut interrupt = std::pin::pin!(tokio::signal::ctrl_c());
    let (mut complete, mut stopped, mut interrupted, mut printed) = (true, false, false, 0);
    loop {
        if args.max.is_some_and(|max| printed >= max) {
            stopped = true;
            break;
        }
        let event = tokio::select! {
            biased;
            _ = &mut interrupt => {
                interrupted = true;
                break;
            }
            event = merge.next() => event,
        };
        match event {
            None => break,
            Some(Event::Item { source, item }) => {
                output.account(&source, &item)?;
                progress.account(&source);
                printed += 1;
                if printed.is_multiple_of(save_interval) {
                    save(&mut output, checkpoints.as_mut(), &merge)?;
                    merge.summaries().for_each(|(name, summary)| progress.total(name, summary.total));
                }
            }
            Some(Event::Rejected { error, .. }) => progress.rejected(&error),
            Some(Event::Failed { source, error, summary, .. }) => {
                output.end(&source, summary.clone(), Some(&error))?;
                complete &= progress.summary(&source, &summary, Some(&error));
            }
            Some(Event::Finished { source, summary }) => {
                if !finished.contains(&*source) {
                    output.end(&source, summary.clone(), None)?;
                }
                complete &= progress.summary(&source, &summary, None);
            }
            Some(_) => {}
        }
    }
    // A list may be at its end although the event was not read, and its checkpoint then says so.
    for (name, summary) in
        merge.unfinished().filter(|(_, summary)| summary.completeness != Completeness::InProgress)
    {
        output.end(name, summary, None)?;
    }
    save(&mut output, checkpoints.as_mut(), &merge)?;
    output.finish()?;
    if stopped || interrupted {
        for (name, summary) in merge.unfinished() {
            progress.summary(name, &summary, None);
        }
    }
    Ok(match (interrupted, complete) {
        (true, _) => INTERRUPTED,
        (false, true) => 0,
        (false, false) => FAILED,
    })
}

/// Exits after Ctrl-C and [`GRACE_PERIOD`], in case the main task is blocked on a pipe that nobody reads.
async fn exit_after_grace_period(progress: Progress) {
    if tokio::signal::ctrl_c().await.is_ok() {
        tokio::time::sleep(GRACE_PERIOD).await;
        progress.clear();
        std::process::exit(i32::from(INTERRUPTED));
    }
}

/// Saves checkpoints after flushing the output, so that no account before a checkpoint is lost.
fn save(
    output: &mut Output,
    checkpoints: Option<&mut CheckpointFile>,
    merge: &Merge<Account>,
) -> io::Result<()> {
    if let Some(checkpoints) = checkpoints {
        output.flush()?;
        checkpoints.save(merge)?;
    }
    Ok(())
}
