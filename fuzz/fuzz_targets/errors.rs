//! Whatever a provider says of a failure, and if it repeats every credential it was sent: the error has the kind of
//! its status, one line of text, and no credential, nor eight characters of one.

#![no_main]

use arbitrary::Arbitrary;
use futures::TryStreamExt;
use headcount::{Account, AnyPaginator, Error, ErrorKind, Paginator, annature, fortanix, huawei, sailpoint};
use headcount_fuzz::{
    clients::policy,
    echo::{Failure, Shape, marked, secrets_of, shows_piece},
    runtime::run,
    server::{Server, answer, status_code},
    shown,
};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input {
    who: Who,
    secret: String,
    /// The token that a login gives.
    token: String,
    status: Status,
    shape: Shape,
    failure: Failure,
    /// Whether it is the login that fails.
    at_login: bool,
}

#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    FortanixPassword,
    FortanixToken,
    Huawei,
    HuaweiTemporary,
    Annature,
    AnnatureV1,
    SailPointCredentials,
    SailPointToken,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Status {
    Refused,
    Likely(u8),
    Any(u16),
}

impl Status {
    fn code(self) -> u16 {
        const LIKELY: [u16; 10] = [400, 403, 404, 409, 429, 500, 502, 503, 302, 200];
        match self {
            Self::Refused => 401,
            Self::Likely(index) => LIKELY[usize::from(index) % LIKELY.len()],
            Self::Any(status) => status_code(status).as_u16(),
        }
    }
}

impl Who {
    fn list(self, server: &Server, secret: &str) -> Result<AnyPaginator<Account>, Error> {
        Ok(match self {
            Self::FortanixPassword | Self::FortanixToken => {
                let builder = fortanix::Client::builder().retry(policy()).transport(server.clone());
                let builder = match self {
                    Self::FortanixPassword => builder.password("ada@example.com", secret),
                    _ => builder.token(secret),
                };
                builder.build()?.list_accounts().into_accounts()
            }
            Self::Huawei | Self::HuaweiTemporary => {
                let builder = match self {
                    Self::Huawei => huawei::Client::builder("access", secret),
                    _ => huawei::Client::builder("access", "secret").security_token(secret),
                };
                builder.retry(policy()).transport(server.clone()).build()?.list_accounts().into_accounts()
            }
            Self::Annature | Self::AnnatureV1 => {
                let builder =
                    annature::Client::builder("id", secret).partner_key(format!("{secret}-partner"));
                let client = builder.retry(policy()).transport(server.clone()).build()?;
                match self {
                    Self::Annature => client.list_accounts().into_accounts(),
                    _ => client.list_accounts_v1().into_accounts(),
                }
            }
            Self::SailPointCredentials | Self::SailPointToken => {
                let builder = sailpoint::Client::builder("https://acme.example").retry(policy());
                let builder = match self {
                    Self::SailPointCredentials => builder.client_credentials("id", secret),
                    _ => builder.token(secret),
                };
                builder.transport(server.clone()).build()?.list_accounts().into_accounts()
            }
        })
    }

    fn expects(self, status: u16, kind: ErrorKind) -> bool {
        match (status, kind) {
            (401, ErrorKind::PermissionDenied | ErrorKind::NotFound) => {
                matches!(self, Self::Huawei | Self::HuaweiTemporary)
            }
            (401, kind) => kind == ErrorKind::Auth,
            (403, kind) => kind == ErrorKind::PermissionDenied,
            (404, kind) => kind == ErrorKind::NotFound,
            (429, kind) => kind == ErrorKind::Throttled,
            (200..300, kind) => kind == ErrorKind::Decode,
            (_, kind) => kind == ErrorKind::Api,
        }
    }
}

fuzz_target!(|input: Input| {
    // No word that errors are made of, and long enough to be a secret.
    let secret = marked("~3cr3t-", &input.secret);
    let token = marked("~0k3n-", &input.token);
    let (status, shape, failure) = (input.status.code(), input.shape, input.failure);
    let (given, fails_at_login) = (token.clone(), input.at_login);
    let known = secret.clone();
    let server = Server::new(move |request| {
        let login = request.method() == http::Method::POST;
        if login && !fails_at_login {
            let token = serde_json::Value::from(given.as_str());
            return answer(200, format!(r#"{{"access_token":{token},"expires_in":700}}"#));
        }
        failure.reply(status, shape, request, &known)
    });
    let list = match input.who.list(&server, &secret) {
        Ok(list) => list,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Config, "{error}");
            return check(&error, &[secret], &[]);
        }
    };
    let Err(error) = run(list.items().try_collect::<Vec<_>>()) else {
        return assert!((200..300).contains(&status), "{status} is no success");
    };
    let whole: Vec<_> = server.seen().iter().flat_map(|seen| secrets_of(&seen.request)).collect();
    // A token that nobody was given may be any text.
    let logs_in = matches!(input.who, Who::FortanixPassword | Who::SailPointCredentials);
    let mut secrets = vec![secret];
    secrets.extend(Some(token).filter(|_| logs_in && !fails_at_login));
    check(&error, &secrets, &whole);
    if error.status().is_some() && error.kind() != ErrorKind::InvalidRecord {
        assert_eq!(error.status(), Some(status));
        assert!(input.who.expects(status, error.kind()), "{:?} for {status}: {error}", error.kind());
    } else {
        // A token that no header may hold, or that is empty; or a row of a list that came after all.
        let kinds = [ErrorKind::Config, ErrorKind::Decode, ErrorKind::Auth, ErrorKind::InvalidRecord];
        assert!(kinds.contains(&error.kind()), "{error}");
    }
});

/// Nothing is shown of `secrets`, and `whole` ones are not shown whole: their pieces may be words.
fn check(error: &Error, secrets: &[String], whole: &[String]) {
    shown::check(error);
    let shown = format!(
        "{}\n{}\n{}",
        shown::all_of(error),
        error.code().unwrap_or_default(),
        error.request_id().unwrap_or_default()
    );
    for secret in secrets.iter().chain(whole) {
        assert!(!shown.contains(secret.trim()), "{secret:?} is shown in {shown}");
    }
    for secret in secrets {
        assert!(!shows_piece(&shown, secret), "a piece of {secret:?} is shown in {shown}");
    }
}
