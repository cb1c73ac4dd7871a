//! One account's way through a Huawei Cloud organization, from its creation to its closure.

#![expect(clippy::doc_markdown, reason = "the text of --help, where backticks would show")]

use std::{env, process::ExitCode, time::Duration};

use clap::Parser;
use futures::TryStreamExt;
use headcount::{Error, ErrorKind, Paginator, Result, Retryability, huawei};
use headcount_sim as sim;

/// Creates an account, waits for it, changes it, closes it, and looks at it in between.
///
/// Without HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK in the environment, a built-in simulator stands in for the
/// organization. With them, it is done to the real one: closing an account deletes what it holds, and can not be
/// undone, so this needs --really, and a --name.
///
/// Exits with 0 when all went well, 1 when a step failed, 2 for wrong usage.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Do it to the organization of the credentials in the environment.
    #[arg(long)]
    really: bool,
    /// The name of the new account.
    #[arg(long)]
    name: Option<String>,
    /// Its e-mail address: mandatory on the international site.
    #[arg(long)]
    email: Option<String>,
    /// Its mobile number: mandatory on the site of the Chinese mainland.
    #[arg(long)]
    phone: Option<String>,
}

/// The organization, and how often to look whether an account is there.
struct Setting {
    client: huawei::Client,
    interval: Duration,
    /// Lives as long as it is asked.
    _simulator: Option<sim::Huawei>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let mut args = Args::parse();
    let setting = match open(&mut args).await {
        Ok(setting) => setting,
        Err(why) => {
            eprintln!("account_lifecycle: {why}");
            return ExitCode::from(2);
        }
    };
    match live(&setting, &args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("account_lifecycle: {error}");
            if error.retryability() == Retryability::MaybeApplied {
                eprintln!("account_lifecycle: look what has become of it before you run this again");
            }
            ExitCode::from(if error.kind() == ErrorKind::Config { 2 } else { 1 })
        }
    }
}

async fn open(args: &mut Args) -> Result<Setting, String> {
    let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    if ["HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK"].into_iter().any(is_set) {
        if !args.really || args.name.is_none() {
            return Err("there are credentials in the environment: this would create an account in their \
                        organization and close it for good; --really and --name say that it is meant"
                .into());
        }
        let client = huawei::Client::from_env().map_err(|error| error.to_string())?;
        return Ok(Setting { client, interval: Duration::from_secs(2), _simulator: None });
    }
    if args.really {
        return Err("--really needs HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK in the environment".into());
    }
    eprintln!("no credentials in the environment: this is done to a built-in simulator");
    args.name.get_or_insert_with(|| "lifecycle".into());
    args.email.get_or_insert_with(|| "lifecycle@example.com".into());
    let simulator = sim::Huawei::builder().accounts(20).start().await.map_err(|error| error.to_string())?;
    let builder = huawei::Client::builder(simulator.ak(), simulator.sk()).base_url(simulator.base_url());
    let client = builder.build().map_err(|error| error.to_string())?;
    Ok(Setting { client, interval: Duration::from_millis(20), _simulator: Some(simulator) })
}

async fn live(setting: &Setting, args: &Args) -> Result<()> {
    let client = &setting.client;
    let mut request = client.create_account(args.name.clone().unwrap_or_default());
    if let Some(email) = &args.email {
        request = request.email(email);
    }
    if let Some(phone) = &args.phone {
        request = request.phone(phone);
    }
    let asked = request.description("made by an example").send().await?;
    println!("asked for it: {} is {:?}", asked.id, asked.state);

    let made = client.wait_for_account(&asked.id).first_interval(setting.interval).send().await?;
    let id = made.account_id.ok_or_else(|| missing("the id of the account", &asked.id))?;
    println!("created: {id}");

    // From here on there is an account, whatever fails.
    let lived = change_and_close(client, &asked.id, &id).await;
    if lived.is_err() {
        eprintln!("account_lifecycle: the account {id} is there; look what has become of it");
    }
    lived
}

async fn change_and_close(client: &huawei::Client, creation: &str, id: &str) -> Result<()> {
    let account = client.get_account(id).send().await?;
    println!("shown: {:?}, {:?}, {:?}", account.name, account.status, account.description);

    let account = client.update_account(id).description("about to be closed").send().await?;
    println!("updated: {:?}", account.description);

    let mut creations = client.list_create_account_statuses().items();
    while let Some(status) = creations.try_next().await? {
        if status.id == creation {
            println!("its creation: {:?} at {:?}", status.state, status.completed_at);
        }
    }

    client.close_account(id).send().await?;
    println!("asked to close it");

    let closures = client.list_close_account_statuses().items();
    let mut closures = closures.try_filter(|status| std::future::ready(status.account_id == id));
    let closure = closures.try_next().await?.ok_or_else(|| missing("the closure", id))?;
    println!("its closure: {:?} since {:?}", closure.state, closure.created_at);

    let mut accounts = client.list_accounts().items();
    while let Some(account) = accounts.try_next().await? {
        if account.id == id {
            println!("listed: {:?}", account.status);
            return Ok(());
        }
    }
    Err(missing("the account", id))
}

/// What the provider should have told, and did not.
fn missing(what: &str, of: &str) -> Error {
    Error::new(headcount::ErrorKind::NotFound, format!("{what} of {of} is missing"))
}
