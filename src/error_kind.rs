/// What went wrong, in few and stable words.
///
/// The kind says what a program should do; [`Error`](crate::Error)'s text says it to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A setting or parameter is wrong. Nothing was sent, unless it is a client of your own that followed a
    /// redirect.
    ///
    /// # Troubleshooting
    /// The text names the setting and what it may be.
    Config,
    /// Credentials were refused, or could not be obtained.
    ///
    /// # Troubleshooting
    /// Check the credentials, the account they belong to, and this machine's clock.
    Auth,
    /// The credentials are valid, but may not do this.
    ///
    /// # Troubleshooting
    /// The tables of the provider modules name the permission that each call needs: see
    /// [Beyond lists](crate#beyond-lists).
    Denied,
    /// The thing asked for does not exist, or these credentials may not see it.
    NotFound,
    /// The provider asked to slow down, and for longer than this client may wait.
    ///
    /// # Troubleshooting
    /// [`Error::retry_after`](crate::Error::retry_after) tells how long; then go on with `rearm()` or from a
    /// checkpoint.
    Throttled,
    /// No answer came in time.
    Timeout,
    /// The connection could not be made, or it broke.
    ///
    /// # Troubleshooting
    /// If the text speaks of the certificate, see "Certificates" at [`http`](crate::http).
    Transport,
    /// The provider answered with another failure.
    Api,
    /// The answer is not what the provider's reference promises: a login page, an empty body,
    /// half a document. Never taken for an empty list.
    Decode,
    /// One row of a page could not be read. The rows around it are not affected: a stream of items
    /// goes on after this error.
    Record,
    /// The provider's cursors go round in a circle, so the list can not be walked to its end.
    PaginationLoop,
    /// The list changed while it was walked so that the place in it is lost.
    ///
    /// # Troubleshooting
    /// List again from the start.
    Drift,
    /// A checkpoint belongs to another listing, or to a newer version of this crate.
    Checkpoint,
}

/// Whether trying again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Retry {
    /// The same call will fail the same way.
    Never,
    /// Another try may help; this crate has not made it.
    Safe,
    /// The request creates or changes something, and may have been carried out although no good answer came:
    /// look whether it was, before you send it again.
    Uncertain,
    /// This crate has tried as often, or for as long, as its
    /// [`RetryPolicy`](crate::http::RetryPolicy) allows, and has given up.
    Exhausted,
}
