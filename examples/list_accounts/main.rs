//! Lists the accounts of an organisation at its providers; `--help` says how.

mod args;
mod escape;
mod output;
mod place;
mod progress;
mod sources;

use std::{
    collections::BTreeSet,
    io::{self, Write as _},
    process::ExitCode,
    time::Duration,
};

use futures::StreamExt;
use headcount::{Account, ErrorKind, Event, Merge, Paginator};

use args::Args;
use output::Output;
use place::Places;
use progress::Progress;
use sources::Sources;

/// The most accounts between two saves of the place. `--help` promises it.
const SAVE_EVERY: u64 = 50;
/// How long it may take to come to an end after Ctrl-C.
const GRACE: Duration = Duration::from_secs(2);

const FAILED: u8 = 1;
const WRONG_USAGE: u8 = 2;
const INTERRUPTED: u8 = 130;

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::read();
    let places = match args.checkpoint.as_deref().map(Places::open).transpose() {
        Ok(places) => places,
        Err(error) => return fail(&error, WRONG_USAGE),
    };
    let sources = match Sources::open(&args).await {
        Ok(sources) => sources,
        Err(error) if error.kind() == ErrorKind::Config => return fail(&error, WRONG_USAGE),
        Err(error) => return fail(&error, FAILED),
    };
    let merge = match merge(&args, &sources, places.as_ref()) {
        Ok(merge) => merge,
        Err(error) => return fail(&error, WRONG_USAGE),
    };
    let earlier = finished(&merge);
    if let Some(places) = &places
        && earlier.len() == sources.lists.len()
    {
        let progress = Progress::new(merge.summaries().map(|(name, _)| name), earlier);
        for (name, summary) in merge.summaries() {
            progress.summary(name, &summary, None);
        }
        return fail(&places.finished(), WRONG_USAGE);
    }
    let outcome = list(&args, merge, places, earlier).await;
    drop(sources.simulators);
    match outcome {
        Ok(code) => ExitCode::from(code),
        // Whoever read the accounts has had enough of them.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => fail(&error, FAILED),
    }
}

fn fail(error: &dyn std::error::Error, code: u8) -> ExitCode {
    let _ = writeln!(io::stderr(), "{}", escape::visible(&format!("list_accounts: {error}")));
    ExitCode::from(code)
}

/// The sources as one stream, each from its saved place.
fn merge(args: &Args, sources: &Sources, places: Option<&Places>) -> headcount::Result<Merge<Account>> {
    let mut streams = Vec::new();
    for (name, list) in &sources.lists {
        let mut pages = list.clone().pages();
        if let Some(depth) = args.ahead {
            pages = pages.ahead(depth);
        }
        if let Some(width) = args.concurrency {
            pages = pages.concurrent(width);
        }
        let items = match places {
            Some(places) => places.resume(name, pages)?,
            None => pages.items(),
        };
        streams.push((*name, items));
    }
    Ok(Merge::new(streams))
}

/// The sources of which nothing is left to list.
fn finished(merge: &Merge<Account>) -> BTreeSet<String> {
    let finished = merge.checkpoints().filter(|(_, place)| place.is_done());
    finished.map(|(name, _)| name.to_owned()).collect()
}

async fn list(
    args: &Args,
    mut merge: Merge<Account>,
    mut places: Option<Places>,
    earlier: BTreeSet<String>,
) -> io::Result<u8> {
    let resumed = places.as_ref().is_some_and(|places| !places.is_empty());
    let mut output = Output::new(args.format, args.raw, resumed)?;
    let progress = Progress::new(merge.summaries().map(|(name, _)| name), earlier);
    let save_every = args.page_size.map_or(SAVE_EVERY, |size| SAVE_EVERY.min(u64::from(size) - 1));
    tokio::spawn(end_soon_after_interrupt());
    let mut interrupt = std::pin::pin!(tokio::signal::ctrl_c());
    let (mut whole, mut stopped, mut interrupted, mut printed) = (true, false, false, 0);
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
                if printed.is_multiple_of(save_every) {
                    save(&mut output, places.as_mut(), &merge)?;
                    merge.summaries().for_each(|(name, summary)| progress.total(name, summary.total));
                }
            }
            Some(Event::Rejected { source, error }) => progress.rejected(&source, &error),
            Some(Event::Failed { source, error, summary, .. }) => {
                whole &= progress.summary(&source, &summary, Some(&error));
            }
            Some(Event::Finished { source, summary }) => {
                whole &= progress.summary(&source, &summary, None);
            }
            Some(_) => {}
        }
    }
    save(&mut output, places.as_mut(), &merge)?;
    output.finish()?;
    if stopped || interrupted {
        for (name, summary) in merge.unfinished() {
            progress.summary(name, &summary, None);
        }
    }
    Ok(match (interrupted, whole) {
        (true, _) => INTERRUPTED,
        (false, true) => 0,
        (false, false) => FAILED,
    })
}

/// Ends the program when Ctrl-C finds it waiting for a reader that does not read.
async fn end_soon_after_interrupt() {
    if tokio::signal::ctrl_c().await.is_ok() {
        tokio::time::sleep(GRACE).await;
        std::process::exit(i32::from(INTERRUPTED));
    }
}

/// Printed first, saved then: what is saved was printed.
fn save(output: &mut Output, places: Option<&mut Places>, merge: &Merge<Account>) -> io::Result<()> {
    if let Some(places) = places {
        output.flush()?;
        places.save(merge)?;
    }
    Ok(())
}
