//! Creates an account at Fortanix, and looks whether it is there; `--help` says how.

use std::{
    env, fs,
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::Parser;
use futures::TryStreamExt as _;
use headcount::{
    Error, ErrorKind, Paginator as _, Retryability,
    fortanix::{Account, AuthConfigPassword, Client, Component, Logo},
};
use headcount_sim as sim;

/// Creates an account at Fortanix Confidential Computing Manager.
///
/// Logs in with FORTANIX_CCM_EMAIL and _PASSWORD, or with FORTANIX_CCM_TOKEN, of the environment, and then needs
/// --really. With none of them, a built-in simulator stands in: the account is then gone when the program ends.
///
/// The account goes to the standard output, in JSON; what happens goes to the standard error. Exits with 0 when
/// the account was made and is in the list, 1 when something failed, 2 for wrong usage.
#[derive(Parser)]
#[command(version)]
#[expect(clippy::doc_markdown, reason = "this is the text of --help, where backticks would show")]
struct Args {
    /// The account's name, unique within the instance.
    name: String,
    /// Create it at the server of the credentials in the environment.
    #[arg(long)]
    really: bool,
    /// Its logo: a .jpg, .png or .svg file of at most 128 KiB.
    #[arg(long, value_name = "FILE")]
    logo: Option<PathBuf>,
    /// Let its users log in with a password.
    #[arg(long)]
    password_login: bool,
    /// With a second factor.
    #[arg(long, requires = "password_login")]
    require_2fa: bool,
    /// Make it for confidential AI.
    #[arg(long)]
    confidential_ai: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let made = async {
        let logo = args.logo.as_ref().map(read_logo).transpose()?;
        let (client, simulator) = open(args.really).await?;
        let account = create(&client, &args, logo).await?;
        // It serves until here.
        drop(simulator);
        Ok(account)
    };
    let account: Account = match made.await {
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
    say(&error.to_string());
    if error.retryability() == Retryability::MaybeApplied {
        say("look for the name with list_accounts before you run this again");
    }
    ExitCode::from(if error.kind() == ErrorKind::Config { 2 } else { 1 })
}

fn say(what: &str) {
    let _ = writeln!(io::stderr(), "create_fortanix_account: {what}");
}

fn read_logo(file: &PathBuf) -> Result<Logo, Error> {
    let unreadable = |error| Error::new(ErrorKind::Config, format!("{}: {error}", file.display()));
    Logo::new(fs::read(file).map_err(unreadable)?)
}

/// A client of the provider in the environment, or of a simulator, which must live as long.
async fn open(really: bool) -> Result<(Client, Option<sim::Fortanix>), Error> {
    let names = ["FORTANIX_CCM_EMAIL", "FORTANIX_CCM_PASSWORD", "FORTANIX_CCM_TOKEN"];
    if names.iter().any(|name| env::var_os(name).is_some_and(|value| !value.is_empty())) {
        let client = Client::from_env()?;
        if !really {
            let message = "there are credentials in the environment: this would create an account at their server; \
                           --really says that it is meant";
            return Err(Error::new(ErrorKind::Config, message));
        }
        return Ok((client, None));
    }
    if really {
        let message = "--really needs FORTANIX_CCM_EMAIL and FORTANIX_CCM_PASSWORD, or FORTANIX_CCM_TOKEN, in the \
                       environment";
        return Err(Error::new(ErrorKind::Config, message));
    }
    say("no credentials in the environment: creating the account at a built-in simulator");
    let simulator = sim::Fortanix::builder().accounts(250).start().await.map_err(|error| {
        Error::new(ErrorKind::Transport, "the simulator can not start").with_source(error)
    })?;
    let builder = Client::builder().base_url(simulator.base_url());
    Ok((builder.password(simulator.email(), simulator.password()).build()?, Some(simulator)))
}

/// Creates the account, gets it with its totals, and finds it in the list.
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
    say(&format!("created {id}"));
    let account = client.get_account(id).with_totals(true).send().await?;
    let accounts: Vec<Account> = client.list_accounts().items().try_collect().await?;
    match accounts.iter().position(|account| account.acct_id == id) {
        Some(at) => say(&format!("it is number {} of {} accounts in the list", at + 1, accounts.len())),
        None => return Err(Error::new(ErrorKind::NotFound, format!("{id} was made and is not in the list"))),
    }
    Ok(account)
}
