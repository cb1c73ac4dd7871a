use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{Client, CreateAccountState, CreateAccountStatus, NAME};
use crate::{Error, ErrorKind, Result, Retry, http::one_line};

/// How long a creation that was asked for may be unknown: this crate's own choice.
const SETTLING: Duration = Duration::from_secs(30);

impl Client {
    /// Waits until an account that was asked for is there, by the id that
    /// [`create_account`](Self::create_account) answers with.
    ///
    /// For the management account and delegated administrators; IAM action
    /// `organizations:createAccountStatuses:get`.
    pub fn wait_for_account(&self, status_id: impl Into<String>) -> WaitForAccount {
        WaitForAccount {
            client: self.clone(),
            status_id: status_id.into(),
            first_interval: Duration::from_secs(2),
            max_interval: Duration::from_secs(30),
            timeout: Duration::from_secs(10 * 60),
        }
    }
}

/// Looks at a creation's status until it has succeeded or failed, or time is up.
///
/// It looks at once, and then after intervals that double from the first to the highest. How long a creation
/// takes is not documented, so the defaults are this crate's own choice. A state that this version does not
/// know is waited through like `in_progress`.
///
/// # Retries
/// Waiting changes nothing: after any error it can be begun again with the same id. A look that fails is
/// retried as every read is. What fails all the same, but is throttled or says
/// [`Retry::Safe`](crate::Retry::Safe), as after a concurrent modification (`Organizations.1003`), is looked
/// at again after the next interval, or after the time that the provider asked for if that is longer. If no
/// time is left for it, and after any other failure, the error ends the waiting.
///
/// Whether a creation can be found as soon as it was asked for is not documented. So a 404 is looked at again
/// too, until 30 s are over or the creation has been found once; after that it ends the waiting.
///
/// # Errors
/// - [`Api`](ErrorKind::Api) if the creation has failed; [`code`](Error::code) is the provider's
///   `failure_reason`, and [`show_create_account_status`](Client::show_create_account_status) with the same id
///   gives the status with all that it says
/// - [`Timeout`](ErrorKind::Timeout) if time is up: the creation may still go on
/// - [`Config`](ErrorKind::Config) if an interval is zero
/// - those of [`ShowCreateAccountStatus`](super::ShowCreateAccountStatus)
#[derive(Clone, Debug)]
#[must_use = "nothing is waited for until send() is awaited"]
pub struct WaitForAccount {
    client: Client,
    status_id: String,
    first_interval: Duration,
    max_interval: Duration,
    timeout: Duration,
}

impl WaitForAccount {
    /// How long to wait between the first look and the second. Default: 2 s.
    pub fn first_interval(mut self, interval: Duration) -> Self {
        self.first_interval = interval;
        self
    }

    /// The longest that the intervals become. Default: 30 s.
    pub fn max_interval(mut self, interval: Duration) -> Self {
        self.max_interval = interval;
        self
    }

    /// Time for all of it: the last look is begun when it is over, and is let finish. Zero is one look.
    /// Default: 10 min.
    pub fn timeout(mut self, time: Duration) -> Self {
        self.timeout = time;
        self
    }

    /// Waits, and gives the status that says `succeeded`.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<CreateAccountStatus> {
        self.check().map_err(|error| error.with_provider(NAME))?;
        let look = self.client.show_create_account_status(&self.status_id);
        let began = Instant::now();
        let mut interval = self.first_interval.min(self.max_interval);
        let mut found = false;
        loop {
            let looked = look.clone().send().await;
            let left = self.timeout.saturating_sub(began.elapsed());
            let mut asked = Duration::ZERO;
            match looked {
                Ok(status) => {
                    match &status.state {
                        Some(CreateAccountState::Succeeded) => return Ok(status),
                        Some(CreateAccountState::Failed) => return Err(self.failure(&status)),
                        Some(CreateAccountState::InProgress | CreateAccountState::Unknown(_)) | None => {}
                    }
                    if left.is_zero() {
                        return Err(self.too_long(&status));
                    }
                    found = true;
                }
                Err(error) => {
                    asked = error.retry_after().unwrap_or_default();
                    let early = error.status() == Some(404) && !found && began.elapsed() < SETTLING;
                    let throttled = error.kind() == ErrorKind::Throttled;
                    let passing = error.retry() == Retry::Safe || throttled || early;
                    if !passing || left.is_zero() || asked > left {
                        return Err(error);
                    }
                }
            }
            sleep(interval.min(left).max(asked)).await;
            interval = interval.saturating_mul(2).min(self.max_interval);
        }
    }

    fn check(&self) -> Result<()> {
        for (name, interval) in [("first_interval", self.first_interval), ("max_interval", self.max_interval)]
        {
            if interval.is_zero() {
                return Err(Error::config(format!("{name} is 0; expected a time to wait")));
            }
        }
        Ok(())
    }

    fn too_long(&self, status: &CreateAccountStatus) -> Error {
        let state = status.state.as_ref().map_or("not told", CreateAccountState::as_str);
        let message = format!(
            "the account was not there after {:.1} s (its state is {}), and its creation may still go on: wait \
             for the status {} again",
            self.timeout.as_secs_f64(),
            one_line(state),
            self.status_id,
        );
        Error::new(ErrorKind::Timeout, message).with_provider(NAME)
    }

    fn failure(&self, status: &CreateAccountStatus) -> Error {
        let detail = status.failure_detail_msg.as_ref().and_then(|detail| detail.error_msg.as_deref());
        let reason = status.failure_reason.as_deref();
        let message = format!(
            "the account was not created: {}; show_create_account_status({:?}) gives all that is told of it",
            one_line(detail.or(reason).unwrap_or("no reason is given")),
            self.status_id,
        );
        Error::new(ErrorKind::Api, message).with_code(reason.map(one_line)).with_provider(NAME)
    }
}
