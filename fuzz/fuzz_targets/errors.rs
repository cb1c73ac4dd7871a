//! Arbitrary error responses, also with every credential that was sent. The error must have the kind of its
//! status, one line of text, and no credential or eight characters of one.

#![no_main]

use arbitrary::Arbitrary;
use futures::TryStreamExt;
use headcount::{Account, AnyPaginator, Error, ErrorKind, annature, fortanix, huawei, sailpoint};
use headcount_fuzz::{
    clients::policy,
    error_echo::{BodyShape, EchoedError, contains_fragment, marked, secrets_of},
    redaction,
    runtime::run,
    server::{Server, response, status_code},
};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input {
    endpoint: Endpoint,
    secret: String,
    /// The token that a login returns.
    token: String,
    status: Status,
    shape: BodyShape,
    failure: EchoedError,
    /// Whether the login fails.
    at_login: bool,
}

#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
enum Endpoint {
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
    Unauthorized,
    Likely(u8),
    Any(u16),
}

impl Status {
    fn code(self) -> u16 {
        const LIKELY: [u16; 10] = [400, 403, 404, 409, 429, 500, 502, 503, 302, 200];
        match self {
            Self::Unauthorized => 401,
            Self::Likely(index) => LIKELY[usize::from(index) % LIKELY.len()],
            Self::Any(status) => status_code(status).as_u16(),
        }
    }
}

impl Endpoint {
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
                    Self::Huawei => huawei::Client::builder().access_key("access").secret_key(secret),
                    _ => huawei::Client::builder()
                        .access_key("access")
                        .secret_key("secret")
                        .security_token(secret),
                };
                builder.retry(policy()).transport(server.clone()).build()?.list_accounts().into_accounts()
            }
            Self::Annature | Self::AnnatureV1 => {
                let builder =
                    annature::Client::builder().id("id").key(secret).partner_key(format!("{secret}-partner"));
                let client = builder.retry(policy()).transport(server.clone()).build()?;
                match self {
                    Self::Annature => client.list_accounts().into_accounts(),
                    _ => client.list_accounts_v1().into_accounts(),
                }
            }
            Self::SailPointCredentials | Self::SailPointToken => {
                let builder = sailpoint::Client::builder().base_url("https://acme.example").retry(policy());
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
    // The marks do not occur in error texts, and the texts are long enough to be secrets.
    let secret = marked("~3cr3t-", &input.secret);
    let token = marked("~0k3n-", &input.token);
    let (status, shape, failure) = (input.status.code(), input.shape, input.failure);
    let (access_token, fails_at_login) = (token.clone(), input.at_login);
    let echoed = secret.clone();
    let server = Server::new(move |request| {
        let login = request.method() == http::Method::POST;
        if login && !fails_at_login {
            let token = serde_json::Value::from(access_token.as_str());
            return response(200, format!(r#"{{"access_token":{token},"expires_in":700}}"#));
        }
        failure.reply(status, shape, request, &echoed)
    });
    let list = match input.endpoint.list(&server, &secret) {
        Ok(list) => list,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Config, "{error}");
            return check(&error, &[secret], &[]);
        }
    };
    let Err(error) = run(list.items().try_collect::<Vec<_>>()) else {
        return assert!((200..300).contains(&status), "{status} is not a success");
    };
    let whole: Vec<_> = server.requests().iter().flat_map(|recorded| secrets_of(&recorded.request)).collect();
    // Without a login, the token was not sent to the client and may be any text.
    let logs_in = matches!(input.endpoint, Endpoint::FortanixPassword | Endpoint::SailPointCredentials);
    let mut secrets = vec![secret];
    secrets.extend(Some(token).filter(|_| logs_in && !fails_at_login));
    check(&error, &secrets, &whole);
    if error.status().is_some() && error.kind() != ErrorKind::InvalidRecord {
        assert_eq!(error.status(), Some(status));
        assert!(input.endpoint.expects(status, error.kind()), "{:?} for {status}: {error}", error.kind());
    } else {
        // The token is empty or invalid in a header, or the response was a list with an invalid row.
        let kinds = [ErrorKind::Config, ErrorKind::Decode, ErrorKind::Auth, ErrorKind::InvalidRecord];
        assert!(kinds.contains(&error.kind()), "{error}");
    }
});

/// Checks that an error contains no fragment of `secrets` and none of `whole` completely. Fragments of the
/// latter may be ordinary words.
fn check(error: &Error, secrets: &[String], whole: &[String]) {
    redaction::check(error);
    let shown = format!(
        "{}\n{}\n{}",
        redaction::full_text(error),
        error.code().unwrap_or_default(),
        error.request_id().unwrap_or_default()
    );
    for secret in secrets.iter().chain(whole) {
        assert!(!shown.contains(secret.trim()), "{secret:?} is in {shown}");
    }
    for secret in secrets {
        assert!(!contains_fragment(&shown, secret), "a fragment of {secret:?} is in {shown}");
    }
}
