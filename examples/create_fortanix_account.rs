//! Creates an account at Fortanix and looks it up in the list; see `--help`.

use std::{
    env, fs,
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::Parser;
use futures::TryStreamExt as _;
use headcount::{
    Error, ErrorKind, Retryability, escape_hidden,
    fortanix::{Account, AuthConfigPassword, Client, Component, Logo},
};
use headcount_sim as sim;

/// Creates an account at Fortanix Confidential Computing Manager.
///
/// Logs in with FORTANIX_CCM_EMAIL and FORTANIX_CCM_PASSWORD, or with FORTANIX_CCM_TOKEN, from the
/// environment. This requires --yes. With none of them, a built-in simulator is used, and the account is lost
/// when the program ends.
///
/// The account is printed to the standard output as JSON, progress to the standard error. Exits with 0 if the
/// account was created and is in the list, 1 if something failed, 2 for wrong usage.
#[derive(Parser)]
#[command(name = "create_fortanix_account", version)]
#[expect(clippy::doc_markdown, reason = "the text of --help, where backticks would be visible")]
struct Args {
    /// The account's name, unique within the instance.
    name: String,
    /// Confirm that the account is created at the server of the credentials in the environment.
    #[arg(long)]
    yes: bool,
    /// The account's logo, a .jpg, .png or .svg file of at most 128 KiB.
    #[arg(long, value_name = "FILE")]
    logo: Option<PathBuf>,
    /// Allow the account's users to log in with a password.
    #[arg(long)]
    password_login: bool,
    /// Require a second factor.
    #[arg(long, requires = "password_login")]
    require_2fa: bool,
    /// Create the account for confidential AI.
    #[arg(long)]
    confidential_ai: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let created = async {
        let logo = args.logo.as_ref().map(read_logo).transpose()?;
        let (client, simulator) = connect(args.yes).await?;
        let account = create(&client, &args, logo).await?;
        // The simulator must outlive the requests.
        drop(simulator);
        Ok(account)
    };
    let account: Account = match created.await {
        Ok(account) => account,
        Err(error) => return fail(&error),
    };
    let json = serde_json::to_string_pretty(&account).unwrap_or_default();
    match writeln!(io::stdout(), "{json}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}

fn fail(error: &Error) -> ExitCode {
    log(&error.to_string());
    if error.retryability() == Retryability::MaybeApplied {
        log("look for the name with list_accounts before running this again");
    }
    ExitCode::from(if error.kind() == ErrorKind::Config { 2 } else { 1 })
}

fn log(message: &str) {
    let _ = writeln!(io::stderr(), "create_fortanix_account: {}", escape_hidden(message));
}

fn read_logo(file: &PathBuf) -> Result<Logo, Error> {
    let config_error = |error| Error::new(ErrorKind::Config, format!("{}: {error}", file.display()));
    Logo::new(fs::read(file).map_err(config_error)?)
}

/// Returns a client for the credentials in the environment, or for a simulator that must outlive the client.
async fn connect(yes: bool) -> Result<(Client, Option<sim::Fortanix>), Error> {
    let names = ["FORTANIX_CCM_EMAIL", "FORTANIX_CCM_PASSWORD", "FORTANIX_CCM_TOKEN"];
    if names.iter().any(|name| env::var_os(name).is_some_and(|value| !value.is_empty())) {
        let client = Client::from_env()?;
        if !yes {
            let message = "credentials found in the environment: this would create an account at their server; pass \
                           --yes to confirm";
            return Err(Error::new(ErrorKind::Config, message));
        }
        return Ok((client, None));
    }
    if yes {
        let message = "--yes requires FORTANIX_CCM_EMAIL and FORTANIX_CCM_PASSWORD, or FORTANIX_CCM_TOKEN, in the \
                       environment";
        return Err(Error::new(ErrorKind::Config, message));
    }
    log("no credentials in the environment: using a built-in simulator");
    let simulator =
        sim::Fortanix::builder().accounts(250).start().await.map_err(|error| {
            Error::new(ErrorKind::Transport, "cannot start the simulator").with_source(error)
        })?;
    let builder = Client::builder().base_url(simulator.base_url());
    Ok((builder.password(simulator.email(), simulator.password()).build()?, Some(simulator)))
}

/// Creates the account, fetches it with its totals, and looks it up in the list.
async fn create(client: &Client, args: &Args, logo: Option<Logo>) -> Result<Account, Error> {
    let mut request = client.create_account(&args.name);
    if let Some(logo) = logo {
        request = request.custom_logo(logo);
    }
    if args.password_login {
        request = request.auth_config(AuthConfigPassword::new(args.require_2fa, false));
    }
    if args.confidential_ai {
        request = request.component(Component::ConfidentialAi);
    }
    let id = request.send().await?.acct_id;
    log(&format!("created {id}"));
    let account = client.get_account(id).with_totals(true).send().await?;
    let accounts: Vec<Account> = client.list_accounts().items().try_collect().await?;
    match accounts.iter().position(|account| account.acct_id == id) {
        Some(index) => log(&format!("number {} of {} accounts in the list", index + 1, accounts.len())),
        None => {
            return Err(Error::new(ErrorKind::NotFound, format!("{id} was created but is not in the list")));
        }
    }
    Ok(account)
}
