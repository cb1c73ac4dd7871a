//! Creates, updates and closes an account of a Huawei Cloud organization.

#![expect(clippy::doc_markdown, reason = "the text of --help, where backticks would be visible")]

use std::{env, process::ExitCode, time::Duration};

use clap::Parser;
use futures::TryStreamExt;
use headcount::{Error, ErrorKind, Result, Retryability, escape_hidden, huawei};
use headcount_sim as sim;

/// Creates an account, waits until it exists, updates it and closes it, and prints its state after each step.
///
/// Without HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK in the environment, a built-in simulator is used. With
/// them, the account is created in the real organization. Closing an account deletes its resources and cannot
/// be undone, so this requires --yes and --name.
///
/// Exits with 0 on success, 1 if a step failed, 2 for wrong usage.
#[derive(Parser)]
#[command(name = "account_lifecycle", version)]
struct Args {
    /// Confirm that the organization of the credentials in the environment is changed.
    #[arg(long)]
    yes: bool,
    /// The name of the new account.
    #[arg(long)]
    name: Option<String>,
    /// The account's email address, mandatory on the international site.
    #[arg(long)]
    email: Option<String>,
    /// The account's mobile number, mandatory on the site of the Chinese mainland.
    #[arg(long)]
    phone: Option<String>,
}

/// The organization to work with.
struct Context {
    client: huawei::Client,
    poll_interval: Duration,
    /// Serves requests until it is dropped.
    _simulator: Option<sim::Huawei>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let mut args = Args::parse();
    let context = match connect(&mut args).await {
        Ok(context) => context,
        Err(message) => {
            eprintln!("account_lifecycle: {message}");
            return ExitCode::from(2);
        }
    };
    match run(&context, &args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("account_lifecycle: {}", escape_hidden(&error.to_string()));
            if error.retryability() == Retryability::MaybeApplied {
                eprintln!("account_lifecycle: check the state of the account before running this again");
            }
            ExitCode::from(if error.kind() == ErrorKind::Config { 2 } else { 1 })
        }
    }
}

async fn connect(args: &mut Args) -> Result<Context, String> {
    let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    if ["HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK"].into_iter().any(is_set) {
        if !args.yes || args.name.is_none() {
            return Err(
                "credentials found in the environment: this would create an account in their organization \
                        and close it permanently; pass --yes and --name to confirm"
                    .into(),
            );
        }
        let client = huawei::Client::from_env().map_err(|error| error.to_string())?;
        return Ok(Context { client, poll_interval: Duration::from_secs(2), _simulator: None });
    }
    if args.yes {
        return Err("--yes requires HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK in the environment".into());
    }
    eprintln!("no credentials in the environment: using a built-in simulator");
    args.name.get_or_insert_with(|| "lifecycle".into());
    args.email.get_or_insert_with(|| "lifecycle@example.com".into());
    let simulator = sim::Huawei::builder().accounts(20).start().await.map_err(|error| error.to_string())?;
    let builder = huawei::Client::builder()
        .access_key(simulator.ak())
        .secret_key(simulator.sk())
        .base_url(simulator.base_url());
    let client = builder.build().map_err(|error| error.to_string())?;
    Ok(Context { client, poll_interval: Duration::from_millis(20), _simulator: Some(simulator) })
}

async fn run(context: &Context, args: &Args) -> Result<()> {
    let client = &context.client;
    let mut request = client.create_account(args.name.clone().unwrap_or_default());
    if let Some(email) = &args.email {
        request = request.email(email);
    }
    if let Some(phone) = &args.phone {
        request = request.phone(phone);
    }
    let creation = request.description("created by an example").send().await?;
    println!("requested: {} is {}", escape_hidden(&creation.id), or_unknown(creation.state));

    let status = client.wait_for_account(&creation.id).first_interval(context.poll_interval).send().await?;
    let id = status.account_id.ok_or_else(|| not_found("the account id", &creation.id))?;
    println!("created: {}", escape_hidden(&id));

    // The account exists from here on, even if a later step fails.
    let result = update_and_close(client, &creation.id, &id).await;
    if result.is_err() {
        eprintln!("account_lifecycle: the account {} still exists; check its state", escape_hidden(&id));
    }
    result
}

async fn update_and_close(client: &huawei::Client, creation_id: &str, id: &str) -> Result<()> {
    let account = client.get_account(id).send().await?;
    println!(
        "fetched: {}, {}, {}",
        or_unknown(account.name),
        or_unknown(account.status),
        or_unknown(account.description)
    );

    let account = client.update_account(id).description("about to be closed").send().await?;
    println!("updated: {}", or_unknown(account.description));

    let mut creations = client.list_create_account_statuses().items();
    while let Some(status) = creations.try_next().await? {
        if status.id == creation_id {
            println!("creation: {} at {}", or_unknown(status.state), or_unknown(status.completed_at));
        }
    }

    client.close_account(id).send().await?;
    println!("closure requested");

    let closures = client.list_close_account_statuses().items();
    let mut closures = closures.try_filter(|status| std::future::ready(status.account_id == id));
    let closure = closures.try_next().await?.ok_or_else(|| not_found("the closure", id))?;
    println!("closure: {} since {}", or_unknown(closure.state), or_unknown(closure.created_at));

    let mut accounts = client.list_accounts().items();
    while let Some(account) = accounts.try_next().await? {
        if account.id == id {
            println!("listed: {}", or_unknown(account.status));
            return Ok(());
        }
    }
    Err(not_found("the account", id))
}

/// Returns the text of a field, escaped because others may have chosen it.
fn or_unknown(field: Option<impl ToString>) -> String {
    field.map_or("unknown".to_owned(), |field| escape_hidden(&field.to_string()).into_owned())
}

/// Reports something that the provider should have returned.
fn not_found(what: &str, of: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("{what} of {of} was not found"))
}
